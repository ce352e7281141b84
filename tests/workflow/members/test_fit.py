"""The members of folds are those that trainings one by one give, in one process or in several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hepclf import BDT, Evaluation, KFold, Logistic, Mixture, PlainMLP, Trainer, load_tagger, train
from hepclf.training.epoch import Quiet
from hepclf.workflow.fit import fit
from hepclf.workflow.history import read_histories
from hepclf.workflow.job import Job
from hepclf.workflow.members import fit as members
from hepclf.workflow.members.fit import fit_folds, trains_side_by_side
from hepclf.workflow.prepare import Prepared, prepare

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))
FOLDS = KFold(count=3, by="event")


@pytest.fixture(scope="module")
def events():
    made = Mixture(events=900).load()
    weights = np.random.default_rng(2).uniform(0.5, 2, 900)
    return replace(made, weights=weights, spectators={**made.spectators, "event": np.arange(900) // 2 + 2**55})


def one_by_one(events, model, trainer):
    """Each member of the folds trained as a training of its own."""
    sets = FOLDS.sets(events)
    for member in range(FOLDS.count):
        job = Job.of(events, model, replace(trainer, seed=trainer.seed + member))
        yield fit(Prepared(events=events, split=sets.split(member)), job)


def losses(history):
    return [epoch[:4] for epoch in history]


@pytest.mark.parametrize("model", [PlainMLP(hidden=(5,)), BDT(iterations=5)], ids=["mlp_plain", "bdt"])
def test_members_are_those_of_trainings_one_by_one(events, model):
    trainer = Trainer(epochs=3, threads=1, seed=4, calibrate="isotonic")
    job = Job.of(events, model, trainer, folds=FOLDS)
    fitted = fit_folds(prepare(job), job, Quiet())
    for member, alone in zip(fitted.members, one_by_one(events, model, trainer), strict=True):
        assert losses(member.history) == losses(alone.history)
        np.testing.assert_array_equal(member.tagger.scores(events), alone.tagger.scores(events))
        np.testing.assert_array_equal(member.valid_weights, alone.valid_weights)
    assert len({member.tagger.scores(events)[0] for member in fitted.members}) == 3, "each is a training of its own"


def test_processes_side_by_side_give_the_same_bytes(events, tmp_path, monkeypatch):
    trainer, model = Trainer(epochs=2, threads=1), PlainMLP(hidden=(5,))
    train(events, model, trainer, SCORES_ONLY, tmp_path / "one", folds=FOLDS)
    started = []
    team = members.MemberProcesses
    monkeypatch.setattr(members, "MemberProcesses", lambda *words: started.append(words[1]) or team(*words))
    trained = train(events, model, replace(trainer, threads=2), SCORES_ONLY, tmp_path / "two", folds=FOLDS)
    assert started == [2]
    assert not (tmp_path / "two" / "checkpoint").exists()
    for name in ("metrics.json", *(f"tagger/{path}" for path in ("tagger.json", *taggers(tmp_path / "one")))):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    assert losses(trained.history) == [row for part in histories(tmp_path / "one") for row in part]


def taggers(folder):
    return [str(path.relative_to(folder / "tagger")) for path in sorted((folder / "tagger").glob("member_*/*"))]


def histories(folder):
    return [losses(history) for history in read_histories(folder / "history.csv").values()]


def test_a_run_in_folds_is_one_tagger_with_a_history_for_each_member(events, tmp_path):
    trained = train(events, Logistic(), Trainer(epochs=2, threads=1), SCORES_ONLY, tmp_path / "run", folds=FOLDS)
    assert [len(part) for part in histories(tmp_path / "run")] == [2, 2, 2]
    loaded = load_tagger(tmp_path / "run" / "tagger")
    np.testing.assert_array_equal(loaded.scores(events), trained.tagger.scores(events))
    assert loaded.keys == ("event",)
    assert loaded.summary["members"] == 3
    assert loaded.summary["folds"] == {"count": 3, "by": ["event"], "valid": 0.15, "seed": 0}


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_member_that_fails_ends_the_training_with_its_error(events, threads):
    model = PlainMLP(hidden=(5,))
    trainer = Trainer(epochs=2, threads=threads, learning_rate=1e30, optimiser="sgd")
    with pytest.raises(ValueError, match=r"diverged|not finite|infinite|nan"):
        train(events, model, trainer, SCORES_ONLY, folds=FOLDS)


class Own(PlainMLP):
    """A model that another process cannot import by its name."""


def test_a_model_that_no_other_process_can_import_is_trained_in_this_one(events, monkeypatch, caplog):
    assert trains_side_by_side(Job.of(events, PlainMLP(), folds=FOLDS))
    assert not caplog.messages
    monkeypatch.setattr(Own, "__module__", "__main__")
    assert not trains_side_by_side(Job.of(events, Own(), folds=FOLDS))
    says = "folds: the trainings run one after another, as other processes cannot import Own; put it into a module"
    assert caplog.messages == [says]
