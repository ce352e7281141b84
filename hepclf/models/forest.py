"""Random forests: the average of many deep trees, each grown on randomly drawn events and features."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import torch

from hepclf.events import Events
from hepclf.models.arrays import Matrix
from hepclf.models.model import Fit
from hepclf.models.tree_fit import TreesFit, check_at_least, check_positive, sklearn_nodes, tree_matrices
from hepclf.models.trees import Nodes
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

EPOCHS = 10  # a tenth of the trees is an Epoch


@recipe
class Forest:
    """scikit-learn's RandomForest, or ExtraTrees (kind=extra), which also draws cuts at random; all trees are kept."""

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"seed"}

    kind: Literal["random", "extra"] = "random"
    trees: int = 300
    depth: int | None = None
    leaves: int | None = None
    leaf_events: int = 5
    feature_fraction: float | None = None

    def __post_init__(self) -> None:
        check_at_least(self, trees=1, depth=1, leaves=2, leaf_events=1)
        check_positive(self, "feature_fraction", maximum=1)

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""

        def grow(events: Matrix) -> Iterator[list[Nodes]]:
            return _tree_batches(self, events, trainer.seed)

        parts = tree_matrices(train, valid, trainer, "model=forest")
        return TreesFit(parts, trainer, grow=grow, rounds=min(EPOCHS, self.trees), link="mean")

    def library(self, seed: int) -> dict[str, Any]:
        """The settings in the names of RandomForestClassifier and ExtraTreesClassifier."""
        return {
            "n_estimators": self.trees,
            "max_depth": self.depth,
            "max_leaf_nodes": self.leaves,
            "min_samples_leaf": self.leaf_events,
            "max_features": self.feature_fraction or "sqrt",
            "random_state": seed,
        }


def _tree_batches(recipe: Forest, train: Matrix, seed: int) -> Iterator[list[Nodes]]:
    """The trees in batches: a warm start grows the same forest as a single fit."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    kind = RandomForestClassifier if recipe.kind == "random" else ExtraTreesClassifier
    model = kind(**recipe.library(seed), warm_start=True, n_jobs=torch.get_num_threads())
    rounds = min(EPOCHS, recipe.trees)
    before = 0
    for number in range(1, rounds + 1):
        model.set_params(n_estimators=math.ceil(recipe.trees * number / rounds))
        model.fit(train.features, train.targets, sample_weight=train.weights)
        yield [sklearn_nodes(tree.tree_) for tree in model.estimators_[before:]]
        before = len(model.estimators_)
