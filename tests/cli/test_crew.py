"""The crew of a search: what it does with workers that are killed, that leave, and that are to stop."""

from __future__ import annotations

import subprocess
import threading

import pytest

from hepclf.cli.crew import RESTARTS, Crew
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
def crew(study):
    """A function making a crew whose workers run a line of the shell; it notes the numbers that it starts."""

    def make(line, stop=None, on_trial=id):
        class Shells(Crew):
            numbers: list[int] = []  # noqa: RUF012

            def _started(self, number):
                self.numbers.append(number)
                return subprocess.Popen(["sh", "-c", line], stdin=subprocess.PIPE, start_new_session=True)

        return Shells(study, stop or Stop(), on_trial)

    return make


def test_workers_that_are_killed_are_started_again_a_few_times(crew):
    workers = crew("kill -9 $$")
    with pytest.raises(ValueError, match=r"the workers have ended, however 0 of 2 trials have a result; continue with"):
        workers.work()
    assert len(workers.numbers) == 2 + RESTARTS
    assert set(workers.numbers) == {0, 1}


def test_workers_that_fail_are_not_started_again(crew):
    workers = crew("exit 1")
    with pytest.raises(ValueError, match="the workers have ended"):
        workers.work()
    assert workers.numbers == [0, 1]


def test_a_worker_that_leaves_with_a_checkpoint_stops_the_search(crew):
    with pytest.raises(Stopped, match=r"stopped by trainer.exit_after_s; continue with: hepclf tune resume"):
        crew("exit 85").work()


def test_a_stop_ends_the_input_of_the_workers_and_waits_for_them(crew):
    stop = Stop()
    threading.Timer(0.5, stop.ask, ("SIGTERM",)).start()
    with pytest.raises(Stopped, match="stopped by SIGTERM"):
        crew("cat; exit 85", stop).work()


def test_results_are_told_once_and_complete_the_search(study, crew):
    numbers = []
    study.trial(0).mkdir()
    Trial(number=0, state="complete", objectives=(0.1,)).write(study.trial(0))
    workers = crew("sleep 0.5", on_trial=lambda trial: numbers.append(trial.number))
    study.trial(1).mkdir()
    Trial(number=1, state="failed", error="ValueError: no").write(study.trial(1))
    workers.work()
    assert numbers == [1]
