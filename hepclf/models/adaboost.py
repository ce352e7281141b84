"""AdaBoost: trees that vote; each is grown with more weight on the events that earlier trees classified wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from hepclf.events import Events
from hepclf.models.arrays import Matrix
from hepclf.models.model import Fit
from hepclf.models.tree_fit import TreesFit, check_at_least, check_positive, sklearn_nodes, tree_matrices
from hepclf.models.trees import Nodes
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

LARGEST = np.iinfo(np.int32).max  # of a tree's seed


@recipe
class AdaBoost:
    r"""Discrete AdaBoost (SAMME, Zhu et al. 2009), tree by tree as scikit-learn grows it; an Epoch is a tree.

    A tree with weighted error e has a_t = learning_rate (log((1 - e)/e) + log(k - 1)) votes for its class. The
    probability of a class is proportional to exp(its votes), as exponential loss implies (Friedman, Hastie and
    Tibshirani 2000). scikit-learn's predict_proba instead divides the votes; the order of events is the same.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"patience", "keep", "seed"}

    iterations: int = 200
    learning_rate: float = 0.5
    depth: int = 3
    leaf_events: int = 50

    def __post_init__(self) -> None:
        check_at_least(self, iterations=1, depth=1, leaf_events=1)
        check_positive(self, "learning_rate")

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""

        def grow(events: Matrix) -> Iterator[list[Nodes]]:
            return _boosted(self, events, trainer.seed)

        parts = tree_matrices(train, valid, trainer, "model=adaboost")
        return TreesFit(parts, trainer, grow=grow, rounds=self.iterations, link="logistic", stops=True)


def _boosted(recipe: AdaBoost, train: Matrix, seed: int) -> Iterator[list[Nodes]]:
    """One tree per round, whose leaves hold its votes."""
    from sklearn.tree import DecisionTreeClassifier

    k, random, tiny = len(train.classes), np.random.RandomState(seed), np.finfo(np.float64).eps
    weights = train.weights / train.weights.sum()
    for number in range(recipe.iterations):
        tree = DecisionTreeClassifier(
            max_depth=recipe.depth, min_samples_leaf=recipe.leaf_events, random_state=random.randint(LARGEST)
        )
        weights = np.maximum(weights, tiny)
        tree.fit(train.features, train.targets, sample_weight=weights)
        wrong = tree.predict(train.features) != train.targets
        error = np.average(wrong, weights=weights)
        if error >= 1 - 1 / k:
            if number == 0:
                raise ValueError(
                    f"a tree of depth {recipe.depth} tells the classes no better than chance; raise model.depth "
                    f"or lower model.leaf_events={recipe.leaf_events}"
                )
            return
        votes = 1.0  # a perfect tree: its votes would be infinite, and no round follows it
        if error > 0:
            votes = recipe.learning_rate * (np.log((1 - error) / error) + np.log(k - 1))
        yield [_ballot(sklearn_nodes(tree.tree_), votes)]
        if error <= 0:
            return
        weights = np.exp(np.log(weights) + votes * wrong)
        weights /= weights.sum()


def _ballot(nodes: Nodes, votes: float) -> Nodes:
    """The tree whose leaves vote for their most frequent class; with two classes, for or against the second."""
    values = nodes.values
    if values.shape[1] == 1:
        return nodes._replace(values=np.where(values > 0.5, votes, -votes))
    return nodes._replace(values=votes * np.eye(values.shape[1])[values.argmax(axis=1)])
