"""The perceptron's rule, and when it comes to rest."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf import Perceptron, Trainer, load_tagger
from hepclf.events import Events
from hepclf.models.perceptron import _learn

PLAIN = Trainer(balance="mean", epochs=200, patience=None)


def epochs(events, trainer=PLAIN):
    fit = Perceptron().fit(events, events, trainer)
    return fit, list(fit)


def test_the_rule_is_that_of_one_event_after_another():
    rng = np.random.default_rng(0)
    x, targets, sizes = rng.normal(size=(300, 4)), rng.integers(0, 3, 300), rng.uniform(0.5, 2, 300)
    ours, expected, mistakes = np.zeros((3, 4)), np.zeros((3, 4)), 0
    for event, target, size in zip(x, targets, sizes, strict=True):
        decision = int(np.argmax(expected @ event))
        if decision != target:
            expected[target] += size * event
            expected[decision] -= size * event
            mistakes += 1
    assert _learn(ours, x, targets, sizes) == mistakes
    assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_separable_classes_end_without_a_mistake(gaussians, classes):
    events = gaussians(events=600, separation=12.0, classes=classes)
    fit, history = epochs(events)
    assert history[-1].train_loss == 0
    assert len(history) < 200
    scores = fit.tagger().scores(events)
    decisions = scores > 0.5 if classes == 2 else scores.argmax(axis=1)
    assert (decisions == events.labels).all()


def test_other_classes_never_come_to_rest_and_the_best_epoch_is_kept(gaussians):
    events = gaussians(events=600, separation=1.0)
    fit, history = epochs(events, Trainer(balance="mean", epochs=20, patience=None))
    assert len(history) == 20
    best = min(history, key=lambda epoch: epoch.valid_loss)
    assert fit.tagger().summary == {"kept_epoch": best.epoch, "valid_loss": best.valid_loss}
    wrong = (fit.tagger().scores(events) > 0.5) != events.labels
    assert wrong.mean() == pytest.approx(best.valid_loss, abs=1e-9)


def test_the_number_of_mistakes_stays_below_novikoffs_bound():
    """At most (R / margin)^2 mistakes, for points within R of the origin and a separating direction of unit length."""
    rng = np.random.default_rng(1)
    direction = np.array([0.6, 0.8])
    x = rng.uniform(-1, 1, (4000, 2))
    x = x[np.abs(x @ direction) > 0.1]
    targets = (x @ direction > 0).astype(np.int64)
    functions, mistakes = np.zeros((2, 2)), 0
    while made := _learn(functions, x, targets, np.ones(len(x))):
        mistakes += made
    margin = np.abs(x @ direction).min()
    assert 0 < mistakes <= (np.linalg.norm(x, axis=1).max() / margin) ** 2


def test_it_is_stored_and_loaded_with_its_missing_values(gaussians):
    events = gaussians(events=200)
    features = events.features.copy()
    features[::7, 1] = np.nan
    holes = Events(features=features, labels=events.labels, names=events.names)
    tagger = epochs(holes)[0].tagger()
    tagger.save("here")
    assert (load_tagger("here").scores(holes) == tagger.scores(holes)).all()
