"""Boosted decision trees of LightGBM."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import Matrix
from hepclf.models.boosted import BoostedFit, BoostedTagger, Stored, leaf_values, node_array
from hepclf.models.model import Fit
from hepclf.models.monotone import Monotone, check_monotone, monotone_signs
from hepclf.models.tree_fit import check_at_least, check_positive, output_count, tree_matrices
from hepclf.models.trees import LEAF, Nodes
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

MAXIMUM_LEAVES = 131_072  # of the library
BY_CATEGORY, MISSING_LEFT = 1, 2  # bits of a split's decision_type
ABSENT = 12  # its bits for what counts as missing
NOTHING, NAN = 0, 8
TINY = float(np.float32(1e-35))  # what is no larger counts as zero


@recipe
class LightGBM:
    """LightGBM's gradient boosting on histograms; an Epoch is a boosting round. Missing values need no rule.

    monotone  features with which the signal's score may only rise (1) or fall (-1), by name

    It trains on the CPU.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"patience", "keep", "seed"}

    iterations: int = 500
    learning_rate: float = 0.1
    leaves: int = 31
    depth: int | None = None
    leaf_events: int = 20
    leaf_weight: float = 1e-3
    l1: float = 0.0
    l2: float = 0.0
    bins: int = 255
    event_fraction: float = 1.0
    feature_fraction: float = 1.0
    monotone: Monotone = field(default_factory=dict)
    threads: int | None = None

    def __post_init__(self) -> None:
        check_at_least(
            self, iterations=1, leaves=2, depth=1, leaf_events=1, leaf_weight=0, l1=0, l2=0, bins=2, threads=1
        )
        check_positive(self, "learning_rate")
        check_positive(self, "event_fraction", "feature_fraction", maximum=1)
        if self.leaves > MAXIMUM_LEAVES:
            raise ValueError(f"leaves must be at most {MAXIMUM_LEAVES}, not {self.leaves}")

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, trainer: Trainer) -> None:  # noqa: ARG002
        """Refuse settings that do not fit these features and classes; None if they are not known yet."""
        check_monotone(self.monotone, names, classes)
        _lightgbm()

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        settings = self.library(len(train.classes), monotone_signs(self.monotone, train), trainer.seed)
        _lightgbm()
        parts = tree_matrices(train, valid, trainer, "model=lightgbm")
        return BoostedFit(
            parts,
            trainer,
            begin=lambda: _LightGBMBoosting(settings, *parts),
            kind=LightGBMTagger,
            rounds=self.iterations,
            rate=self.learning_rate,
        )

    def library(self, classes: int, signs: list[int] | None, seed: int) -> dict[str, Any]:
        """The settings in LightGBM's names."""
        loss: dict[str, Any] = {"objective": "multiclass", "metric": "multi_logloss", "num_class": classes}
        if classes == 2:
            loss = {"objective": "binary", "metric": "binary_logloss"}
        constraints = {"monotone_constraints": signs} if signs else {}
        return {
            **loss,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "max_depth": self.depth or -1,
            "min_data_in_leaf": self.leaf_events,
            "min_sum_hessian_in_leaf": self.leaf_weight,
            "lambda_l1": self.l1,
            "lambda_l2": self.l2,
            "max_bin": self.bins,
            "bagging_fraction": self.event_fraction,
            "bagging_freq": int(self.event_fraction < 1),
            "feature_fraction_bynode": self.feature_fraction,
            "seed": seed,
            "num_threads": self.threads or torch.get_num_threads(),
            # Otherwise the way in which histograms are summed depends on timing, and so do the last digits.
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
            **constraints,
        }


class LightGBMTagger(BoostedTagger):
    """LightGBM boosting, stored as LightGBM's text."""

    kind = "lightgbm"
    file = "model.txt"

    @staticmethod
    def read(data: bytes, inputs: tuple[str, ...], classes: tuple[str, ...]) -> Stored:
        """The trees; the starting values of the classes are part of the first ones."""
        text, end, _ = data.decode().partition("\nend of trees\n")
        if not end:
            raise ValueError("it ends before its trees do")
        head, *trees = (_words(block) for block in text.split("\nTree="))
        outputs = output_count(classes)
        stored = {name: head[name] for name in ("objective", "num_class", "num_tree_per_iteration", "max_feature_idx")}
        objective = "binary sigmoid:1" if outputs == 1 else f"multiclass num_class:{outputs}"
        required = {
            "objective": objective,
            "num_class": str(outputs),
            "num_tree_per_iteration": str(outputs),
            "max_feature_idx": str(len(inputs) - 1),
        }
        if stored != required or "average_output" in head:
            raise ValueError(f"the model has {str(stored)[:200]}, the tagger needs {required}")
        nodes = [_nodes(tree, number, classes) for number, tree in enumerate(trees)]
        return Stored(nodes, np.zeros(outputs))


