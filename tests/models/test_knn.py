"""The nearest neighbours, counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

import hepclf
from hepclf import Trainer, load_tagger
from hepclf.events import Events
from hepclf.models import knn
from hepclf.models.knn import KNN, KNNTagger

NO_PLOTS = hepclf.Evaluation(plots=False)


def fitted(events, trainer=None, **settings):
    fit = KNN(**settings).fit(events, events, trainer or Trainer(balance="mean"))
    list(fit)
    return fit.tagger()


def standard(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


@pytest.mark.parametrize("classes", [2, 3])
def test_flat_neighbours_are_those_of_scikit_learn_and_one_event_more(gaussians, classes):
    events = gaussians(classes=classes, events=1200)
    scores = fitted(events, neighbours=30, kernel="flat").scores(events)
    x = standard(events.features.astype(float)).astype(np.float32)
    theirs = KNeighborsClassifier(30).fit(x, events.labels).predict_proba(x)
    expected = (30 * theirs + 1 / classes) / 31
    assert scores == pytest.approx(expected[:, 1] if classes == 2 else expected, abs=1e-6)


def test_tricube_neighbours_and_weights_are_a_sum_over_all_events(gaussians):
    weights = np.random.default_rng(0).random(600) + 0.5
    events = gaussians(events=600, weights=weights)
    tagger = fitted(events, neighbours=20)
    points, others = tagger.arrays["points"].astype(float), gaussians(events=50, seed=1)
    x = (others.features - tagger.arrays["centre"]) / tagger.arrays["width"]
    used, prior = weights * 600 / weights.sum(), weights[1::2].sum() / weights.sum()
    for row, score in zip(x, tagger.scores(others), strict=True):
        distances = np.linalg.norm(points - row, axis=1)
        near = np.argsort(distances)
        size = used[near[:20]] * (1 - (distances[near[:20]] / distances[near[20]]) ** 3) ** 3
        expected = (size[events.labels[near[:20]] == 1].sum() + prior) / (size.sum() + 1)
        assert score == pytest.approx(expected, abs=1e-6)


def test_features_count_in_their_widths(gaussians):
    events = gaussians()
    moved = Events(features=events.features * 2.0**12 + 2.0**14, labels=events.labels, names=events.names)
    assert fitted(moved).scores(moved) == pytest.approx(fitted(events).scores(events), abs=0.01)


def test_events_without_weight_are_no_neighbours(gaussians):
    weights = np.where(np.arange(4000) % 4 < 2, 1.0, -1.0)
    signed = gaussians(weights=weights)
    tagger = fitted(signed, Trainer(negative_weights="zero"))
    assert len(tagger.arrays["points"]) == 2000
    with pytest.raises(ValueError, match="model=knn cannot learn from negative weights"):
        fitted(signed, Trainer(negative_weights="keep"))


def test_neighbours_at_one_place_count_alike():
    learnt = {"fill": np.zeros(1), "centre": np.zeros(1), "width": np.ones(1), "points": np.zeros((10, 1), np.float32)}
    learnt |= {"targets": np.arange(10) % 2, "weights": np.ones(10)}
    settings = {"neighbours": 9, "kernel": "tricube"}
    tagger = KNNTagger(inputs=("a",), classes=("b", "s"), arrays=learnt, settings=settings)
    (score,) = tagger.scores(Events(features=np.zeros((1, 1)), names=("a",)))
    assert score * 10 - 0.5 in (4, 5)


@pytest.mark.parametrize("kernel", ["flat", "tricube"])
def test_features_of_few_integers_are_no_worse_than_their_table(kernel):
    rng = np.random.default_rng(0)
    labels = (rng.random(6000) < 0.5).astype(np.int64)
    jets = np.c_[rng.poisson(2 + labels), rng.binomial(2, 0.2 + 0.4 * labels)].astype(float)
    events = Events(features=jets, labels=labels, names=("njets", "nb"))
    learnt, test = events.take(np.arange(4000)), events.take(np.arange(4000, 6000))
    scores = fitted(learnt, kernel=kernel).scores(test)
    cells = jets @ [10, 1]
    table = {cell: labels[:4000][cells[:4000] == cell].mean() for cell in np.unique(cells[:4000])}
    best = roc_auc_score(test.labels, [table.get(cell, 0.5) for cell in cells[4000:]])
    assert roc_auc_score(test.labels, scores) > best - 0.02  # measured 0.003 below


def test_scores_do_not_depend_on_how_many_are_scored_at_once(gaussians, monkeypatch):
    events = gaussians(events=500)
    tagger = fitted(events)
    whole = tagger.scores(events)
    monkeypatch.setattr(knn, "ROWS", 77)
    assert tagger.scores(events) == pytest.approx(whole, abs=1e-12)
    assert tagger.scores(events.take(np.arange(0))).shape == (0,)


def test_too_many_or_too_few_events_are_refused(gaussians):
    events = gaussians(events=200)
    says = r"model=knn is for at most most=100 training events, .* not 200; use model=bdt .*model.most=200"
    with pytest.raises(ValueError, match=says):
        fitted(events, most=100)
    with pytest.raises(ValueError, match="neighbours must be fewer than the 200 training events"):
        fitted(events, neighbours=200)
    for settings in ({"neighbours": 0}, {"most": 0}):
        with pytest.raises(ValueError, match="must be at least 1"):
            KNN(**settings)


def test_a_run_has_a_tagger_that_loads(run_that_loads):
    assert run_that_loads(KNN()).test.auc.value > 0.9


@pytest.mark.parametrize(
    ("changes", "settings", "says"),
    [
        ({"targets": np.full(300, 2)}, {}, r"targets must lie in 0\.\.1"),
        ({"weights": np.zeros(300)}, {}, "weights and widths above 0"),
        ({"width": np.zeros(3)}, {}, "weights and widths above 0"),
        ({"points": np.zeros((300, 2))}, {}, "'points' must have shape"),
        ({}, {"neighbours": 300}, "neighbours must lie between 1 and 299"),
        ({}, {"neighbours": "many"}, "neighbours must lie between 1 and 299"),
        ({}, {"kernel": "other"}, "kernel must be flat or tricube"),
    ],
)
def test_points_that_do_not_fit_are_refused(gaussians, planted, changes, settings, says):
    tagger = fitted(gaussians(events=300))
    planted(tagger, changes, settings)
    with pytest.raises(ValueError, match=says):
        load_tagger("tagger")
