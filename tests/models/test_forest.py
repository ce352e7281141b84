"""The forest is scikit-learn's, grown a tenth at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from hepclf import Trainer, load_tagger
from hepclf.models.forest import Forest
from hepclf.models.tree_fit import tree_matrices

LIBRARY = {"random": RandomForestClassifier, "extra": ExtraTreesClassifier}


@pytest.fixture
def parts(gaussians):
    def make(classes):
        rng = np.random.default_rng(0)
        whole = gaussians(events=1000, classes=classes, weights=rng.random(1000) + 0.1)
        features = whole.features.copy()
        features[rng.random(features.shape) < 0.1] = np.nan
        holes = replace(whole, features=features)
        return holes.take(np.arange(1000) % 5 > 1), holes.take(np.arange(1000) % 5 < 2)

    return make


def fitted(recipe, train, valid, trainer):
    fit = recipe.fit(train, valid, trainer)
    history = list(fit)
    return fit.tagger(), history


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["random", "extra"])
def test_it_predicts_what_scikit_learn_does(parts, kind, classes):
    train, valid = parts(classes)
    recipe, trainer = Forest(kind=kind, trees=24, leaf_events=2, depth=9), Trainer(seed=2)
    tagger, history = fitted(recipe, train, valid, trainer)
    first, _ = tree_matrices(train, valid, trainer, "model=forest")
    theirs = LIBRARY[kind](**recipe.library(2)).fit(first.features, first.targets, sample_weight=first.weights)
    probability = theirs.predict_proba(valid.features)
    assert tagger.scores(valid) == pytest.approx(probability[:, 1] if classes == 2 else probability, abs=1e-12)
    assert tagger.summary["trees"] == 24
    assert len(history) == 10


def test_the_loss_of_its_last_epoch_is_that_of_its_scores_and_all_trees_are_kept(parts):
    train, valid = parts(3)
    fit = Forest(trees=7, leaf_events=30).fit(train, valid, Trainer(balance="mean", patience=1))
    history = list(fit)
    scores = fit.tagger().scores(valid)[np.arange(len(valid)), valid.labels]
    expected = -(valid.weights * np.log(scores)).sum() / valid.weights.sum()
    assert (fit.epochs, fit.patience, len(history)) == (7, None, 7)
    assert history[-1].valid_loss == pytest.approx(expected, abs=1e-9)
    assert fit.tagger().summary["trees"] == 7
    assert fit.tagger().summary["valid_loss"] == history[-1].valid_loss


def test_a_saved_tagger_scores_the_same(parts):
    train, valid = parts(2)
    tagger, _ = fitted(Forest(trees=5), train, valid, Trainer())
    tagger.save("tagger")
    assert np.array_equal(load_tagger("tagger").scores(valid), tagger.scores(valid))


def test_there_is_no_tagger_before_the_fit(parts):
    with pytest.raises(ValueError, match="no tagger before the first epoch"):
        Forest(trees=5).fit(*parts(2), Trainer()).tagger()


@pytest.mark.parametrize("settings", [{"trees": 0}, {"leaf_events": 0}, {"depth": 0}, {"feature_fraction": 0.0}])
def test_settings_out_of_range_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} must be .*, not 0"):
        Forest(**settings)