class _LightGBMBoosting:
    """A booster, which grows by one round in each step."""

    def __init__(self, settings: dict[str, Any], train: Matrix, valid: Matrix) -> None:
        lightgbm = _lightgbm()
        data = lightgbm.Dataset(train.features, train.targets, weight=train.weights, params=settings)
        check = data.create_valid(valid.features, valid.targets, weight=valid.weights, params=settings)
        self._settings, self._rounds = settings, 0
        self._booster = lightgbm.Booster(settings, data)
        self._booster.add_valid(check, "valid")

    def step(self) -> tuple[float, float] | None:
        if self._booster.update():  # no tree of this round could split
            if self._rounds == 0:
                raise ValueError(
                    "no split leaves enough events on both sides, so there is nothing to boost; lower "
                    f"model.leaf_events={self._settings['min_data_in_leaf']} or "
                    f"model.leaf_weight={self._settings['min_sum_hessian_in_leaf']}"
                )
            return None
        self._rounds += 1
        train, valid = (losses[0][2] for losses in (self._booster.eval_train(), self._booster.eval_valid()))
        return float(train), float(valid)

    def stored(self, rounds: int) -> bytes:
        text: str = self._booster.model_to_string(num_iteration=rounds)
        return text.encode()

    def probabilities(self, features: NDArray[np.float32], rounds: int) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = self._booster.predict(features, num_iteration=rounds)
        return probabilities


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError:
        raise ValueError("model=lightgbm needs lightgbm; pip install 'hepclf[boost]'") from None
    return lightgbm


def _words(block: str) -> dict[str, str]:
    """The lines name=value of a block of the text."""
    return {name: value for name, equals, value in (line.partition("=") for line in block.split("\n"))}


def _nodes(tree: dict[str, str], number: int, classes: tuple[str, ...]) -> Nodes:
    """One tree of the text: splits first, then leaves; leaf i as a child is written as -1 - i."""
    leaves = int(tree["num_leaves"])
    if int(tree["num_cat"]) or int(tree["is_linear"]):
        raise ValueError(f"tree {number} splits by category or has lines in its leaves, which hepclf never asks for")
    values = _numbers(tree, "leaf_value", float, leaves)
    if leaves == 1:
        return _single_leaf(leaf_values(values, number, classes))
    splits = leaves - 1
    kinds = _numbers(tree, "decision_type", int, splits)
    thresholds = _numbers(tree, "threshold", float, splits)
    thresholds = np.where(thresholds == -TINY, np.nextafter(-TINY, -np.inf), thresholds)  # as zero lies above it
    if np.any(kinds & BY_CATEGORY) or np.isin(kinds & ABSENT, (NOTHING, NAN), invert=True).any():
        raise ValueError(f"tree {number} splits by category or takes zero for missing, which hepclf never asks for")
    # A feature without missing values in training has no side for them: they count as zero there.
    missing_left = np.where(kinds & ABSENT == NAN, kinds & MISSING_LEFT, thresholds >= 0)
    children = [_numbers(tree, f"{side}_child", int, splits) for side in ("left", "right")]
    left_children, right_children = (np.where(child < 0, splits - 1 - child, child) for child in children)
    zeros = np.zeros(leaves, dtype=np.int64)
    return Nodes(
        features=np.concatenate([_numbers(tree, "split_feature", int, splits), zeros + LEAF]),
        thresholds=np.concatenate([thresholds, zeros]),
        missing_left=np.concatenate([missing_left, zeros]),
        left=np.concatenate([left_children, zeros]),
        right=np.concatenate([right_children, zeros]),
        values=leaf_values(np.concatenate([np.zeros(splits), values]), number, classes),
    )


def _single_leaf(values: NDArray[np.float64]) -> Nodes:
    zeros = np.zeros(1, dtype=np.int64)
    return Nodes(zeros + LEAF, zeros, zeros, zeros, zeros, values)


def _numbers(tree: dict[str, str], name: str, kind: type[int] | type[float], length: int) -> NDArray[Any]:
    letter = "i" if kind is int else "f"
    return node_array([kind(word) for word in tree[name].split()], letter, length)
