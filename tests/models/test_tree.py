"""A decision tree is scikit-learn's, and its rules say what it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from hepclf import CSV, Trainer, load_tagger
from hepclf.models.tree import Tree
from hepclf.models.tree_fit import tree_matrices

FILE = {"files": ("all.csv",), "missing": ("",), "cache": False}


def holes(events, share=0.15):
    rng = np.random.default_rng(1)
    features = events.features.copy()
    features[rng.random(features.shape) < share] = np.nan
    return replace(events, features=features, weights=rng.random(len(events)) + 0.1)


def fitted(recipe, events, trainer):
    fit = recipe.fit(events, events, trainer)
    (epoch,) = fit
    return fit.tagger(), epoch


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"depth": None, "leaves": 9, "pruning": 0.001}])
def test_it_predicts_what_scikit_learn_does(gaussians, classes, settings):
    events, recipe, trainer = holes(gaussians(classes=classes)), Tree(**settings), Trainer(seed=1)
    tagger, epoch = fitted(recipe, events, trainer)
    first, _ = tree_matrices(events, events, trainer, "model=tree")
    theirs = DecisionTreeClassifier(**recipe.library(1)).fit(first.features, first.targets, sample_weight=first.weights)
    probability = theirs.predict_proba(events.features)
    assert tagger.scores(events) == pytest.approx(probability[:, 1] if classes == 2 else probability, abs=1e-12)
    assert epoch.valid_loss == pytest.approx(tagger.loss(first), abs=1e-12)
    tagger.save("tagger")
    assert np.array_equal(load_tagger("tagger").scores(events), tagger.scores(events))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("share", [0, 0.3])
def test_each_rule_selects_the_events_that_have_its_score(gaussians, classes, share):
    events = holes(gaussians(events=2000, classes=classes), share)
    tagger, _ = fitted(Tree(depth=3), events, Trainer())
    pd.DataFrame(events.features.astype(float), columns=events.names).assign(label=events.labels).to_csv(
        "all.csv", index=False
    )
    labels, selected = {name: label for label, name in enumerate(events.classes)}, 0
    for rule in tagger.summary["rules"]:
        kept = CSV(**FILE, features=events.names, classes=labels, selection=rule["cut"]).load()
        says = [*rule["scores"].values()]
        assert tagger.scores(kept) == pytest.approx(np.array([says[1] if classes == 2 else says] * len(kept)))
        assert "not " not in rule["cut"] or share
        selected += len(kept)
    assert selected == len(events)


def test_a_large_tree_has_no_rules(gaussians):
    events = gaussians()
    assert "rules" not in fitted(Tree(depth=None, leaf_events=2), events, Trainer())[0].summary


def test_a_tree_that_finds_no_split_is_refused(gaussians):
    with pytest.raises(ValueError, match=r"all events would score alike; lower model\.leaf_events"):
        fitted(Tree(leaf_events=4000), gaussians(), Trainer())


def test_a_feature_that_is_an_expression_is_put_in_brackets(gaussians):
    events = replace(gaussians(), names=("a + b", "c", "max(d)"))
    rules = fitted(Tree(depth=1), events, Trainer())[0].summary["rules"]
    assert [rule["cut"].split(")")[0] for rule in rules] == ["(a + b", "(a + b"]
