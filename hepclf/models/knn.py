"""The nearest neighbours: the signal fraction among the training events around an event."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, ArrayTagger, Matrix, matrices
from hepclf.models.model import Fit, class_probabilities
from hepclf.models.scales import refuse_many, scales, standardised
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]
ROUNDING = 1e-6
ROWS = 1 << 12  # events whose neighbours are in memory at once


@recipe
class KNN:
    """The weighted fraction of each class among the nearest training events; distances are in widths of the features.

    neighbours  their number; few follow the data closely, many reduce the statistical noise
    kernel      flat: all count alike | tricube: (1 - (r/R)^3)^3 at distance r, where R is the distance of the first
                event that is no longer a neighbour
    most        maximum number of training events; beyond it, scoring is slow and the tagger, which stores them, large

    One additional event, divided among the classes as in training, keeps probabilities away from 0 and 1. A missing
    value counts as the median.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING

    neighbours: int = 100
    kernel: Literal["flat", "tricube"] = "tricube"
    most: int = 50_000

    def __post_init__(self) -> None:
        for name in ("neighbours", "most"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        refuse_many(len(train), self.most, "model=knn", "its tagger holds them all")
        first, second = matrices(train, valid, trainer, "model=knn")
        return ArrayFit(first, second, self._fitted)

    def _fitted(self, train: Matrix) -> KNNTagger:
        scale = scales(train)
        count = len(train.targets)
        if self.neighbours >= count:
            raise ValueError(
                f"neighbours must be fewer than the {count:,} training events with weight, not "
                f"{self.neighbours}; set model.neighbours"
            )
        arrays: dict[str, NDArray[Any]] = {
            "fill": scale.fill,
            "centre": scale.centre,
            "width": scale.width,
            "points": scale.standardised(train.features).astype(np.float32),
            "targets": train.targets,
            "weights": train.weights,
        }
        settings = {"neighbours": self.neighbours, "kernel": self.kernel, "missing": scale.missing}
        return KNNTagger(inputs=train.names, classes=train.classes, arrays=arrays, settings=settings)


class KNNTagger(ArrayTagger):
    """The training events, which are the model."""

    kind = "knn"

    def probabilities(self, features: NDArray[np.float32]) -> Array:
        """Of class 1 [n], or of each class [n, k]."""
        x = standardised(features, self.arrays["centre"], self.arrays["width"])
        parts = [self._shares(x[start : start + ROWS]) for start in range(0, max(len(x), 1), ROWS)]
        return class_probabilities(np.concatenate(parts))

    def check(self) -> None:
        """Check shapes, and that each class has points with positive weights."""
        k, d, n = len(self.classes), len(self.inputs), len(self.arrays["points"])
        for name in ("fill", "centre", "width"):
            self._shaped(name, (d,))
        self._shaped("points", (n, d))
        targets, weights = self._shaped("targets", (n,), "i"), self._shaped("weights", (n,))
        neighbours = self.settings.get("neighbours")
        if type(neighbours) is not int or not 0 < neighbours < n:
            raise ValueError(f"neighbours must lie between 1 and {n - 1}, not {str(neighbours)[:40]}")
        if targets.min() < 0 or targets.max() >= k or not (weights > 0).all() or (self.arrays["width"] <= 0).any():
            raise ValueError(f"targets must lie in 0..{k - 1}, weights and widths above 0")
        if self.settings.get("kernel") not in ("flat", "tricube"):
            raise ValueError("kernel must be flat or tricube")
        self._weights = np.eye(k)[targets] * weights[:, None]
        self._prior = self._weights.sum(axis=0) / weights.sum()

    def _shares(self, x: Array) -> Array:
        if not len(x):
            return np.empty((0, len(self.classes)))
        distances, neighbours = self._points.kneighbors(x)
        near = distances[:, :-1]
        sizes = np.ones_like(near)
        if self.settings["kernel"] == "tricube":
            radius = distances[:, -1:]
            sizes = (1 - np.divide(near, radius, out=np.zeros_like(near), where=radius > 0) ** 3) ** 3
            # If features are small integers, all may be at the same distance; copies of a point differ by rounding.
            sizes[near[:, 0] > (1 - ROUNDING) * radius[:, 0]] = 1
        sums = (sizes[:, :, None] * self._weights[neighbours[:, :-1]]).sum(axis=1) + self._prior
        shares: Array = sums / sums.sum(axis=1, keepdims=True)
        return shares

    @cached_property
    def _points(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=self.settings["neighbours"] + 1).fit(self.arrays["points"])
