"""The command lines that a submitted command becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hepclf.cli.tasks import tasks_of
from hepclf.recipe import RecipeError

QUICK = ["data.signals=200", "data.noise=600", "trainer.epochs=1", "model=logistic", "evaluation.plots=false"]


def test_a_training_has_its_folder_before_it_begins():
    tasks = tasks_of("train", ["model=logistic", "seed=3"], 1, dry=False)
    assert tasks.target.parent == Path("runs/gw-logistic")
    assert tasks.lines == (("train", "model=logistic", "seed=3", f"folder={tasks.target.resolve()}", "resume=auto"),)
    assert tasks.closing == ()


def test_of_a_sweep_only_what_has_not_finished_is_submitted(hepclf):
    sweep = [*QUICK, "seed=0,1,2", "folder=sweep", "resume=auto"]
    assert len(tasks_of("train", ["-m", *sweep], 1, dry=False).lines) == 3
    folder = Path("sweep").resolve()
    assert hepclf("train", *QUICK, "evaluation.report=false", "seed=1", f"folder={folder}/001", "resume=auto")[0] == 0
    tasks = tasks_of("train", ["-m", *sweep], 1, dry=False)
    assert [line[-2] for line in tasks.lines] == [f"folder={folder}/000", f"folder={folder}/002"]
    assert tasks.closing == ("train", f"resume={folder}", "jobs=0")


def test_no_jobs_write_the_table_and_train_nothing(hepclf):
    sweep = [*QUICK, "seed=0,1", "folder=sweep", "jobs=0"]
    code, out, _ = hepclf("train", "-m", *sweep)
    assert code == 1  # two jobs lack their results
    assert not Path("sweep/000").exists()
    assert "sweep  sweep" in out


def test_a_prediction_becomes_shards_and_workers_have_numbers():
    lines = tasks_of("predict", ["run=runs/latest", "files=a.root"], 2, dry=False).lines
    assert [line[-1] for line in lines] == ["shard=1/2", "shard=2/2"]
    Path("study").mkdir()
    tasks = tasks_of("tune", ["worker", "study"], 2, dry=False)
    assert tasks.lines == (("tune", "worker", "study", "number=0"), ("tune", "worker", "study", "number=1"))
    assert tasks.target == Path("study")


def test_a_search_becomes_workers_and_an_end():
    words = [*QUICK, "trainer.learning_rate=interval(0.001,0.1)", "folder=study"]
    tasks = tasks_of("tune", words, 2, dry=True)
    folder = str(Path("study").resolve())
    assert tasks.lines[1] == ("tune", "worker", folder, "number=1")
    assert tasks.closing == ("tune", "resume", folder, "tune.workers=1")
    assert not Path("study").exists()


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [
        ("evaluate", ["run=runs/latest"], "cluster.tasks must be 1, not 2; only train resume=SWEEP, tune and predict"),
        ("predict", ["run=a", "files=b", "shard=1/3"], "shard and cluster.tasks exclude each other"),
    ],
)
def test_what_cannot_be_shared_is_refused(command, words, message):
    with pytest.raises(RecipeError, match=message):
        tasks_of(command, words, 2, dry=False)
