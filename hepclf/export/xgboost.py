"""Boosted trees as XGBoost's JSON, which ROOT's RBDT also reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value, shortest_text
from hepclf.export.formats import Score, uncalibrated
from hepclf.models.model import Tagger
from hepclf.models.trees import Trees, TreesTagger
from hepclf.statistics.calibration import Isotonic

VERSION = (2, 1, 0)  # of XGBoost: from 3.1 on it may hold a base score a class, which RBDT refuses
ROOT = 2**31 - 1  # the parent of a root
MISSING = "missing"  # the attribute that says what XGBoost's setting of this name must be
LARGEST = np.finfo(np.float32).max


def xgboost_json(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """The text of the file; `notes` become its attributes. Features have numbers instead of names: f0, f1..."""
    inner, calibration = uncalibrated(tagger)
    if not isinstance(inner, TreesTagger) or inner.settings["link"] != "logistic":
        raise ValueError(
            "format=xgboost-json needs boosted trees, which are summed, not trees that are averaged; use format=onnx"
        )
    if isinstance(calibration, Isotonic):
        raise ValueError(
            "trainer.calibrate must be temperature for format=xgboost-json, not isotonic, which no sum of trees is; "
            "use format=onnx or format=cpp"
        )
    attributes = {}
    if (value := shared_sentinel(tagger)) is not None:
        attributes[MISSING] = str(value)
    k = inner.trees.values.shape[1]
    trees = _interleaved(inner, 1.0 if calibration is None else calibration.temperature)
    model = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
        "iteration_indptr": list(range(0, len(trees) + 1, k)),
        "tree_info": [number % k for number in range(len(trees))],
        "trees": [{"id": number, **tree} for number, tree in enumerate(trees)],
    }
    learner = {
        "attributes": {**notes, **attributes},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": _parameters(k, len(tagger.inputs)),
        "objective": _objective(k),
    }
    return json.dumps({"learner": learner, "version": VERSION}, allow_nan=False).encode()


def shared_sentinel(tagger: Tagger) -> float | None:
    """The declared missing value that all features share, or None; a ValueError if features differ or declare several.

    XGBoost accepts only one such value, which the caller passes at each call.
    """
    values = by_value(tagger.inputs, tagger.sentinels)
    if len(values) > 1 or any(len(columns) < len(tagger.inputs) for columns in values.values()):
        raise ValueError(
            f"format=xgboost-json cannot map the declared missing values {', '.join(map(shortest_text, values))}: "
            "XGBoost takes one value, and for all features; use format=onnx or format=cpp"
        )
    return next(iter(values), None)


def _parameters(outputs: int, inputs: int) -> dict[str, str]:
    # The base score is a probability for two classes, otherwise a logit; both stand for a logit of 0.
    base_score, classes = ("5E-1", 0) if outputs == 1 else ("0E0", outputs)
    return {
        "base_score": base_score,
        "boost_from_average": "1",
        "num_class": str(classes),
        "num_feature": str(inputs),
        "num_target": "1",
    }


def _objective(outputs: int) -> dict[str, Any]:
    if outputs == 1:
        return {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}}
    return {"name": "multi:softprob", "softmax_multiclass_param": {"num_class": str(outputs)}}


def _interleaved(tagger: TreesTagger, temperature: float) -> list[dict[str, Any]]:
    """The trees of the classes in turn: first a leaf with the baseline of each class, then the trees of its logit.

    Each leaf holds its part of the logit, divided by the temperature.
    """
    trees, d, k = tagger.trees, len(tagger.inputs), tagger.trees.values.shape[1]
    class_trees = [[_leaf(value / temperature, d)] for value in tagger.arrays["baseline"].tolist()]
    for start, end in pairwise([*trees.roots.tolist(), len(trees.inner)]):
        for output in np.flatnonzero(trees.values[start:end].any(axis=0)).tolist():
            class_trees[output].append(_tree(trees, slice(start, end), trees.values[start:end, output] / temperature))
    rounds = max(map(len, class_trees))
    padded = [trees_of_class + [_leaf(0.0, d)] * (rounds - len(trees_of_class)) for trees_of_class in class_trees]
    return [padded[output][number] for number in range(rounds) for output in range(k)]


def _tree(trees: Trees, part: slice, values: NDArray[np.float64]) -> dict[str, Any]:
    """One tree. A value goes left if it is < the condition, which is the next number above the threshold.

    The largest float32 has no next number. Then the two children are swapped, and the condition is the smallest
    number: no value is below it, so all values but missing ones go right.
    """
    inner, left_children = trees.inner[part], trees.children[part] - part.start
    thresholds = np.where(inner, trees.thresholds[part], np.float32(0))
    swapped = thresholds == LARGEST
    with np.errstate(over="ignore"):
        conditions = np.where(swapped, -LARGEST, np.nextafter(thresholds, np.float32(np.inf)))
    order = np.arange(len(inner))
    first = left_children[swapped]
    order[first], order[first + 1] = first + 1, first
    conditions = np.where(inner, conditions, values.astype(np.float32))
    missing_left = inner & ((trees.columns[part] >= trees.width) != swapped)
    features = np.where(inner, trees.columns[part] % trees.width, 0)
    return _tree_json(
        left_children=np.where(inner, left_children, -1)[order],
        features=features[order],
        missing_left=missing_left[order],
        conditions=conditions[order],
        inputs=trees.width,
    )


def _leaf(value: float, inputs: int) -> dict[str, Any]:
    zero = np.zeros(1, dtype=np.int64)
    condition = np.array([value], dtype=np.float32)
    return _tree_json(left_children=zero - 1, features=zero, missing_left=zero, conditions=condition, inputs=inputs)


def _tree_json(
    *,
    left_children: NDArray[Any],
    features: NDArray[Any],
    missing_left: NDArray[Any],
    conditions: NDArray[np.float32],
    inputs: int,
) -> dict[str, Any]:
    """A tree in XGBoost's JSON. A right child comes right after the left one; statistics of the training are zero."""
    inner = np.flatnonzero(left_children >= 0)
    parents = np.full(len(left_children), ROOT)
    parents[left_children[inner]] = parents[left_children[inner] + 1] = inner
    zeros = [0.0] * len(left_children)
    return {
        "base_weights": zeros,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": missing_left.astype(int).tolist(),
        "left_children": left_children.tolist(),
        "loss_changes": zeros,
        "parents": parents.tolist(),
        "right_children": np.where(left_children >= 0, left_children + 1, -1).tolist(),
        "split_conditions": conditions.astype(str).astype(np.float64).tolist(),  # as few digits as single it out
        "split_indices": features.tolist(),
        "split_type": [0] * len(left_children),
        "sum_hessian": zeros,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(inputs),
            "num_nodes": str(len(left_children)),
            "size_leaf_vector": "1",
        },
    }


@contextmanager
def xgboost_scores(data: bytes) -> Iterator[Score]:
    """A function that scores with such a file through XGBoost."""
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(data))
    missing = float(booster.attr(MISSING) or np.nan)

    def score(features: NDArray[np.float32], _: NDArray[np.uint64] | None = None, /) -> NDArray[np.float64]:
        if not len(features):  # of which XGBoost warns, and forgets how many classes there are
            return score(np.zeros((1, features.shape[1]), dtype=np.float32))[:0]
        scores: NDArray[np.float32] = booster.inplace_predict(features, missing=missing)
        return scores.astype(np.float64)

    yield score


def xgboost_usage(tagger: Tagger, name: str, path: str) -> list[str]:  # noqa: ARG001
    """Lines of code that use the file in XGBoost and in ROOT."""
    sentinels = by_value(tagger.inputs, tagger.sentinels)
    return [
        f'booster = xgboost.Booster(model_file="{path}")',
        *(f"scores = booster.inplace_predict(features, missing={shortest_text(value)})" for value in sentinels),
        f'auto bdt = TMVA::Experimental::RBDT::LoadXGBoost("{path}");',
    ]
