"""The BDT is scikit-learn's, round by round, and leaves nothing running behind it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from hepclf import BDT, Trainer, load_tagger
from hepclf.events import Events
from hepclf.models import bdt
from hepclf.models.monotone import monotone_signs
from hepclf.models.tree_fit import tree_matrices

SMALL = BDT(iterations=12, leaves=8, leaf_events=5)
PLAIN = Trainer(patience=None)


@pytest.fixture(autouse=True)
def _no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def fitted(recipe, train, valid, trainer=PLAIN):
    fit = recipe.fit(train, valid, trainer)
    history = list(fit)
    return fit.tagger(), history


def by_hand(recipe, train, valid, trainer=PLAIN):
    """The library called by hand on the same arrays."""
    first, second = tree_matrices(train, valid, trainer, "model=bdt")
    model = HistGradientBoostingClassifier(
        **recipe.library(monotone_signs(recipe.monotone, train), trainer.seed),
        scoring="loss",
        early_stopping=True,
        n_iter_no_change=1000,
    )
    weights = {"sample_weight": first.weights, "sample_weight_val": second.weights}
    return model.fit(first.features, first.targets, X_val=second.features, y_val=second.targets, **weights)


def probabilities(model, events):
    found = model.predict_proba(events.features)
    return found[:, 1] if found.shape[1] == 2 else found


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"depth": 2, "feature_fraction": 0.5, "l2": 3.0, "bins": 20}])
def test_it_predicts_what_scikit_learn_does(parts, classes, settings):
    train, valid = parts(classes)
    recipe, trainer = replace(SMALL, **settings), replace(PLAIN, keep="last", seed=3)
    tagger, history = fitted(recipe, train, valid, trainer)
    theirs = by_hand(recipe, train, valid, trainer)
    assert tagger.scores(valid) == pytest.approx(probabilities(theirs, valid), abs=1e-12)
    assert [epoch.train_loss for epoch in history] == pytest.approx(-theirs.train_score_[1:], abs=1e-12)
    assert [epoch.valid_loss for epoch in history] == pytest.approx(-theirs.validation_score_[1:], abs=1e-12)


def test_new_missing_values_go_where_the_library_sends_them(parts, gaussians):
    train, valid = parts()
    train = replace(train, features=np.nan_to_num(train.features))
    tagger, _ = fitted(SMALL, train, valid, replace(PLAIN, keep="last"))
    assert np.isnan(valid.features).any()
    theirs = probabilities(by_hand(SMALL, train, valid), valid)
    assert tagger.scores(valid) == pytest.approx(theirs, abs=1e-12)


def test_the_rounds_that_are_kept_are_the_best_or_all(parts):
    train, valid = parts(events=300)
    recipe = replace(SMALL, iterations=40, learning_rate=0.5)
    best, history = fitted(recipe, train, valid)
    losses = [epoch.valid_loss for epoch in history]
    lowest = int(np.argmin(losses)) + 1
    assert lowest < 40
    assert (best.summary["kept_epoch"], best.summary["trees"]) == (lowest, lowest)
    assert best.loss(tree_matrices(train, valid, PLAIN, "x")[1]) == pytest.approx(min(losses), abs=1e-12)
    last, _ = fitted(recipe, train, valid, replace(PLAIN, keep="last"))
    assert last.summary["kept_epoch"] == 40
    assert last.summary["valid_loss"] == losses[-1]


def test_a_caller_that_leaves_has_the_rounds_it_saw(parts):
    train, valid = parts()
    fit = SMALL.fit(train, valid, replace(PLAIN, keep="last"))
    for epoch in fit:
        if epoch.epoch == 4:
            break
    short = by_hand(replace(SMALL, iterations=4), train, valid)
    assert fit.tagger().scores(valid) == pytest.approx(probabilities(short, valid), abs=1e-12)


def test_leaving_ends_the_fit_there_and_then(parts):
    fit, before = SMALL.fit(*parts(), PLAIN), threading.active_count()
    for epoch in fit:
        assert threading.active_count() == before + 1
        if epoch.epoch == 4:
            break
    assert threading.active_count() == before
    assert fit._model.n_iter_ == 4


def test_a_tagger_may_be_taken_while_the_iteration_is_held(parts):
    fit = SMALL.fit(*parts(), PLAIN)
    with pytest.raises(ValueError, match="no tagger before the first epoch"):
        fit.tagger()
    epochs = iter(fit)
    next(epochs)
    assert fit.tagger().summary["trees"] == 1
    assert list(epochs) == []
    assert len(list(fit)) == 12  # and again, from the start


def test_an_error_of_the_library_reaches_the_caller(parts, monkeypatch):
    def broken(*_, **__):
        raise MemoryError("no room for histograms")

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", broken)
    with pytest.raises(MemoryError, match="no room for histograms"):
        list(SMALL.fit(*parts(), PLAIN))


def test_trees_that_were_misread_are_refused(parts, monkeypatch):
    read = bdt._nodes

    def shifted(*arguments):
        nodes = read(*arguments)
        return nodes._replace(thresholds=nodes.thresholds + 1)

    monkeypatch.setattr(bdt, "_nodes", shifted)
    with pytest.raises(ValueError, match=r"the trees of scikit-learn .* were not understood: scores differ by 0\."):
        fitted(SMALL, *parts())


def test_events_without_weight_are_as_good_as_none(parts):
    train, valid = parts()
    kept = np.arange(len(train)) // 4 % 2 == 0
    negative = replace(train, weights=np.where(kept, train.weights, -1.0))
    trainer = replace(PLAIN, negative_weights="zero", balance="mean")  # twice the weight, to the last bit
    scores = fitted(SMALL, negative, valid, trainer)[0].scores(valid)
    assert kept.mean() == 0.5
    assert scores == pytest.approx(fitted(SMALL, train.take(kept), valid, trainer)[0].scores(valid), abs=1e-9)
    with pytest.raises(ValueError, match="model=bdt cannot learn from negative weights"):
        fitted(SMALL, negative, valid, replace(PLAIN, negative_weights="keep"))


def test_a_class_without_weight_is_named(parts):
    train, valid = parts()
    empty = replace(train, weights=np.where(train.labels == 1, -1.0, 1.0))
    with pytest.raises(ValueError, match="class 'signal' has no training event with a weight, which model=bdt needs"):
        SMALL.fit(empty, valid, replace(PLAIN, negative_weights="zero", balance="none"))


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_rise_or_fall_with_a_feature_as_asked(gaussians, sign):
    events = gaussians(events=1000)  # the signal lies higher in x0
    tagger, _ = fitted(replace(SMALL, monotone={"x0": sign}), events, events)
    line = np.zeros((200, 3), dtype=np.float32)
    line[:, 0] = np.linspace(-4, 6, 200)
    steps = sign * np.diff(tagger.scores(Events(features=line, names=events.names)))
    assert (steps >= 0).all()
    assert (steps > 0).any() == (sign == 1)


def test_monotone_features_must_be_there_and_classes_two(gaussians):
    two, three = gaussians(events=30), gaussians(events=30, classes=3)
    with pytest.raises(ValueError, match="monotone names 'y', which is not a feature; there are: 'x0'"):
        BDT(monotone={"y": 1}).fit(two, two, PLAIN)
    with pytest.raises(ValueError, match="monotone needs two classes, the data has 3"):
        BDT(monotone={"x0": 1}).fit(three, three, PLAIN)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"iterations": 0}, "iterations must be at least 1, not 0"),
        ({"leaves": 1}, "leaves must be at least 2"),
        ({"learning_rate": 0.0}, "learning_rate must be positive and finite"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive and finite"),
        ({"l2": -1.0}, "l2 must be at least 0"),
        ({"feature_fraction": 1.5}, "feature_fraction must be above 0 and at most 1, not 1.5"),
        ({"bins": 256}, r"bins must lie in 2\.\.255"),
        ({"monotone": {"x0": 2}}, "monotone"),
    ],
)
def test_settings_out_of_range_are_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        BDT(**settings)


def test_a_saved_tagger_scores_the_same_and_seeds_decide(parts):
    train, valid = parts(3)
    recipe = replace(SMALL, feature_fraction=0.4)
    tagger, _ = fitted(recipe, train, valid)
    tagger.save("tagger")
    assert np.array_equal(load_tagger("tagger").scores(valid), tagger.scores(valid))
    assert np.array_equal(fitted(recipe, train, valid)[0].scores(valid), tagger.scores(valid))
    assert not np.array_equal(
        fitted(recipe, train, valid, replace(PLAIN, seed=1))[0].scores(valid), tagger.scores(valid)
    )
