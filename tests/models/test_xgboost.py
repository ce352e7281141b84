"""What the XGBoost model scores is what the library does, and no file of a stranger's is more than trees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost

from hepclf import Trainer, XGBoost, load_tagger
from hepclf.models.tagger import write_tagger
from hepclf.models.tree_fit import tree_matrices
from hepclf.models.xgboost import _XGBoosting

LAST = Trainer(patience=None, keep="last", seed=3)
SMALL = XGBoost(iterations=12, depth=3, bins=64)
# What the library calls them, written out once more.
BY_HAND = {"max_depth": 3, "max_bin": 64, "eta": 0.1}
OTHER = {
    "leaves": 5,
    "depth": None,
    "leaf_weight": 3.0,
    "l1": 0.5,
    "l2": 2.0,
    "bins": 20,
    "learning_rate": 0.3,
    "event_fraction": 0.7,
    "feature_fraction": 0.5,
}
OTHER_BY_HAND = {
    "max_leaves": 5,
    "max_depth": 0,
    "grow_policy": "lossguide",
    "min_child_weight": 3.0,
    "reg_alpha": 0.5,
    "reg_lambda": 2.0,
    "max_bin": 20,
    "learning_rate": 0.3,
    "subsample": 0.7,
    "colsample_bynode": 0.5,
}


def fitted(recipe, train, valid, trainer=LAST):
    fit = recipe.fit(train, valid, trainer)
    history = list(fit)
    return fit.tagger(), history


def by_hand(settings, train, valid, rounds=12):
    """XGBoost called by hand on the same arrays: its scores, and its losses on both."""
    k, losses = len(train.classes), {}
    kind = {"objective": "binary:logistic"} if k == 2 else {"objective": "multi:softprob", "num_class": k}
    first, second = (
        xgboost.DMatrix(p.features, p.targets, weight=p.weights) for p in tree_matrices(train, valid, LAST, "")
    )
    settings = {**kind, "seed": 3, **settings}
    watched = {"evals": [(first, "train"), (second, "valid")], "evals_result": losses, "verbose_eval": False}
    model = xgboost.train(settings, first, rounds, **watched)
    return model.predict(xgboost.DMatrix(valid.features)), [next(iter(kept.values())) for kept in losses.values()]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("settings", "theirs"), [({}, BY_HAND), (OTHER, OTHER_BY_HAND)])
def test_it_predicts_what_the_library_does(parts, classes, settings, theirs):
    train, valid = parts(classes)
    tagger, history = fitted(replace(SMALL, **settings), train, valid)
    scores, losses = by_hand(theirs, train, valid)
    assert tagger.scores(valid) == pytest.approx(scores, abs=1e-6)
    assert [epoch.train_loss for epoch in history] == losses[0]
    assert [epoch.valid_loss for epoch in history] == losses[1]


def test_a_rare_signal_starts_from_its_share(gaussians):
    events = gaussians(events=2000, weights=np.where(np.arange(2000) % 2, 0.01, 1.0))
    tagger, _ = fitted(replace(SMALL, iterations=1), events, events, replace(LAST, balance="none"))
    share = 0.01 / 1.01
    assert tagger.scores(events).mean() == pytest.approx(share, rel=0.2)
    assert tagger.arrays["baseline"] == pytest.approx([np.log(share / (1 - share))], abs=1e-3)


def test_an_error_of_the_library_comes_without_its_stack_trace(gaussians):
    train, valid = tree_matrices(*2 * [gaussians(events=30)], LAST, "model=xgboost")
    boosting = _XGBoosting(SMALL.library(2, None, 0), train._replace(targets=train.targets + 5), valid)
    with pytest.raises(ValueError, match=r"^XGBoost cannot train with these settings: .* Check failed: ") as error:
        boosting.step()
    assert "Stack trace" in str(error.value.__cause__)
    assert "Stack trace" not in str(error.value)


def test_a_tree_needs_an_end():
    with pytest.raises(ValueError, match="depth and leaves must not both be null"):
        XGBoost(depth=None)


@pytest.fixture
def gpu(monkeypatch):
    """A GPU as PyTorch tells of one, whether XGBoost can use it or not."""

    def make(*, able):
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
        monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": able})

    return make


@pytest.mark.parametrize(
    ("asked", "able", "used"),
    [("auto", True, "cuda"), ("cuda:0", True, "cuda:0"), ("cpu", True, "cpu"), ("auto", False, "cpu")],
)
def test_the_device_is_the_trainers(gaussians, gpu, monkeypatch, asked, able, used):
    class EnoughError(Exception):
        pass

    def booster(settings, _):
        assert settings["device"] == used
        raise EnoughError

    gpu(able=able)
    monkeypatch.setattr(xgboost, "Booster", booster)
    events = gaussians(events=30)
    with pytest.raises(EnoughError):
        list(SMALL.fit(events, events, replace(LAST, device=asked)))


def test_a_gpu_that_the_library_cannot_use_is_refused(gaussians, gpu):
    gpu(able=False)
    events = gaussians(events=30)
    with pytest.raises(ValueError, match=r"trainer.device must be cpu, not cuda: this XGBoost is built without"):
        SMALL.fit(events, events, replace(LAST, device="cuda"))


def tree(model):
    return model["learner"]["gradient_booster"]["model"]["trees"][0]


def put(*path):
    """Put the last of these at the path of those before it."""
    *way, last, value = path

    def change(model):
        place = model
        for name in way:
            place = tree(model) if name == "tree" else place[name]
        place[last] = value

    return change


def both(*changes):
    return lambda model: [change(model) for change in changes]


TREES = ("learner", "gradient_booster", "model")
STRANGE = {
    "a cycle": (both(put("tree", "left_children", 1, 0), put("tree", "right_children", 1, 1)), "two nodes share one"),
    "a child of two": (put("tree", "left_children", 1, 5), "two nodes share one"),
    "a child far away": (put("tree", "left_children", 0, 10**6), "has no child, or two"),
    "a child before all": (put("tree", "right_children", 0, -1), "has no child, or two"),
    "no such feature": (put("tree", "split_indices", 0, 3), "tree 0 looks at features that are not among the 3"),
    "a wrapped feature": (put("tree", "split_indices", 0, 2**32), "tree 0 looks at features that are not among the 3"),
    "a feature below": (put("tree", "split_indices", 0, -2), "tree 0 looks at features"),
    "a huge feature": (put("tree", "split_indices", 0, 2**70), "has a list that is object"),
    "half a list": (lambda model: tree(model)["split_conditions"].pop(), r"a tree of \d+ nodes has a list that is"),
    "lists of lists": (put("tree", "default_left", 0, [1]), "inhomogeneous"),
    "words": (put("tree", "left_children", 0, "1"), "has a list that is"),
    "no number": (put("tree", "split_conditions", 0, float("nan")), "tree 0 has thresholds that are no numbers"),
    "too large": (put("tree", "split_conditions", -1, 1e39), "or values that are not finite"),
    "categories": (put("tree", "split_type", 0, 1), "splits by category"),
    "vectors": (put("tree", "tree_param", "size_leaf_vector", "2"), "has vectors in its leaves"),
    "no trees": (both(put(*TREES, "trees", []), put(*TREES, "tree_info", [])), "0 trees cannot take turns"),
    "another class": (put(*TREES, "tree_info", [1, 0, 0]), "the 3 trees do not take turns for the classes"),
    "no list": (put("tree", "left_children", None), "TypeError"),
    "no learner": (lambda model: model.pop("learner"), "KeyError"),
    "more features": (put("learner", "learner_model_param", "num_feature", "4"), "'num_feature': 4"),
    "more classes": (put("learner", "learner_model_param", "num_class", "3"), "'num_class': 3"),
    "dropout": (put("learner", "gradient_booster", "name", "dart"), "'booster': 'dart'"),
    "a regression": (put("learner", "objective", "name", "reg:squarederror"), "'objective': 'reg:squarederror'"),
    "no chance": (put("learner", "learner_model_param", "base_score", "[0E0]"), "base_score must be a probability"),
    "two scores": (
        put("learner", "learner_model_param", "base_score", "[5E-1,5E-1]"),
        "base_score must hold 1 numbers",
    ),
}


@pytest.fixture
def altered(parts):
    """A function that saves a tagger to tagger/ whose file another made, its hashes right."""
    tagger, _ = fitted(replace(SMALL, iterations=3), *parts())

    def make(change):
        head = {"kind": "xgboost", "inputs": tagger.inputs, "classes": tagger.classes, "summary": {}}
        write_tagger(Path("tagger"), {"model.json": change(tagger.data)}, head)
        return tagger

    return make


def through_json(change):
    def apply(data):
        model = json.loads(data)
        change(model)
        return json.dumps(model).encode()

    return apply


@pytest.mark.parametrize("strange", STRANGE)
def test_a_strangers_model_is_refused_in_one_line(altered, strange):
    change, says = STRANGE[strange]
    altered(through_json(change))
    with pytest.raises(ValueError, match=rf"^tagger/tagger.json and its model.json do not fit together: .*{says}"):
        load_tagger("tagger")


@pytest.mark.parametrize(
    "change", [lambda data: data[: len(data) // 2], lambda _: b"[" * 10**6, lambda _: b"\xff\xfe\x00", lambda _: b""]
)
def test_what_is_no_json_is_refused(altered, change):
    altered(change)
    with pytest.raises(ValueError, match="do not fit together"):
        load_tagger("tagger")


def test_what_a_file_claims_is_not_believed(altered, parts):
    _, valid = parts()
    claims = both(put("tree", "tree_param", "num_nodes", "1000000000"), put(*TREES, "gbtree_model_param", "a billion"))
    tagger = altered(through_json(claims))
    assert np.array_equal(load_tagger("tagger").scores(valid), tagger.scores(valid))


@pytest.mark.parametrize("said", ["5E-1", "[5E-1]", "[5E-1,5E-1,5E-1]"])
def test_the_base_score_of_several_classes_is_one_for_all_or_one_for_each(parts, said):
    tagger, _ = fitted(replace(SMALL, iterations=2), *parts(3))
    model = json.loads(tagger.data)
    model["learner"]["learner_model_param"]["base_score"] = said
    trees, baseline = tagger.read(json.dumps(model).encode(), tagger.inputs, tagger.classes)
    assert (len(trees), baseline.tolist()) == (6, [0.5, 0.5, 0.5])
