"""Boosted decision trees of XGBoost."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.files import from_json
from hepclf.models.arrays import Matrix
from hepclf.models.boosted import BoostedFit, BoostedTagger, Stored, leaf_values, node_array
from hepclf.models.model import Fit
from hepclf.models.monotone import Monotone, check_monotone, monotone_signs
from hepclf.models.tree_fit import check_at_least, check_positive, output_count, tree_matrices
from hepclf.models.trees import LEAF, Nodes
from hepclf.recipe import recipe
from hepclf.training.device import resolve
from hepclf.training.trainer import WEIGHTING, Trainer


@recipe
class XGBoost:
    """XGBoost's gradient boosting on histograms; an Epoch is a boosting round. Missing values need no rule.

    monotone  features with which the signal's score may only rise (1) or fall (-1), by name
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"device", "patience", "keep", "seed"}

    iterations: int = 500
    learning_rate: float = 0.1
    depth: int | None = 6
    leaves: int | None = None
    leaf_weight: float = 1.0
    l1: float = 0.0
    l2: float = 1.0
    bins: int = 256
    event_fraction: float = 1.0
    feature_fraction: float = 1.0
    monotone: Monotone = field(default_factory=dict)
    threads: int | None = None

    def __post_init__(self) -> None:
        check_at_least(self, iterations=1, depth=1, leaves=2, leaf_weight=0, l1=0, l2=0, bins=2, threads=1)
        check_positive(self, "learning_rate")
        check_positive(self, "event_fraction", "feature_fraction", maximum=1)
        if self.depth is None and self.leaves is None:
            raise ValueError("depth and leaves must not both be null: nothing else ends a tree")

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, trainer: Trainer) -> None:
        """Refuse settings that do not fit these features and classes; None if they are not known yet."""
        check_monotone(self.monotone, names, classes)
        _device(trainer.device)

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        settings = self.library(len(train.classes), monotone_signs(self.monotone, train), trainer.seed)
        settings["device"] = _device(trainer.device)
        parts = tree_matrices(train, valid, trainer, "model=xgboost")
        return BoostedFit(
            parts,
            trainer,
            begin=lambda: _XGBoosting(settings, *parts),
            kind=XGBoostTagger,
            rounds=self.iterations,
            rate=self.learning_rate,
        )

    def library(self, classes: int, signs: list[int] | None, seed: int) -> dict[str, Any]:
        """The settings in XGBoost's names."""
        loss: dict[str, Any] = {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": classes}
        if classes == 2:
            loss = {"objective": "binary:logistic", "eval_metric": "logloss"}
        constraints = {"monotone_constraints": tuple(signs)} if signs else {}
        return {
            **loss,
            "tree_method": "hist",
            "eta": self.learning_rate,
            "max_depth": self.depth or 0,
            "max_leaves": self.leaves or 0,
            "grow_policy": "depthwise" if self.leaves is None else "lossguide",
            "min_child_weight": self.leaf_weight,
            "alpha": self.l1,
            "lambda": self.l2,
            "max_bin": self.bins,
            "subsample": self.event_fraction,
            "colsample_bynode": self.feature_fraction,
            "seed": seed,
            "nthread": self.threads or torch.get_num_threads(),
            "verbosity": 0,
            **constraints,
        }


class XGBoostTagger(BoostedTagger):
    """XGBoost boosting, stored as XGBoost's JSON without names of features."""

    kind = "xgboost"
    file = "model.json"

    @staticmethod
    def read(data: bytes, inputs: tuple[str, ...], classes: tuple[str, ...]) -> Stored:
        """The trees, and the base score as logits."""
        learner = from_json(data)["learner"]
        booster, shape, k = learner["gradient_booster"], learner["learner_model_param"], len(classes)
        stored = {
            "booster": booster["name"],
            "objective": learner["objective"]["name"],
            "num_feature": int(shape["num_feature"]),
            "num_class": int(shape["num_class"]),
        }
        objective, classes_stored = "multi:softprob", k
        if k == 2:
            objective, classes_stored = "binary:logistic", 0
        required = {
            "booster": "gbtree",
            "objective": objective,
            "num_feature": len(inputs),
            "num_class": classes_stored,
        }
        if stored != required:
            raise ValueError(f"the model has {str(stored)[:200]}, the tagger needs {required}")
        trees, outputs = booster["model"]["trees"], output_count(classes)
        if booster["model"]["tree_info"] != [number % outputs for number in range(len(trees))]:
            raise ValueError(f"the {len(trees)} trees do not take turns for the classes")
        nodes = [_nodes(tree, number, classes) for number, tree in enumerate(trees)]
        return Stored(nodes, _baseline(shape["base_score"], outputs))


class _XGBoosting:
    """A booster, which grows by one round in each step."""

    def __init__(self, settings: dict[str, Any], train: Matrix, valid: Matrix) -> None:
        xgboost = _xgboost()
        self._rounds = 0
        self._train, self._valid = (
            xgboost.DMatrix(part.features, part.targets, weight=part.weights, nthread=settings["nthread"])
            for part in (train, valid)
        )
        self._booster = xgboost.Booster(settings, [self._train, self._valid])

    def step(self) -> tuple[float, float]:
        try:
            self._booster.update(self._train, self._rounds)
        except _xgboost().core.XGBoostError as error:
            reason = str(error).partition("Stack trace")[0]
            raise ValueError(f"XGBoost cannot train with these settings: {' '.join(reason.split())}") from error
        line = self._booster.eval_set([(self._train, "train"), (self._valid, "valid")], self._rounds)
        self._rounds += 1
        train, valid = (float(word.rpartition(":")[2]) for word in line.split()[1:])
        return train, valid

    def stored(self, rounds: int) -> bytes:
        return bytes(self._booster[:rounds].save_raw("json"))

    def probabilities(self, features: NDArray[np.float32], rounds: int) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = self._booster.inplace_predict(features, iteration_range=(0, rounds))
        return probabilities


def _xgboost() -> Any:
    try:
        import xgboost
    except ImportError:
        raise ValueError("model=xgboost needs xgboost; pip install 'hepclf[boost]'") from None
    return xgboost


def _device(name: str) -> str:
    """The device of the boosting; a GPU needs a build of XGBoost with CUDA."""
    device, able = resolve(name), bool(_xgboost().build_info().get("USE_CUDA"))
    if device.type == "cpu" or (not able and name == "auto"):
        return "cpu"
    if not able:
        raise ValueError(
            f"trainer.device must be cpu, not {name}: this XGBoost is built without CUDA; replace the package "
            "xgboost-cpu by xgboost, as in hepclf[boost-gpu], or use trainer.device=cpu"
        )
    return str(device)


def _nodes(tree: dict[str, Any], number: int, classes: tuple[str, ...]) -> Nodes:
    """One tree of the JSON: an event goes left if its feature < condition; at a leaf, the condition is the value."""
    parameters = tree["tree_param"]
    count = len(tree["left_children"])
    if int(parameters["size_leaf_vector"]) > 1 or np.any(node_array(tree["split_type"], "i", count)):
        raise ValueError(f"tree {number} has vectors in its leaves or splits by category, which hepclf never asks for")
    left_children, right_children = (node_array(tree[f"{side}_children"], "i", count) for side in ("left", "right"))
    with np.errstate(over="ignore"):  # to infinity, which no tree may hold
        conditions = node_array(tree["split_conditions"], "fi", count).astype(np.float32)
    leaf = left_children == -1
    return Nodes(
        features=np.where(leaf, LEAF, node_array(tree["split_indices"], "i", count)),
        thresholds=np.where(leaf, np.float32(0), np.nextafter(conditions, np.float32(-np.inf))),
        missing_left=node_array(tree["default_left"], "bi", count),
        left=left_children,
        right=right_children,
        values=leaf_values(conditions.astype(np.float64), number, classes),
    )


def _baseline(base_score: str, outputs: int) -> NDArray[np.float64]:
    """Logits from the base score: a probability for two classes; otherwise logits, one for all in files before 3.1."""
    scores = np.array([float(word) for word in re.sub(r"[\[\]]", "", base_score).split(",")])
    if len(scores) not in (1, outputs):
        raise ValueError(f"base_score must hold {outputs} numbers, not {base_score[:100]}")
    if outputs > 1:
        return np.broadcast_to(scores, (outputs,)).copy()
    if not 0 < scores[0] < 1:
        raise ValueError(f"base_score must be a probability, not {base_score[:100]}")
    logits: NDArray[np.float64] = np.log(scores / (1 - scores))
    return logits
