"""What a study's folder says, and what is left at its end."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from hepclf.files import read_yaml
from hepclf.run import Run
from hepclf.search.finish import configuration, ending, finish, put_aside, write_table
from hepclf.search.history import study_history
from hepclf.search.trial import Trial
from hepclf.training.epoch import Quiet
from hepclf.workflow.history import read_history
from hepclf.workflow.stop import Stop


def fill(study, rows):
    """Give each trial the objectives of a row, one after another."""
    for number, objectives in enumerate(rows):
        study.trial(number).mkdir()
        kind = {"state": "failed", "error": "ValueError: no"} if objectives is None else {"state": "complete"}
        repeats = () if objectives is None else (objectives,) * 2
        Trial(
            number=number,
            values={"learning_rate": 0.1},
            repeats=repeats,
            errors=((0.1,) * len(objectives or ()),) * len(repeats),
            objectives=objectives or (),
            is_default=number == 1,
            **kind,
        ).write(study.trial(number))


@pytest.mark.parametrize(("objective", "best"), [("log_loss", 3), ("auc", 2)])
def test_the_best_is_the_least_loss_or_the_largest_area_and_the_earliest_of_equal_ones(make_study, objective, best):
    study = make_study(objective=objective)
    fill(study, [(0.5,), (0.6,), (0.7,), (0.4,), (0.7,), None])
    history = study_history(study)
    assert (history.best, history.default, history.front) == (best, 1, (best,))
    assert len(history.complete) == 5


def test_the_front_holds_what_no_trial_beats_in_both_objectives(make_study):
    study = make_study(objective=["auc", "log_loss"])
    fill(study, [(0.8, 0.5), (0.9, 0.6), (0.7, 0.4), (0.7, 0.5), (0.6, 0.4), (0.9, 0.7)])
    history = study_history(study)
    assert history.front == (1, 0, 2)
    assert history.best is None
    assert history.optimism is None


def test_a_study_without_a_result_has_a_history(make_study):
    history = study_history(make_study())
    assert (history.trials, history.best, history.front, history.optimism) == ((), None, (), None)


def test_repeats_on_the_same_events_have_the_statistical_error_too(make_study):
    study = make_study(repeat_by="seed")
    fill(study, [(0.5,), (0.6,), (0.7,), (0.4,)])
    assert study_history(study).optimism.error == pytest.approx(0.1 / np.sqrt(2))  # `drawn` says split
    for trial in study.trials():
        Trial(**vars(trial) | {"drawn": "seed"}).write(study.trial(trial.number))
    assert study_history(study).optimism.error == pytest.approx(0.1)


def test_the_curves_are_the_validation_losses_of_the_first_repeats(finished):
    history = study_history(finished)
    for trial in history.trials:
        epochs = read_history(finished.run(trial.number, 0).history)
        assert history.curves[trial.number] == tuple((epoch.epoch, epoch.valid_loss) for epoch in epochs)
        assert len(epochs) == (4 if trial.state == "pruned" else 8)
        assert trial.last in (None, epochs[-1].valid_loss)


def test_the_table_has_a_row_for_each_trial(finished, tmp_path):
    history = study_history(finished)
    write_table(history, tmp_path / "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    for row, trial in zip(rows, history.trials, strict=True):
        assert (int(row["trial"]), row["state"]) == (trial.number, trial.state)
        assert row["log_loss"] == (str(trial.objectives[0]) if trial.objectives else "")
        assert [row["repeat_0"], row["repeat_1"]] == ([str(value) for (value,) in trial.repeats] or ["", ""])
        assert row["learning_rate"] == str(trial.values.get("learning_rate", ""))


def test_of_workers_that_are_done_at_once_one_ends_the_study(finished):
    with ending(finished) as first:
        with ending(finished) as second:
            assert (first, second) == (True, False)
        with ending(finished) as third:
            assert not third
    with ending(finished) as fourth:
        assert fourth


def test_a_study_with_a_better_trial_trains_anew_and_keeps_the_earlier_training(finished, job_of):
    history = finish(finished, job_of, Quiet(), Stop())
    best = finished.final
    assert best.status().name == "finished"
    assert read_yaml(finished.best) == read_yaml(best.config)
    assert finished.best.read_text() == configuration(
        job_of(finished.space.settings(history.trial(history.best).values)), history.trial(history.best), history
    )
    put_aside(best, job_of(finished.space.settings(history.trial(history.best).values)))
    assert best.folder.is_dir()
    put_aside(best, job_of({"trainer.learning_rate": 0.5}))
    assert not best.folder.is_dir()
    assert Run(best.folder.with_name("best_1")).status().name == "finished"


def test_two_objectives_leave_the_configurations_of_their_front_and_no_other(make_study, job_of):
    study = make_study(objective=["auc", "log_loss"])
    fill(study, [(0.8, 0.5), (0.9, 0.6), (0.7, 0.7)])
    history = finish(study, job_of, Quiet(), Stop())
    assert {path.name for path in study.front.iterdir()} == {"0000.yaml", "0001.yaml"}
    job = job_of(study.space.settings({"learning_rate": 0.1}))
    assert study.front_file(1).read_text() == configuration(job, history.trial(1), history)
    study.trial(3).mkdir()
    Trial(number=3, values={}, state="complete", objectives=(0.95, 0.55)).write(study.trial(3))
    finish(study, job_of, Quiet(), Stop())
    assert {path.name for path in study.front.iterdir()} == {"0000.yaml", "0003.yaml"}
    assert not study.best.exists()
