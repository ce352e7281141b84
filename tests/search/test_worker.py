"""Workers that are stopped, killed and added: every trial gets one result, and none two."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from hepclf import Events
from hepclf.data.memory import Memory
from hepclf.files import read_yaml, write_json
from hepclf.lock import acquire
from hepclf.recipe import recipe
from hepclf.run import Stopped
from hepclf.search import trial as trial_module
from hepclf.search.attempt import claimed
from hepclf.search.history import study_history
from hepclf.search.journal import Journal
from hepclf.search.ledger import Ledger
from hepclf.search.sampling import sampler_seed
from hepclf.search.space import Choice, Integer, Space
from hepclf.search.trial import Trial
from hepclf.search.worker import work
from hepclf.training.epoch import Quiet
from hepclf.workflow.stop import Stop

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class KilledInEpoch(Quiet):
    """Ends the process inside the second training that it hears of."""

    def __init__(self):
        self.trainings = 0

    def stage(self, name):
        self.trainings += name == "training"

    def epoch(self, epoch, total, events):  # noqa: ARG002
        if self.trainings == 2 and epoch.epoch == 3:
            kill()


def half_written(journal, descriptor_of=Journal._opened, lines=[0]):  # noqa: B006
    """Ends the process where half of its twelfth line is written."""
    lines[0] += 1
    descriptor = descriptor_of(journal)
    if lines[0] == 12:
        os.write(descriptor, b'{"op_code": 6, "wor')
        kill()
    return descriptor


def half_recorded(path, contents, **kinds):
    """Ends the process where the second result of a trial is written beside its place."""
    if contents["state"] == "complete" and contents["number"] > 0:
        path.with_name(f".{path.name}.part").write_text("{")
        kill()
    write_json(path, contents, **kinds)


@recipe
class Broken:
    """A model that cannot be fitted."""

    def fit(self, train, valid, trainer):  # noqa: ARG002
        raise ValueError("no gradient")


def worker(study, job_of, number, moment):
    """What a process does that is to be killed at a moment; None: it is not."""
    progress, on_trial = Quiet(), None
    if moment == "epoch":
        progress = KilledInEpoch()
    elif moment == "line":
        Journal._opened = half_written
    elif moment == "record":
        trial_module.write_json = half_recorded
    elif moment == "between":
        on_trial = lambda _: kill()  # noqa: E731
    work(study, job_of, number=number, progress=progress, on_trial=on_trial)


def started(*arguments):
    process = multiprocessing.get_context("fork").Process(target=worker, args=arguments)
    process.start()
    return process


def check(study, trials):
    """Each trial has one result, in its folder and in the journal."""
    made = study.trials()
    assert [trial.number for trial in made] == list(range(trials))
    assert {trial.state for trial in made} <= {"complete", "pruned"}
    rows = [row for row in Ledger(study, 0)._rows() if row.state.name != "FAIL"]
    assert sorted(row.user_attrs["folder"] for row in rows) == [f"{number:04d}" for number in range(trials)]
    assert {row.user_attrs["folder"]: row.values for row in rows} == {
        f"{trial.number:04d}": list(trial.objectives or (trial.last,)) for trial in made
    }


@pytest.mark.parametrize(
    ("trials", "moments"),
    [
        (12, ("epoch", "line", "between")),
        pytest.param(60, ("epoch", "line", "record", "between"), marks=pytest.mark.slow),
    ],
)
def test_a_worker_that_is_killed_again_and_again_costs_no_trial(make_study, job_of, trials, moments):
    study = make_study(trials=trials, pruning="median")
    steady = started(study, job_of, 0, None)
    for moment in moments:
        process = started(study, job_of, 1, moment)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, moment
    steady.join(120)
    assert steady.exitcode == 0
    check(study, trials)
    history = study_history(study)
    study.journal.unlink()
    check(study, trials)
    assert study_history(study) == history


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_two_workers_that_start_together_make_no_trial_twice(make_study, job_of, sampler):
    study = make_study(trials=14, repeats=1, sampler=sampler)
    processes = [started(study, job_of, 0, None) for _ in range(2)]  # of one number even
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    rates = [trial.values["learning_rate"] for trial in study.trials()[1:]]
    assert len(set(rates)) == len(rates) == 13


def test_two_studies_with_one_seed_and_one_worker_have_the_same_trials(make_study, job_of):
    studies = [make_study(name, trials=14, pruning="median", repeats=1) for name in ("first", "second")]
    for study in studies:
        work(study, job_of)
    rows = [[(trial.values, trial.state, trial.objectives) for trial in study.trials()] for study in studies]
    assert rows[0] == rows[1]
    rates = [trial.values["learning_rate"] for trial in studies[0].trials()[1:]]
    assert len(set(rates)) == len(rates)
    assert len({sampler_seed(0, 5, 0), sampler_seed(0, 5, 1), sampler_seed(0, 6, 0), sampler_seed(1, 5, 0)}) == 4
    other = make_study("other", seed=1, trials=3, repeats=1)
    work(other, job_of)
    assert other.trials()[2].values != studies[0].trials()[2].values


@pytest.mark.parametrize("loses_journal", [False, True])
def test_a_study_that_is_stopped_goes_on_as_if_it_were_not(make_study, job_of, loses_journal):
    study, undisturbed = (make_study(name, trials=8, pruning="halving") for name in ("stopped", "undisturbed"))
    work(undisturbed, job_of)
    stop = Stop()
    with pytest.raises(Stopped, match=r"stopped by SIGTERM; continue with: hepclf tune resume .*stopped"):
        work(study, job_of, stop=stop, on_trial=lambda trial: trial.number == 4 and stop.ask("SIGTERM"))
    assert len(study.trials()) == 5
    if loses_journal:
        study.journal.unlink()
    work(study, job_of)
    assert {trial.state for trial in study.trials()} == {"complete", "pruned"}
    rows = [[(row.values, row.state, row.objectives) for row in trials.trials()] for trials in (study, undisturbed)]
    assert rows[0] == rows[1]


def test_a_trial_that_is_stopped_inside_its_training_continues_from_its_checkpoint(make_study, job_of):
    class Stopping(Quiet):
        def epoch(self, epoch, total, events):  # noqa: ARG002
            if epoch.epoch == 3 and events is not None:
                stop.ask("SIGUSR1")

    class Counting(Quiet):
        def epoch(self, epoch, total, events):  # noqa: ARG002
            epochs.append((epoch.epoch, events is None))

    study, whole, stop, epochs = make_study("stopped", trials=1), make_study("whole", trials=1), Stop(), []
    work(whole, job_of)
    with pytest.raises(Stopped, match="stopped by SIGUSR1 after 3 epochs, in trial 0; continue with: hepclf tune"):
        work(study, job_of, stop=stop, progress=Stopping())
    assert Trial.read(study.trial(0)).state == "running"
    work(study, job_of, progress=Counting())
    assert epochs[:4] == [(1, True), (2, True), (3, True), (4, False)]
    assert study.trials()[0].objectives == whole.trials()[0].objectives


def test_the_first_trial_has_the_defaults_and_says_so(make_study, job_of):
    study = make_study(trials=2)
    work(study, job_of)
    first, second = study.trials()
    assert (first.values, first.is_default) == ({"scaling": "standard"}, True)
    assert set(second.values) == {"learning_rate", "scaling"}
    assert not second.is_default


def test_a_record_that_cannot_be_read_is_told_and_its_trial_made_again(make_study, job_of, caplog):
    study = make_study(trials=2)
    work(study, job_of)
    before = study.trials()
    (study.trial(1) / "trial.json").write_text("{")
    work(study, job_of)
    assert "trial.json cannot be read; trial 1 is made again" in caplog.text
    assert [trial.number for trial in study.trials()] == [trial.number for trial in before]


def test_a_trial_that_is_made_again_with_other_values_takes_no_result_of_its_first_values(finished, job_of):
    before = next(trial for trial in finished.trials() if trial.state == "complete" and not trial.is_default)
    (finished.trial(before.number) / "trial.json").write_text("{")
    work(finished, job_of)
    after = next(trial for trial in finished.trials() if trial.number == before.number)
    assert after.values != before.values, "else nothing is tested"
    stored = read_yaml(finished.run(after.number, 0).config)
    assert stored["trainer"]["learning_rate"] == after.values["learning_rate"]


def test_a_trial_that_cannot_be_trained_is_final_and_the_study_goes_on(make_study, job_of):
    def sometimes(settings):
        if settings["model.preprocess.scaling"] == "robust":
            raise ValueError("no such\nscaling")
        return job_of(settings)

    study = make_study(trials=10, repeats=1)
    work(study, sometimes)
    failed = [trial for trial in study.trials() if trial.state == "failed"]
    assert {trial.values["scaling"] for trial in failed} == {"robust"}
    assert {trial.error for trial in failed} == {"ValueError: no such scaling"}
    assert study_history(study).best not in {trial.number for trial in failed}


def test_a_study_whose_trials_all_fail_ends_early(make_study, job_of):
    def broken(settings):
        return replace(job_of(settings), model=Broken())

    study = make_study(trials=50)
    with pytest.raises(ValueError, match="the first 5 trials failed, the last one with ValueError: no gradient"):
        work(study, broken)
    assert len(study.trials()) == 5


def test_data_that_cannot_be_read_are_no_failure_of_a_trial(make_study, job_of):
    empty = Memory(events=Events(features=np.zeros((0, 1)), names=("x",)))
    study = make_study(trials=50)
    with pytest.raises(ValueError, match="the data holds no events"):
        work(study, lambda settings: replace(job_of(settings), data=empty))
    assert study.trials() == ()


def test_an_error_of_the_disk_is_no_result(make_study, job_of):
    def broken(settings):
        raise OSError("the server does not answer")

    study = make_study(trials=1)
    with pytest.raises(OSError, match="does not answer"):
        work(study, broken)
    work(study, job_of)
    assert [trial.state for trial in study.trials()] == ["complete"]


def test_a_folder_that_another_process_holds_is_passed_over(make_study):
    study = make_study(trials=2)
    study.trial(0).mkdir()
    lock = acquire(study.trial(0))
    number, own = claimed(study, set())
    assert number == 1
    assert claimed(study, set()) is None
    lock.release()
    own.release()
    assert claimed(study, set())[0] == 0


def test_where_no_feature_informs_nothing_is_claimed(make_study, job_of):
    rng = np.random.default_rng(0)
    noise = Events(features=rng.normal(size=(600, 3)), labels=np.arange(600) % 2, names=("x", "y", "z"))
    study = make_study(trials=6, repeats=3, objective="auc", repeat_by="split")
    work(study, lambda settings: replace(job_of(settings), data=Memory(events=noise, check=False)))
    judged = study_history(study).optimism
    assert not judged.improves
    assert judged.best == pytest.approx(0.5, abs=3 * judged.error)


def test_a_grid_makes_each_of_its_points(make_study, job_of):
    space = Space(
        (
            Choice(name="scaling", key="model.preprocess.scaling", options=("standard", "robust")),
            Integer(name="batch", key="trainer.batch", low=64, high=256, step=96),
        )
    )
    study = make_study(space=space, trials=6, sampler="grid", repeats=1)
    work(study, job_of)
    assert [tuple(trial.values.values()) for trial in study.trials()] == [
        (scaling, batch) for scaling in ("standard", "robust") for batch in (64, 160, 256)
    ]
