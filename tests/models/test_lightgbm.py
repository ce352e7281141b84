"""What the LightGBM model scores is what the library does, and no file of a stranger's is more than trees."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from hepclf import LightGBM, Trainer, load_tagger
from hepclf.models.tagger import write_tagger
from hepclf.models.tree_fit import tree_matrices

LAST = Trainer(patience=None, keep="last", seed=3)
SMALL = LightGBM(iterations=12, leaves=8, leaf_events=5)
# What the library calls them, written out once more.
BY_HAND = {"num_leaves": 8, "min_child_samples": 5}
OTHER = {
    "leaves": 6,
    "depth": 2,
    "leaf_events": 30,
    "leaf_weight": 3.0,
    "l1": 0.5,
    "l2": 2.0,
    "bins": 20,
    "learning_rate": 0.3,
    "event_fraction": 0.7,
    "feature_fraction": 0.5,
}
OTHER_BY_HAND = {
    "num_leaves": 6,
    "max_depth": 2,
    "min_child_samples": 30,
    "min_child_weight": 3.0,
    "reg_alpha": 0.5,
    "reg_lambda": 2.0,
    "max_bin": 20,
    "shrinkage_rate": 0.3,
    "bagging": 0.7,
    "bagging_freq": 1,
    "colsample_bynode": 0.5,
}


def by_hand(settings, train, valid, rounds=12):
    """LightGBM called by hand on the same arrays: its scores, and its losses on both."""
    k, losses = len(train.classes), {}
    kind = {"objective": "binary"} if k == 2 else {"objective": "multiclass", "num_class": k}
    settings = {**kind, "seed": 3, "verbosity": -1, "deterministic": True, "force_col_wise": True, **settings}
    first, second = (
        lightgbm.Dataset(p.features, p.targets, weight=p.weights, params=settings)
        for p in tree_matrices(train, valid, LAST, "")
    )
    second.reference = first
    watched = {"valid_sets": [first, second], "callbacks": [lightgbm.record_evaluation(losses)]}
    model = lightgbm.train(settings, first, rounds, **watched)
    return model.predict(valid.features), [next(iter(kept.values())) for kept in losses.values()]


def fitted(recipe, train, valid, trainer=LAST):
    fit = recipe.fit(train, valid, trainer)
    history = list(fit)
    return fit.tagger(), history


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("settings", "theirs"), [({}, BY_HAND), (OTHER, OTHER_BY_HAND)])
def test_it_predicts_what_the_library_does(parts, classes, settings, theirs):
    train, valid = parts(classes)
    tagger, history = fitted(replace(SMALL, **settings), train, valid)
    scores, losses = by_hand(theirs, train, valid)
    assert tagger.scores(valid) == pytest.approx(scores, abs=1e-12)
    assert [(epoch.train_loss, epoch.valid_loss) for epoch in history] == list(zip(*losses, strict=True))


def test_new_missing_values_count_as_zero(parts):
    train, valid = parts()
    tagger, _ = fitted(SMALL, replace(train, features=np.nan_to_num(train.features)), valid)
    zero = replace(valid, features=np.nan_to_num(valid.features))
    assert np.array_equal(tagger.scores(valid), tagger.scores(zero))


def test_too_few_events_for_any_split_are_an_error(parts):
    train, valid = parts(events=50)
    with pytest.raises(ValueError, match=r"no split leaves enough events on both sides.*lower model.leaf_events=100"):
        fitted(replace(SMALL, leaf_events=100), train, valid)


def test_the_fit_ends_where_no_tree_can_split_further(gaussians):
    events = gaussians(events=200, separation=30)
    tagger, history = fitted(replace(SMALL, iterations=500, learning_rate=1.0, leaf_weight=0.1), events, events)
    assert 0 < len(history) < 500
    assert tagger.summary["kept_epoch"] == tagger.summary["trees"] == len(history)


def test_a_tree_of_one_leaf_is_read(parts):
    train, valid = parts(3)
    rare = np.flatnonzero((train.labels != 2) | (np.arange(len(train)) < 4))
    tagger, _ = fitted(replace(SMALL, leaf_weight=50.0), train.take(rare), valid, replace(LAST, balance="none"))
    assert 1 in tagger.arrays["sizes"]
    theirs = lightgbm.Booster(model_str=tagger.data.decode()).predict(valid.features)
    assert tagger.scores(valid) == pytest.approx(theirs, abs=1e-12)


def test_more_leaves_than_the_library_takes_are_refused():
    with pytest.raises(ValueError, match="leaves must be at most 131072, not 131073"):
        LightGBM(leaves=131_073)


def line(name, value):
    """Another value in the first line of this name."""
    return lambda text: re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", text, count=1)


def first(name, value):
    """Another first number in the first line of this name."""
    return lambda text: re.sub(rf"(?m)^{name}=\S+", f"{name}={value}", text, count=1)


STRANGE = {
    "a cycle": (first("left_child", 0), "two nodes share one"),
    "a child of two": (line("left_child", "1 1 1 1 1 1 1"), "two nodes share one"),
    "a child far away": (first("left_child", 10**6), "has no child, or two"),
    "a leaf far away": (first("left_child", -(2**63)), "has no child, or two"),
    "no such feature": (first("split_feature", 3), "tree 0 looks at features that are not among the 3"),
    "a wrapped feature": (first("split_feature", 2**32), "tree 0 looks at features that are not among the 3"),
    "a feature below": (first("split_feature", -2), "tree 0 looks at features"),
    "a huge feature": (first("split_feature", 2**70), "has a list that is object"),
    "a billion leaves": (line("num_leaves", 10**9), "a tree of 1000000000 nodes has a list that is"),
    "no leaves": (line("num_leaves", 0), "a tree of 0 nodes has a list"),
    "half a list": (line("threshold", "0.5 0.25"), "a tree of 7 nodes has a list that is"),
    "words": (first("threshold", "none"), "could not convert"),
    "no number": (first("threshold", "nan"), "tree 0 has thresholds that are no numbers"),
    "too large": (first("leaf_value", "1e200"), r"a leaf holds more than 1e\+100"),
    "categories": (line("num_cat", 1), "splits by category or has lines"),
    "a split by category": (first("decision_type", 1), "splits by category or takes zero"),
    "zero for missing": (first("decision_type", 6), "splits by category or takes zero"),
    "lines in leaves": (line("is_linear", 1), "splits by category or has lines"),
    "no children": (lambda text: text.replace("left_child", "child"), "KeyError.*left_child"),
    "no trees": (lambda text: re.sub(r"(?s)\nTree=.*?\nend of", "\nend of", text), "0 trees cannot take turns"),
    "more features": (line("max_feature_idx", 3), "'max_feature_idx': '3'"),
    "more classes": (line("num_class", 3), "'num_class': '3'"),
    "a regression": (line("objective", "regression"), "'objective': 'regression'"),
    "a steeper sigmoid": (line("objective", "binary sigmoid:2"), "'objective': 'binary sigmoid:2'"),
    "a forest": (lambda text: text.replace("\nmax_feature", "\naverage_output\nmax_feature"), "the model has"),
    "truncated": (lambda text: text[: len(text) // 3], "it ends before its trees do"),
    "nothing": (lambda _: "", "it ends before its trees do"),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_strangers_model_is_refused_in_one_line(parts, strange):
    change, says = STRANGE[strange]
    tagger, _ = fitted(replace(SMALL, iterations=3), *parts())
    head = {"kind": "lightgbm", "inputs": tagger.inputs, "classes": tagger.classes, "summary": {}}
    write_tagger(Path("tagger"), {"model.txt": change(tagger.data.decode()).encode()}, head)
    with pytest.raises(ValueError, match=rf"^tagger/tagger.json and its model.txt do not fit together: .*{says}"):
        load_tagger("tagger")
