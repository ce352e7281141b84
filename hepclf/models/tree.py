"""A single decision tree, which can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from hepclf.events import Events
from hepclf.models.arrays import Matrix
from hepclf.models.model import Fit
from hepclf.models.rules import rules
from hepclf.models.tree_fit import TreesFit, check_at_least, sklearn_nodes, tree_matrices
from hepclf.models.trees import Nodes, TreesTagger
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer


@recipe
class Tree:
    """A decision tree of scikit-learn; if it is small, its summary holds it as rules, each of which is a selection."""

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"seed"}

    depth: int | None = 4
    leaves: int | None = None
    leaf_events: int = 50
    pruning: float = 0.0

    def __post_init__(self) -> None:
        check_at_least(self, depth=1, leaves=2, leaf_events=1, pruning=0)

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        return TreeFit(self, train, valid, trainer)

    def library(self, seed: int) -> dict[str, Any]:
        """The settings in the names of DecisionTreeClassifier."""
        return {
            "max_depth": self.depth,
            "max_leaf_nodes": self.leaves,
            "min_samples_leaf": self.leaf_events,
            "ccp_alpha": self.pruning,
            "random_state": seed,
        }


class TreeFit(TreesFit):
    """A tree grown in one step."""

    def __init__(self, recipe: Tree, train: Events, valid: Events, trainer: Trainer) -> None:
        def grow(events: Matrix) -> Iterator[list[Nodes]]:
            from sklearn.tree import DecisionTreeClassifier

            model = DecisionTreeClassifier(**recipe.library(trainer.seed))
            model.fit(events.features, events.targets, sample_weight=events.weights)
            yield [sklearn_nodes(model.tree_)]

        parts = tree_matrices(train, valid, trainer, "model=tree")
        super().__init__(parts, trainer, grow=grow, rounds=1, link="mean")

    def tagger(self) -> TreesTagger:
        """The tree, with its rules."""
        tagger = super().tagger()
        missing = np.flatnonzero(np.isnan(self._train.features).any(axis=0))
        tagger.summary = {**tagger.summary, **rules(tagger, missing.tolist())}
        return tagger
