"""The workers of a search: its results are told once, and how it ends is what its trials say."""

from __future__ import annotations

import threading

import pytest

from hepclf.cli import tune_workers
from hepclf.cli.tune_workers import search_in_processes
from hepclf.run import Stopped
from hepclf.search.folder import StudyFolder
from hepclf.search.space import Choice, Space
from hepclf.search.trial import Trial
from hepclf.search.tuning import Tuning
from hepclf.workflow.stop import Stop


@pytest.fixture
def study(tmp_path):
    space = Space((Choice(name="model.l2", options=(0, 1)),))
    tuning = Tuning(trials=2, workers=2)
    return StudyFolder.create(tmp_path / "study", words=(), tuning=tuning, space=space, seed=0, defaults={})


@pytest.fixture
def search(study, monkeypatch):
    """A function searching with workers that run a line of the shell; it returns the numbers that were told."""

    def run(line, stop=None):
        numbers = []
        monkeypatch.setattr(tune_workers, "worker_command", lambda *_: ["sh", "-c", line])
        search_in_processes(study, stop or Stop(), lambda trial: numbers.append(trial.number))
        return numbers

    return run


def ended(study, number, state="complete"):
    study.trial(number).mkdir()
    Trial(number=number, state=state, objectives=(0.1,)).write(study.trial(number))


def test_trials_without_a_result_are_an_error_that_says_how_to_go_on(search):
    with pytest.raises(ValueError, match=r"the workers have ended with a result for 0 of 2 trials; continue with"):
        search("exit 1")


def test_a_worker_that_leaves_with_a_checkpoint_stops_the_search(search):
    with pytest.raises(
        Stopped, match=r"stopped, by a signal or by trainer.exit_after_s; continue with: hepclf tune re"
    ):
        search("exit 85")


def test_a_stop_says_how_to_go_on(search):
    stop = Stop()
    threading.Timer(0.3, stop.ask, ("SIGTERM",)).start()
    with pytest.raises(Stopped, match="stopped by SIGTERM; continue with: hepclf tune resume"):
        search("cat; exit 85", stop)


@pytest.mark.parametrize("code", [0, 85])
def test_results_are_told_once_and_complete_the_search_whatever_becomes_of_its_workers(study, search, code):
    ended(study, 0)
    (study.path / "later").mkdir()
    Trial(number=1, state="failed", error="ValueError: no").write(study.path / "later")
    assert search(f"mv {study.path}/later {study.trial(1)} 2>/dev/null; sleep 0.5; exit {code}") == [1]
