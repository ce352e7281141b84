"""The objective of a trial: the validation numbers of a plain training, and blind to test events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hepclf import Events, Logistic, Mixture, Split, Trainer, train
from hepclf.data.memory import Memory
from hepclf.evaluation.evaluation import Evaluation
from hepclf.search.objective import objectives
from hepclf.search.repeats import TrialData, repeat_job, repeat_rule, without_test
from hepclf.search.tuning import Tuning
from hepclf.search.worker import work
from hepclf.statistics.counting.measures import MEASURES
from hepclf.statistics.losses import log_loss
from hepclf.training.epoch import Quiet
from hepclf.workflow.fit import fit
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare

NAMES = ("log_loss", "auc", "rejection")


def weighted(rng, events=3000):
    """Three processes in two classes, with weights, and a column to split by."""
    labels = np.arange(events) % 3 // 2
    return Events(
        features=rng.normal(size=(events, 2)) + labels[:, None],
        labels=labels,
        names=("x", "y"),
        processes=np.arange(events) % 3,
        process_names=("top", "jets", "higgs"),
        weights=rng.uniform(0.5, 1.5, events),
        spectators={"number": rng.integers(0, 10, events)},
    )


def job(events, evaluation, **split):
    trainer = Trainer(epochs=3, device="cpu")
    return Job.of(Memory(events=events, split=Split(**split)), Logistic(), trainer, evaluation)


@pytest.mark.parametrize("yields", [{}, {"higgs": 40.0, "top": 300.0, "jets": 20.0}])
def test_the_objectives_are_the_validation_numbers_of_a_plain_training(yields, without_studies):
    events = weighted(np.random.default_rng(0))
    evaluation = Evaluation(**without_studies, yields=yields, plots=False)
    plain = job(events, evaluation, by="column", column="number")
    valid = train(plain.data, plain.model, plain.trainer, plain.evaluation).results.valid
    prepared = without_test(prepare(plain))
    fitted = fit(prepared, plain)
    found = objectives(fitted, prepared, plain.evaluation, NAMES)
    assert found[0].value == pytest.approx(min(epoch.valid_loss for epoch in fitted.history), rel=1e-5)
    if yields:  # the mixture is then known without test events, so the numbers are the same
        assert found[1:] == (valid.auc, valid.working_points[0].rejection)
    else:  # the whole sample is then that of training and validation
        assert [value.value for value in found[1:]] == pytest.approx(
            [valid.auc.value, valid.working_points[0].rejection.value], rel=0.01
        )


def test_the_first_repeat_of_a_trial_is_the_plain_training(make_study, job_of):
    study = make_study(trials=1, objective=["auc", "log_loss"])
    work(study, job_of)
    plain = job_of({"model.preprocess.scaling": "standard"})
    valid = train(plain.data, plain.model, plain.trainer, plain.evaluation).results.valid
    prepared = prepare(plain)
    part, tagger = prepared.part("valid"), fit(prepared, plain).tagger
    loss = log_loss(part.labels, tagger.scores(part), plain.trainer.weights(part))
    trial = study.trials()[0]
    assert trial.repeats[0] == (valid.auc.value, loss.value)
    assert trial.errors[0] == (valid.auc.error, loss.error)
    assert trial.objectives == tuple(np.mean(trial.repeats, axis=0))


@pytest.mark.parametrize("objective", [*NAMES, "significance"])
def test_test_events_are_not_looked_at(make_study, objective):
    rng = np.random.default_rng(1)
    events = weighted(rng)
    is_test = Split(by="column", column="number").parts(events) == 2
    garbage = replace(
        events,
        features=np.where(is_test[:, None], rng.normal(50, 9, events.features.shape), events.features),
        labels=np.where(is_test, 1 - events.labels, events.labels),
        processes=np.where(is_test, 0, events.processes),
        weights=np.where(is_test, 7.0, events.weights),
    )
    trials = []
    for name, data in (("as they are", events), ("garbage", garbage)):
        study = make_study(name, trials=2, objective=objective)
        work(study, lambda _, data=data: job(data, Evaluation(plots=False), by="column", column="number"))
        trials.append([trial.repeats for trial in study.trials()])
    assert trials[0] == trials[1]
    assert all(np.isfinite(trials[0]).ravel())


def test_the_significance_is_that_of_the_best_cut_on_validation():
    events = weighted(np.random.default_rng(2))
    plain = job(events, Evaluation(plots=False, minimum_background=0.0, yields={"higgs": 50.0}))
    prepared = without_test(prepare(plain))
    fitted = fit(prepared, plain)
    valid = prepared.part("valid")
    scores, is_signal = fitted.tagger.scores(valid), valid.labels == 1
    sums = np.bincount(prepared.events.processes, prepared.events.weights)
    sums[2] = 50.0
    weights = valid.weights * (sums / np.bincount(valid.processes, valid.weights))[valid.processes]
    best = 0.0
    for cut in scores:
        s, b = (float(weights[(scores >= cut) & kind].sum()) for kind in (is_signal, ~is_signal))
        if b > 0:
            best = max(best, float(np.sqrt(2 * ((s + b) * np.log1p(s / b) - s))))
    assert objectives(fitted, prepared, plain.evaluation, ["significance"])[0].value == pytest.approx(best)
    assert "asimov" in MEASURES


def test_an_objective_without_a_value_says_why():
    events = weighted(np.random.default_rng(3), events=60)
    evaluation = Evaluation(plots=False, working_points=(0.01,), minimum_background=1000.0)
    plain = job(events, evaluation)
    prepared = without_test(prepare(plain))
    fitted = fit(prepared, plain)
    with pytest.raises(ValueError, match=r"tune.objective=significance has no value on validation: no cut keeps"):
        objectives(fitted, prepared, evaluation, ["significance"])
    evaluation = Evaluation(plots=False, working_points=())
    with pytest.raises(ValueError, match=r"tune.objective=rejection has no value on validation: there is no cut"):
        objectives(fitted, prepared, evaluation, ["rejection"])


def test_a_tagger_that_leaves_no_background_is_as_good_as_one_that_leaves_one_event():
    rng, labels = np.random.default_rng(0), np.arange(400) % 2
    data = Events(features=rng.normal(size=(400, 1)) + 20 * labels[:, None], labels=labels, names=("x",))
    plain = job(data, Evaluation(plots=False, working_points=(0.5,)))
    prepared = without_test(prepare(plain))
    valid = prepared.part("valid")
    found = objectives(fit(prepared, plain), prepared, plain.evaluation, ["rejection"])
    assert found[0].value == pytest.approx(np.count_nonzero(valid.labels == 0))
    assert found[0].error is None


def test_repeats_draw_training_and_validation_anew_and_leave_the_test_set_out():
    plain = Job.of(Mixture(events=1000), Logistic())
    data, source = TrialData(Tuning()), prepare(plain)
    first, second = (data.prepared(plain, repeat, Quiet()) for repeat in (0, 1))
    assert first.events is second.events
    assert len(first.events) == np.count_nonzero(source.split != 2)
    assert np.array_equal(first.split, source.split[source.split != 2])
    assert np.array_equal(np.bincount(first.split), np.bincount(second.split))
    assert 0.1 < np.mean((first.split == 1) & (second.split == 1)) / np.mean(first.split == 1) < 0.5
    assert second.part("valid").counts == first.part("valid").counts
    assert repeat_job(plain, 2).trainer.seed == plain.trainer.seed + 2
    assert data.prepared(plain, 1, Quiet()) is second


@pytest.mark.parametrize(
    ("split", "rule"),
    [
        (Split(), "split"),
        (Split(by="tail"), "seed"),
        (Split(tail_from=500), "seed"),
        (Split(tail_from=5000), "split"),
        (Split(by="column", column="number"), "seed"),
    ],
)
def test_a_split_that_the_data_decide_stays(split, rule):
    assert repeat_rule(Tuning(), split, 1000) == rule
    assert repeat_rule(Tuning(repeat_by="seed"), split, 1000) == "seed"
