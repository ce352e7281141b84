"""The folder of a sweep: all but its list of jobs is told by the folders of the jobs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.models.logistic import Logistic
from hepclf.run import Run
from hepclf.statistics.value import NOTHING, Value
from hepclf.training.trainer import Trainer
from hepclf.workflow.sweep import Sweep, SweepJob, newest
from hepclf.workflow.sweep_row import Row, choices
from hepclf.workflow.train import train

QUICK = Evaluation(plots=False, report=False, bands=None, importance=None, effective_cuts=None)


def jobs(*varied):
    return tuple(
        SweepJob(number, tuple(f"++{key}={value}" for key, value in values.items()), values)
        for number, values in enumerate(varied)
    )


@pytest.fixture
def sweep():
    """A sweep of four jobs: the first is trained, the second has failed."""
    made = Sweep(
        folder=Path("sweep"), jobs=jobs(*({"seed": str(seed)} for seed in range(4))), command=("seed=0,1,2,3",)
    )
    made.create("seed: 0\n")
    train(Mixture(events=600), Logistic(), Trainer(epochs=1), QUICK, made.run(made.jobs[0]).folder)
    made.record_failure(made.jobs[1], "no events")
    return made


def test_a_stored_sweep_is_what_was_stored(sweep):
    assert Sweep.open("sweep") == sweep
    assert Path("sweep/multirun.yaml").read_text() == "seed: 0\n"
    table = json.loads(Path("sweep/sweep.json").read_text())
    assert (table["schema"], table["command"], table["by"]) == (1, ["seed=0,1,2,3"], "log_loss")
    assert [row["status"] for row in table["jobs"]] == ["waiting"] * 4
    assert table["jobs"][2]["folder"] == "002"


def test_what_became_of_the_jobs_is_told_by_their_folders_alone(sweep):
    sweep.write(sweep.rows())
    before = Path("sweep/sweep.json").read_bytes()
    Path("sweep/sweep.csv").unlink()
    sweep.write([])
    reopened = Sweep.open("sweep")
    reopened.write(reopened.rows())
    assert Path("sweep/sweep.json").read_bytes() == before
    metrics = json.loads(Path("sweep/000/metrics.json").read_text())
    first, second, *_ = json.loads(before)["jobs"]
    assert first["valid"]["auc"] == metrics["valid"]["auc"]
    assert first["valid"]["log_loss"] == metrics["valid"]["log_loss_as_trained"]
    assert (second["status"], second["error"]) == ("failed", "no events")
    with Path("sweep/sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[0]["test_auc"]) == metrics["test"]["auc"]["value"]
    assert (rows[1]["test_auc"], rows[1]["error"]) == ("", "no events")


def test_jobs_that_are_finished_failed_or_in_use_are_not_open(sweep):
    assert [job.number for job in sweep.open_jobs()] == [2, 3]
    with Run.create(sweep.run(sweep.jobs[2]).folder).recorded():
        assert [job.number for job in sweep.open_jobs()] == [3]
        assert sweep.row(sweep.jobs[2]).status == "running"
    sweep.forget_failures()
    assert [job.number for job in sweep.open_jobs()] == [1, 3]


def test_the_error_of_an_earlier_attempt_does_not_count_for_a_job_that_is_trained_or_has_finished(sweep):
    sweep.record_failure(sweep.jobs[0], "an earlier error")
    with Run.create(sweep.run(sweep.jobs[1]).folder).recorded():
        assert [(row.status, row.error) for row in sweep.rows()[:2]] == [("finished", None), ("running", None)]


def test_the_job_of_a_process_that_was_killed_is_open_again(sweep):
    folder = sweep.run(sweep.jobs[2]).folder
    folder.mkdir()
    (folder / "environment.json").write_text('{"status": "running"}')
    assert sweep.row(sweep.jobs[2]).status == "lost"
    assert [job.number for job in sweep.open_jobs()] == [2, 3]


def test_jobs_with_the_same_data_follow_each_other_and_of_them_those_with_the_same_split():
    varied = [
        {"model": model, "data.noise": noise, "data.split.fold": fold}
        for model in "ab"
        for noise in ("900", "100")
        for fold in "01"
    ]
    made = Sweep(folder=Path("sweep"), jobs=jobs(*varied))
    order = [tuple(job.varied.values()) for job in made.open_jobs()]
    assert order == [(model, noise, fold) for noise in ("900", "100") for fold in "01" for model in "ab"]


@pytest.mark.parametrize(("count", "name"), [(1, "000"), (1000, "000"), (1001, "0000")])
def test_the_folders_of_runs_sort_by_number(count, name):
    made = Sweep(folder=Path("sweep"), jobs=jobs(*({"seed": str(seed)} for seed in range(count))))
    assert made.run(made.jobs[0]).folder == Path("sweep") / name


@pytest.mark.parametrize(
    "text", ["", "[]", '{"jobs": []}', '{"jobs": [{"number": 3, "overrides": [], "varied": {}}]}', "[" * 100_000]
)
def test_a_damaged_table_is_told_with_the_way_out(sweep, text):
    Path("sweep/sweep.json").write_text(text)
    with pytest.raises(ValueError, match=r"give the command of the sweep and resume=auto$"):
        Sweep.open("sweep")


def test_a_table_with_another_order_of_jobs_or_way_to_choose_is_refused(sweep):
    table = json.loads(Path("sweep/sweep.json").read_text())
    for change in ({"by": "test_auc"}, {"jobs": table["jobs"][::-1]}):
        Path("sweep/sweep.json").write_text(json.dumps(table | change))
        with pytest.raises(ValueError, match="was changed"):
            Sweep.open("sweep")


def test_what_is_no_sweep_is_said_to_be_none():
    with pytest.raises(FileNotFoundError, match=r"^nowhere is not a sweep of hepclf: it holds no sweep\.json$"):
        Sweep.open("nowhere")


def test_a_sweep_takes_no_folder_that_holds_other_things(sweep):
    sweep.folder.joinpath("sweep.json").unlink()
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        sweep.create("")


def test_the_newest_sweep_with_the_same_jobs_is_continued():
    seeds, models = jobs({"seed": "1"}), jobs({"model": "a"})
    for name, listed, folders in (("1", seeds, ()), ("2", seeds, ()), ("3", models, ()), ("4", seeds, ("lab",))):
        Sweep(folder=Path("sweeps", name), jobs=listed, config_dirs=folders).create("")
    Path("sweeps/5").mkdir()
    Path("sweeps/5/sweep.json").write_text("torn")
    assert newest(Path("sweeps"), seeds, ()).folder == Path("sweeps/2")
    assert newest(Path("sweeps"), seeds, ("lab",)).folder == Path("sweeps/4")
    assert newest(Path("sweeps"), jobs({"seed": "2"}), ()) is None


def row(named, loss, auc, status="finished"):
    values = [Value(number, 0.01) if number is not None else NOTHING for number in (loss, auc)]
    return Row(0, dict(word.split("=") for word in named.split()), Path("x"), status, *values)


def names(rows, by):
    return [choice.name for choice in choices(rows, by)]


def test_choices_are_ranked_by_the_mean_over_their_repeats():
    rows = [row("model=a seed=0", 0.1, 0.9), row("model=a seed=1", 0.5, 0.9), row("model=b seed=0", 0.2, 0.8)]
    assert names(rows, "log_loss") == ["model=b", "model=a"]
    assert names(rows, "auc") == ["model=a", "model=b"]


def test_equal_choices_are_ranked_by_the_other_number_and_one_without_a_number_is_last():
    rows = [row("model=none", None, None), row("model=a", 0.3, 0.8), row("model=b", 0.3, 0.9)]
    assert names(rows, "log_loss") == ["model=b", "model=a", "model=none"]
    assert names([*rows, row("model=lost", 0.1, 0.99, status="lost")], "auc") == ["model=b", "model=a", "model=none"]


def test_files_of_a_run_that_were_changed_count_as_a_failure(sweep):
    Path("sweep/000/metrics.json").write_text("{}")
    assert sweep.rows()[0].status == "failed"
    assert "were changed and cannot be read" in sweep.rows()[0].error
