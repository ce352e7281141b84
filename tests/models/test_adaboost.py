"""AdaBoost's votes are those of scikit-learn, tree by tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from hepclf import Trainer, load_tagger
from hepclf.events import Events
from hepclf.models.adaboost import AdaBoost
from hepclf.models.tree_fit import tree_matrices

PLAIN = Trainer(patience=None, keep="last", seed=4)
SMALL = AdaBoost(iterations=15, depth=2, leaf_events=5)


def weighted(events, share=0.1):
    rng = np.random.default_rng(2)
    features = events.features.copy()
    features[rng.random(features.shape) < share] = np.nan
    return replace(events, features=features, weights=rng.random(len(events)) + 0.1)


def fitted(recipe, events, trainer=PLAIN):
    fit = recipe.fit(events, events, trainer)
    history = list(fit)
    return fit.tagger(), history


def by_hand(recipe, events, trainer=PLAIN):
    """The library's, whose AdaBoost would refuse missing values."""
    first, _ = tree_matrices(events, events, trainer, "model=adaboost")
    tree = DecisionTreeClassifier(max_depth=recipe.depth, min_samples_leaf=recipe.leaf_events)
    model = AdaBoostClassifier(tree, n_estimators=recipe.iterations, learning_rate=recipe.learning_rate, random_state=4)
    return model.fit(first.features, first.targets, sample_weight=first.weights)


def test_the_share_of_votes_is_what_scikit_learn_decides_by(gaussians):
    events = weighted(gaussians(events=1500), share=0)
    theirs = by_hand(SMALL, events)
    tagger, history = fitted(SMALL, events)
    share = logit(tagger.scores(events)) / theirs.estimator_weights_.sum()
    assert share == pytest.approx(theirs.decision_function(events.features) / 2, abs=1e-6)
    assert share == pytest.approx(logit(theirs.predict_proba(events.features)[:, 1]) / 2, abs=1e-6)
    assert len(history) == tagger.summary["trees"] == 15


def test_the_shares_of_three_classes_are_too(gaussians):
    events = weighted(gaussians(events=1500, classes=3), share=0)
    theirs = by_hand(SMALL, events)
    votes = np.log(fitted(SMALL, events)[0].scores(events)) / theirs.estimator_weights_.sum()
    decided = theirs.decision_function(events.features) * 2 / 3  # a vote counts 1 for a class and -1/2 against others
    assert votes - votes[:, :1] == pytest.approx(decided - decided[:, :1], abs=1e-6)


def test_missing_values_are_learnt_from(gaussians):
    events = gaussians(events=1000)
    features = np.where((events.labels == 1)[:, None] & (np.arange(1000) % 3 == 0)[:, None], np.nan, events.features)
    holes = replace(events, features=features)
    tagger, _ = fitted(SMALL, holes)
    assert tagger.scores(holes)[np.isnan(features[:, 0])].min() > 0.9


def test_the_losses_are_those_of_the_trees_so_far(gaussians):
    events = weighted(gaussians(events=800))
    _, history = fitted(SMALL, events)
    for rounds in (1, 6):
        tagger, _ = fitted(replace(SMALL, iterations=rounds), events)
        assert history[rounds - 1].valid_loss == pytest.approx(
            tagger.loss(tree_matrices(events, events, PLAIN, "x")[1])
        )


def test_the_best_round_is_kept_and_patience_is_the_trainers(gaussians):
    train, valid = gaussians(events=300), gaussians(events=300, seed=1)
    fit = AdaBoost(iterations=60, learning_rate=1.0, depth=3, leaf_events=1).fit(train, valid, Trainer(patience=7))
    losses = [epoch.valid_loss for epoch in fit]
    best = int(np.argmin(losses)) + 1
    assert best < len(losses)
    assert (fit.patience, fit.tagger().summary["kept_epoch"]) == (7, best)
    assert fit.tagger().summary["valid_loss"] == min(losses)


def test_a_tree_that_is_never_wrong_ends_the_boosting():
    x = np.linspace(-1, 1, 40)
    events = Events(features=x[:, None], labels=x > 0, names=("x",))
    tagger, history = fitted(AdaBoost(leaf_events=1), events)
    assert len(history) == 1
    assert np.array_equal(tagger.scores(events) > 0.5, x > 0)


def test_a_tree_that_is_no_better_than_chance_is_refused():
    events = Events(features=np.zeros((40, 1)), labels=np.arange(40) % 2, names=("x",))
    with pytest.raises(ValueError, match="a tree of depth 3 tells the classes no better than chance"):
        fitted(AdaBoost(), events)


def test_a_saved_tagger_scores_the_same(gaussians):
    events = weighted(gaussians(events=500, classes=3))
    tagger, _ = fitted(SMALL, events)
    tagger.save("tagger")
    assert np.array_equal(load_tagger("tagger").scores(events), tagger.scores(events))
