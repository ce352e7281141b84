"""The support vector machine is scikit-learn's, without it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

import hepclf
from hepclf import Trainer, load_tagger
from hepclf.events import Events
from hepclf.models import svm
from hepclf.models.svm import SVM

NO_PLOTS = hepclf.Evaluation(plots=False)


def fitted(events, trainer=None, valid=None, **settings):
    fit = SVM(**settings).fit(events, valid or events, trainer or Trainer(balance="mean"))
    list(fit)
    return fit.tagger()


def standard(events, weights):
    x = events.features.astype(float)
    centre = weights @ x / weights.sum()
    return (x - centre) / np.sqrt(weights @ (x - centre) ** 2 / weights.sum())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"c": 5.0, "gamma": 0.7}])
def test_decisions_are_those_of_scikit_learn(gaussians, classes, settings):
    weights = np.random.default_rng(0).random(600) + 0.5
    weights *= 600 / weights.sum()
    events = gaussians(classes=classes, events=600, weights=weights)
    logits = fitted(events, **settings).logits(events.features)
    x = standard(events, weights)
    for label in [1] if classes == 2 else range(classes):
        theirs = SVC(C=settings.get("c", 1.0), gamma=settings.get("gamma", 1 / 3)).fit(
            x, events.labels == label, weights
        )
        assert logits[:, label] == pytest.approx(theirs.decision_function(x), abs=1e-6)


def test_scores_are_probabilities_that_order_as_the_decisions(gaussians):
    events, valid, others = (gaussians(events=count, seed=seed) for seed, count in enumerate((1000, 1000, 4000)))
    tagger = fitted(events, valid=valid)
    scores = tagger.scores(others)
    order = np.argsort(tagger.logits(others.features)[:, 1])
    assert (np.diff(scores[order]) >= 0).all()
    for low, high in ((0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)):
        inside = (scores >= low) & (scores < high)
        assert others.labels[inside].mean() == pytest.approx(scores[inside].mean(), abs=0.07)


def test_three_classes_sum_to_one(gaussians):
    events = gaussians(classes=3, events=600)
    scores = fitted(events).scores(events)
    assert scores.shape == (600, 3)
    assert scores.sum(axis=1) == pytest.approx(np.ones(600))


def test_a_missing_value_counts_as_the_median(gaussians):
    events = gaussians(events=600)
    features = events.features.copy()
    features[::7, 1] = np.nan
    holes = Events(features=features, labels=events.labels, names=events.names)
    filled = np.where(np.isnan(features), np.nanmedian(features, axis=0), features)
    whole = Events(features=filled, labels=events.labels, names=events.names)
    assert fitted(holes).scores(holes) == pytest.approx(fitted(whole).scores(whole), abs=1e-9)


def test_events_without_weight_are_no_support_vectors(gaussians):
    signed = gaussians(events=800, weights=np.where(np.arange(800) % 4 < 2, 1.0, -1.0))
    zero = fitted(signed, Trainer(negative_weights="zero"))
    only = signed.take(signed.weights > 0)
    assert zero.summary["support_vectors"] <= 400
    assert np.array_equal(zero.logits(only.features), fitted(only).logits(only.features))


def test_scores_do_not_depend_on_the_blocks_that_are_in_memory(gaussians, monkeypatch):
    tagger, others = fitted(gaussians(events=500)), gaussians(events=300, seed=1)
    whole = tagger.scores(others)
    monkeypatch.setattr(svm, "CELLS", 3000)
    assert tagger.scores(others) == pytest.approx(whole, abs=1e-12)
    assert tagger.scores(others.take(np.arange(0))).shape == (0,)


def test_what_it_cannot_do_is_refused(gaussians):
    events = gaussians(events=200)
    with pytest.raises(ValueError, match=r"model=svm is for at most most=100 training events, .* not 200"):
        fitted(events, most=100)
    for settings in ({"c": 0.0}, {"gamma": -1.0}, {"c": np.inf}):
        with pytest.raises(ValueError, match="must be positive and finite"):
            SVM(**settings)
    with pytest.raises(ValueError, match="most must be at least 1"):
        SVM(most=0)


def test_a_run_has_a_tagger_that_loads(run_that_loads):
    assert run_that_loads(SVM()).test.auc.value > 0.9


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gamma": np.zeros(1)}, "widths and gamma above 0"),
        ({"width": np.zeros(3)}, "widths and gamma above 0"),
        ({"vectors": np.zeros((4, 2))}, "'vectors' must have shape"),
        ({"vectors": np.zeros((0, 3)), "coefficients": np.zeros((1, 0))}, "there must be support vectors"),
        ({"coefficients": np.zeros((2, 4))}, "'coefficients' must have shape"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(gaussians, planted, changes, says):
    tagger = fitted(gaussians(events=300))
    planted(tagger, changes)
    with pytest.raises(ValueError, match=says):
        load_tagger("tagger")
