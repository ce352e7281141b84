"""Boosted trees as XGBoost's JSON, which ROOT's RBDT reads too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value, shortest_text
from hepclf.export.form import Score, bare
from hepclf.models.model import Tagger, sentinels
from hepclf.models.trees import Trees, TreesTagger
from hepclf.statistics.calibration import Isotonic

VERSION = (2, 1, 0)  # of XGBoost: from 3.1 on it may hold a base score a class, which RBDT refuses
ROOT = 2**31 - 1  # the parent of a root
MISSING = "missing"  # the attribute that says what XGBoost's setting of this name must be
LARGEST = np.finfo(np.float32).max


def written(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """The text of the file; `notes` become its attributes. Features are f0, f1...: they have numbers, no names."""
    inner, calibration = bare(tagger)
    if not isinstance(inner, TreesTagger) or inner.settings["link"] != "logistic":
        raise ValueError(
            "format=xgboost-json adds up boosted trees, however this tagger averages trees; use format=onnx"
        )
    if isinstance(calibration, Isotonic):
        raise ValueError(
            "format=xgboost-json holds calibrations by a temperature, however this one is isotonic, which no sum of "
            "trees is; use format=onnx or format=cpp"
        )
    attributes = {} if (value := shared_sentinel(tagger)) is None else {MISSING: str(value)}
    k = inner.trees.values.shape[1]
    trees = _in_turn(inner, 1.0 if calibration is None else calibration.temperature)
    two = {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}}
    more = {"name": "multi:softprob", "softmax_multiclass_param": {"num_class": str(k)}}
    model = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
        "iteration_indptr": list(range(0, len(trees) + 1, k)),
        "tree_info": [place % k for place in range(len(trees))],
        "trees": [{"id": place, **tree} for place, tree in enumerate(trees)],
    }
    parameters = {
        "base_score": "5E-1" if k == 1 else "0E0",  # a probability, or a logit: of nothing yet
        "boost_from_average": "1",
        "num_class": str(k if k > 1 else 0),
        "num_feature": str(len(tagger.inputs)),
        "num_target": "1",
    }
    learner = {
        "attributes": {**notes, **attributes},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": parameters,
        "objective": two if k == 1 else more,
    }
    return json.dumps({"learner": learner, "version": VERSION}, allow_nan=False).encode()


def shared_sentinel(tagger: Tagger) -> float | None:
    """The declared missing value of all features, None where none is declared; ValueError where there are others.

    XGBoost takes one such value, and wants to be told at each call.
    """
    values = by_value(tagger.inputs, sentinels(tagger))
    if len(values) > 1 or any(len(places) < len(tagger.inputs) for places in values.values()):
        raise ValueError(
            f"format=xgboost-json cannot map the declared missing values {', '.join(map(shortest_text, values))}: "
            "XGBoost takes one value, and for all features; use format=onnx or format=cpp"
        )
    return next(iter(values), None)


def _in_turn(tagger: TreesTagger, temperature: float) -> list[dict[str, Any]]:
    """Trees that take turns for the classes: the baseline as one leaf each, then those that add to the class.

    Each leaf holds its share of the logits over the temperature.
    """
    trees, d, k = tagger.trees, len(tagger.inputs), tagger.trees.values.shape[1]
    of_class = [[_leaf(value / temperature, d)] for value in tagger.arrays["baseline"].tolist()]
    for start, end in pairwise([*trees.roots.tolist(), len(trees.inner)]):
        for output in np.flatnonzero(trees.values[start:end].any(axis=0)).tolist():
            of_class[output].append(_tree(trees, slice(start, end), trees.values[start:end, output] / temperature))
    most = max(map(len, of_class))
    filled = [own + [_leaf(0.0, d)] * (most - len(own)) for own in of_class]
    return [filled[place % k][place // k] for place in range(most * k)]


def _tree(trees: Trees, part: slice, values: NDArray[np.float64]) -> dict[str, Any]:
    """One tree: a feature goes left where it is < the condition, which is the next number above a threshold.

    There is none above the largest, which all but missing values go left of: the children change places then, and all
    but missing values go right, as none is < the smallest number.
    """
    inner, left = trees.inner[part], trees.children[part] - part.start
    thresholds = np.where(inner, trees.thresholds[part], np.float32(0))
    every = thresholds == LARGEST
    with np.errstate(over="ignore"):
        conditions = np.where(every, -LARGEST, np.nextafter(thresholds, np.float32(np.inf)))
    order = np.arange(len(inner))
    order[left[every]], order[left[every] + 1] = left[every] + 1, left[every]
    conditions = np.where(inner, conditions, values.astype(np.float32))
    missing_left = inner & ((trees.columns[part] >= trees.width) != every)
    features = np.where(inner, trees.columns[part] % trees.width, 0)
    return _plain(
        left=np.where(inner, left, -1)[order],
        features=features[order],
        missing_left=missing_left[order],
        conditions=conditions[order],
        inputs=trees.width,
    )


def _leaf(value: float, inputs: int) -> dict[str, Any]:
    zero = np.zeros(1, dtype=np.int64)
    condition = np.array([value], dtype=np.float32)
    return _plain(left=zero - 1, features=zero, missing_left=zero, conditions=condition, inputs=inputs)


def _plain(
    *,
    left: NDArray[Any],
    features: NDArray[Any],
    missing_left: NDArray[Any],
    conditions: NDArray[np.float32],
    inputs: int,
) -> dict[str, Any]:
    """A tree as XGBoost says it, where a right child comes after the left; what it knows of the training is zero."""
    inner = np.flatnonzero(left >= 0)
    parents = np.full(len(left), ROOT)
    parents[left[inner]] = parents[left[inner] + 1] = inner
    zeros = [0.0] * len(left)
    return {
        "base_weights": zeros,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": missing_left.astype(int).tolist(),
        "left_children": left.tolist(),
        "loss_changes": zeros,
        "parents": parents.tolist(),
        "right_children": np.where(left >= 0, left + 1, -1).tolist(),
        "split_conditions": conditions.astype(str).astype(np.float64).tolist(),  # as few digits as single it out
        "split_indices": features.tolist(),
        "split_type": [0] * len(left),
        "sum_hessian": zeros,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(inputs),
            "num_nodes": str(len(left)),
            "size_leaf_vector": "1",
        },
    }


@contextmanager
def opened(data: bytes) -> Iterator[Score]:
    """How XGBoost scores with such a file."""
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(data))
    missing = float(booster.attr(MISSING) or np.nan)

    def score(features: NDArray[np.float32]) -> NDArray[np.float64]:
        if not len(features):  # of which XGBoost warns, and forgets how many classes there are
            return score(np.zeros((1, features.shape[1]), dtype=np.float32))[:0]
        found: NDArray[np.float32] = booster.inplace_predict(features, missing=missing)
        return found.astype(np.float64)

    yield score
