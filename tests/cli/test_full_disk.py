"""A disk that is really full: at a checkpoint the training goes on, at its end it fails, and both can be resumed."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import leftovers
from hepclf.models.mlp_plain import PlainMLP
from hepclf.run import Run
from hepclf.training.checkpoint import read_checkpoint
from hepclf.training.epoch import Quiet
from hepclf.training.trainer import Trainer
from hepclf.workflow import history
from hepclf.workflow.history import read_history
from hepclf.workflow.train import train

STUDIES = [setting.name for setting in fields(Evaluation) if hasattr(setting.default_factory, "study")]
QUICK = Evaluation(plots=False, report=False, **dict.fromkeys(STUDIES))
TRAINER = Trainer(epochs=4, batch=32, checkpoint_s=0, patience=None)
JOB = ["train", "data=mixture", "data.events=20000", "model=mlp_plain", "trainer.epochs=1", "evaluation.plots=false"]


class Killed(BaseException):
    """Ends a run as a kill does."""


def fill(path):
    """Write to a file until nothing more fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(512)):
            pass


class Filling(Quiet):
    """Fills a disk to its last byte after the second epoch; after the third one it makes room, or kills the run."""

    def __init__(self, disk: Path, *, kills: bool) -> None:
        self._ballast, self._kills = disk / "ballast", kills

    def epoch(self, epoch, total, events):  # noqa: ARG002
        if epoch.epoch == 2:
            fill(self._ballast)
        if epoch.epoch == 3:
            if self._kills:
                raise Killed
            self._ballast.unlink()


def outcome(folder):
    """All that must not depend on a full disk."""
    assert Run(folder).status().name == "finished"
    assert not list(leftovers(folder))
    assert not (folder / "checkpoint").exists()
    tagger = {path.name: path.read_bytes() for path in (folder / "tagger").iterdir()}
    return (folder / "metrics.json").read_bytes(), tagger, [row[:4] for row in read_history(folder / "history.csv")]


def small_run(folder, progress=None, *, resume=False):
    model = PlainMLP(hidden=(8,), dropout=0.2)
    return train(Mixture(events=4000), model, TRAINER, QUICK, folder, progress=progress, resume=resume)


@pytest.fixture
def enlarge(tiny):
    """A function that gives the small file system more room."""
    return lambda: subprocess.run(["mount", "-o", "remount,size=20m", str(tiny)], check=True)


@pytest.mark.parametrize("kills", [False, True], ids=["then there is room", "then it is killed"])
def test_a_disk_that_is_full_for_a_while_does_not_end_a_training(kills, tiny, enlarge, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(history, "EVERY_S", 0.0)  # history.csv is written after each epoch
    small_run(tmp_path / "undisturbed")
    folder, progress = tiny / "run", Filling(tiny, kills=kills)
    enlarge()
    if kills:
        with pytest.raises(Killed):
            small_run(folder, progress)
        assert len(read_checkpoint(folder / "checkpoint")["history"]) == 1  # the one before the disk was full
        (tiny / "ballast").unlink()
        small_run(folder, resume=True)
    else:
        small_run(folder, progress)
    assert "no checkpoint could be written (No space left on device); the training continues" in caplog.text
    assert caplog.text.count("history.csv could not be written (No space left on device); the training continues") == 1
    assert outcome(folder) == outcome(tmp_path / "undisturbed")


@pytest.mark.parametrize("hidden", ["[400,400]", "[8]"], ids=["no room for the tagger", "no room for the scores"])
def test_a_disk_that_is_full_at_the_end_fails_the_run_which_is_resumed_when_there_is_room(
    hidden, tiny, enlarge, hepclf, tmp_path
):
    words = [*JOB, f"model.hidden={hidden}", *(f"evaluation.{study}=null" for study in STUDIES)]
    assert hepclf(*words, "folder=undisturbed")[0] == 0
    folder = tiny / "run"
    code, _, errors = hepclf(*words, f"folder={folder}")
    assert code == 1
    (line,) = [line for line in errors.splitlines() if line.startswith("hepclf: ")]
    assert "no space left on device" in line
    assert "Traceback" not in errors
    assert Run(folder).status().name == "failed"
    assert "No space left on device" in Run(folder).status().reason
    assert (folder / "tagger" / "tagger.json").is_file() == (hidden == "[8]")
    enlarge()
    assert hepclf("train", f"resume={folder}")[0] == 0
    assert outcome(folder) == outcome(tmp_path / "undisturbed")
