"""Whatever goes wrong is said in one line, and what was finished stays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
import uproot

from hepclf import Evaluation, Logistic, Prediction, Trainer, predict, train
from hepclf.prediction import predict as story
from hepclf.prediction.workers import Failure, Team, failure
from hepclf.training.memory import DeviceMemoryError

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))


def outputs():
    return sorted(str(path) for path in Path("out").rglob("*") if path.is_file())


@pytest.fixture
def three(ntuple):
    """Three files, the second of them cut short."""
    for seed, name in enumerate("abc"):
        ntuple(f"{name}.root", seed)
    with Path("b.root").open("r+b") as file:
        file.truncate(9000)
    return ("a.root", "b.root", "c.root")


def test_a_damaged_file_is_named_before_any_is_scored(score_files, three):
    with pytest.raises(ValueError, match=r"b\.root cannot be read: "):
        score_files(three)
    assert outputs() == []


def test_a_damaged_file_is_left_out_where_that_is_asked_for(score_files, three):
    found = score_files((*three, "gone.root"), on_bad_file="skip")
    assert [outcome.state for outcome in found] == ["written", "bad", "written", "bad"]
    assert found[1].reason.startswith("b.root cannot be read")
    assert found[3].reason.startswith("file 'gone.root' does not exist")
    assert outputs() == ["out/a.root", "out/c.root"]


@pytest.mark.parametrize("skip", [False, True])
def test_a_file_that_vanishes_after_it_was_looked_at_is_an_error(score_files, ntuple, monkeypatch, skip):
    for seed, name in enumerate("ab"):
        ntuple(f"{name}.root", seed)
    prepare = story._prepare

    def then_remove(output):
        prepare(output)
        Path("b.root").unlink(missing_ok=True)

    monkeypatch.setattr(story, "_prepare", then_remove)
    if skip:
        assert [outcome.state for outcome in score_files("?.root", on_bad_file="skip")] == ["written", "bad"]
    else:
        with pytest.raises(ValueError, match=r"file 'b\.root' does not exist"):
            score_files("?.root")
    assert outputs() == ["out/a.root"]


def test_a_missing_branch_names_the_file_and_the_nearest(score_files, ntuple):
    ntuple("a.root", 0)
    with uproot.recreate("b.root") as file:
        file.mktree("Events", {"MET_pt": np.float32, "Jet_pt": "var * float32"}).extend(
            {"MET_pt": np.zeros(1, np.float32), "Jet_pt": ak.Array([[1.0]])}
        )
    with pytest.raises(ValueError, match=r"b\.root, tree 'Events': .*'MET' is not there; .*'MET_pt'"):
        score_files("?.root")
    with pytest.raises(ValueError, match=r"a\.root, tree 'Events': .*'evnt' is not there; nearest: 'event'"):
        score_files("a.root", columns=("evnt",))
    with pytest.raises(ValueError, match=r"a\.root, tree 'Events': .*'Jet_pt', .*it gives a list an event"):
        score_files("a.root", columns=("Jet_pt",))
    with pytest.raises(ValueError, match=r"tree 'events' is not in a\.root; nearest: 'Events'"):
        score_files("a.root", tree="events")


def test_an_infinite_feature_names_the_entry_and_the_way_out(gaussians):
    train(gaussians(features=1), Logistic(), Trainer(epochs=1), SCORES_ONLY, folder="run")
    values = np.zeros(30, dtype=np.float32)
    values[17] = np.inf
    with uproot.recreate("a.root") as file:
        tree = file.mktree("t", {"x0": np.float32})
        for start in range(0, 30, 10):
            tree.extend({"x0": values[start : start + 10]})
    with pytest.raises(ValueError, match=r"a\.root, tree 't', entry 17: feature 'x0' is inf.*with selection="):
        predict("run", Prediction(files="a.root", chunk=10))
    assert list(Path("run/predictions").rglob("*")) == []
    (outcome,) = predict("run", Prediction(files="a.root", selection="isfinite(x0)"))
    assert outcome.selected == 29


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"chunk": 0}, "chunk must be at least 1"),
        ({"workers": 0}, "workers must be at least 1"),
        (
            {"columns": ("count(Jet_pt)",)},
            r"not 'count\(Jet_pt\)'; give it one, as in columns={mine: \"count\(Jet_pt\)\"}",
        ),
        ({"branch": "p t"}, "branch must name branches with letters"),
        ({"friend": "a/b"}, "friend must name branches with letters"),
        ({"selection": "MET >"}, "MET >"),
        ({"columns": {"score": "MET"}}, "columns.score would be there twice"),
        ({"columns": {"hepclf": "MET"}, "output": "npz"}, "columns.hepclf would be there twice"),
        ({"device": "cuda:99"}, "device=cuda:99 is not there"),
        ({"files": "a.dat"}, r"file 'a.dat' is of no format that can be scored; there are: \.root"),
        ({"files": ()}, "files must name at least one"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(lab, score_files, settings, said):
    Path("a.dat").touch()
    files = settings.pop("files", str(lab.files[0]))
    with pytest.raises(ValueError, match=said):
        score_files(files, **settings)
    assert outputs() == []


def test_a_folder_that_cannot_be_written_to_says_so(lab, score_files):
    Path("file").touch()
    with pytest.raises(OSError, match=r"file/deep/f1\.root cannot be written: Not a directory; .* another out=DIR"):
        score_files(str(lab.files[0]), out="file/deep")


@pytest.mark.parametrize("output", ["friend", "copy", "parquet", "npz", "csv"])
def test_a_full_disk_leaves_what_was_finished_and_nothing_half_written(score_files, ntuple, output, tmp_path):
    ntuple("a.root", 0)
    ntuple("b.root", 1, events=60_000, pieces=6)
    small = tmp_path / "out"
    small.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", small], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    try:
        with pytest.raises(OSError, match=r"out/b\.\w+ cannot be written: No space left on device; what was finished"):
            score_files("?.root", output=output)
        assert {Path(path).name.partition(".")[0] for path in outputs()} == {"a"}
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_worker_that_dies_is_reported_by_its_file(lab, score_files, monkeypatch):
    send = Team.send

    def kill_first(team, line, task):
        if task.source.name.endswith("tt/f1.root"):
            team.processes[line].kill()
            team.processes[line].join()
        send(team, line, task)

    monkeypatch.setattr(Team, "send", kill_first)
    with pytest.raises(OSError, match=r"the worker that scored .*tt/f1\.root died \(killed, .* with fewer workers"):
        score_files(workers=2)


def test_an_error_of_a_worker_is_the_one_there_would_be_without(score_files):
    for name in "ab":
        with uproot.recreate(f"{name}.root") as file:
            file.mktree("Events", {"MET": np.float32, "Jet_pt": "var * float32"}).extend(
                {"MET": np.full(2, np.inf, np.float32), "Jet_pt": ak.Array([[1.0], [2.0]])}
            )
    with pytest.raises(ValueError, match=r"\w\.root, tree 'Events', entry 0: feature 'met' is inf"):
        score_files("?.root", workers=2)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DeviceMemoryError("line"), Failure(MemoryError, "line")),
        (torch.OutOfMemoryError("CUDA out of memory"), Failure(RuntimeError, "OutOfMemoryError: CUDA out of memory")),
        (MemoryError("Unable to allocate"), Failure(MemoryError, "Unable to allocate")),
        (
            UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
            Failure(ValueError, "'utf-8' codec can't decode byte 0x78 in position 0: bad"),
        ),
        (IsADirectoryError("folder"), Failure(OSError, "folder")),
        (KeyError("x"), Failure(RuntimeError, "KeyError: 'x'")),
    ],
)
def test_an_error_of_a_worker_keeps_what_decides_its_explanation(error, expected):
    assert failure(error) == expected
