"""Least squares on the classes, and what is known to go wrong with it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from hepclf import Fisher, LeastSquares, Trainer, load_tagger
from hepclf.events import Events

PLAIN = Trainer(balance="mean")


def fitted(events, model=None):
    fit = (model or LeastSquares()).fit(events, events, PLAIN)
    list(fit)
    return fit.tagger()


def test_the_logits_are_those_of_a_weighted_linear_regression(gaussians):
    events = gaussians(events=600, classes=3, weights=np.arange(600) % 4 + 0.5)
    x = events.features.astype(float)
    reference = LinearRegression().fit(x, np.eye(3)[events.labels], events.weights).predict(x)
    expected = np.exp(reference) / np.exp(reference).sum(axis=1, keepdims=True)
    assert fitted(events).scores(events) == pytest.approx(expected, abs=1e-6)


def test_two_classes_of_equal_size_have_the_direction_of_fisher(gaussians):
    events = gaussians(events=800)
    ours, fisher = (fitted(events, model).arrays["coefficients"] for model in (LeastSquares(), Fisher()))
    ratios = np.diff(ours, axis=0) / np.diff(fisher, axis=0)
    assert ratios == pytest.approx(ratios[0, 0], rel=1e-6)


def test_the_middle_of_three_classes_on_a_line_is_masked(gaussians):
    events = gaussians(events=1500, features=2, separation=4.0, classes=3)
    masked = fitted(events).scores(events).argmax(axis=1)
    seen = fitted(events, Fisher()).scores(events).argmax(axis=1)
    # The function of the middle is flat at 1/3, where the two others cross: only fluctuations lift it above them.
    assert (masked == 1).mean() < 0.1
    assert (seen == events.labels).mean() > 0.95


def test_features_that_depend_on_each_other_are_no_problem(gaussians):
    events = gaussians(events=300)
    twice = Events(
        features=np.column_stack([events.features, 2 * events.features[:, 0]]),
        labels=events.labels,
        names=(*events.names, "double"),
    )
    assert fitted(twice).scores(twice) == pytest.approx(fitted(events).scores(events), abs=1e-6)


def test_it_is_stored_and_loaded(gaussians):
    events = gaussians(events=200)
    tagger = fitted(events)
    tagger.save("here")
    assert (load_tagger("here").scores(events) == tagger.scores(events)).all()
