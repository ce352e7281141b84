"""The support vector machine with a Gaussian kernel, for small data."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, ArrayTagger, Matrix, matrices
from hepclf.models.model import Fit
from hepclf.models.platt import platt_scaling, probabilities
from hepclf.models.scales import refuse_many, scales, standardised
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]
CELLS = 1 << 22  # values of the kernel in memory at once
CACHE_MB = 500  # of kernel values during training


@recipe
class SVM:
    """The surface with the widest margin between the classes in the space of kernels exp(-gamma |x - y|^2).

    c      cost of an event inside the margin, per unit of weight; a large value follows the data closely
    gamma  for distances in widths of the features; null: 1 / number of features
    most   maximum number of training events; time and memory grow with the square of their number

    With more than two classes, each has its own machine against the others. Probabilities come from Platt's sigmoid,
    fitted to the validation set. A missing value counts as the median.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING

    c: float = 1.0
    gamma: float | None = None
    most: int = 20_000

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError(f"most must be at least 1, not {self.most}")
        for name in ("c", "gamma"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"{name} must be positive and finite, not {value}")

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        refuse_many(len(train), self.most, "model=svm", "its time grows with their square")
        first, second = matrices(train, valid, trainer, "model=svm")
        return ArrayFit(first, second, lambda train: self._fitted(train, second))

    def _fitted(self, train: Matrix, valid: Matrix) -> SVMTagger:
        from sklearn.base import clone
        from sklearn.svm import SVC

        scale, k = scales(train), len(train.classes)
        x, gamma = scale.standardised(train.features), self.gamma or 1 / len(train.names)
        machine = SVC(C=self.c, gamma=gamma, cache_size=CACHE_MB)
        signals = [1] if k == 2 else list(range(k))
        targets = [train.targets == label for label in signals]
        machines = [clone(machine).fit(x, target, train.weights) for target in targets]
        vectors = np.unique(np.concatenate([machine.support_ for machine in machines]))
        arrays: dict[str, NDArray[Any]] = {
            "fill": scale.fill,
            "centre": scale.centre,
            "width": scale.width,
            "vectors": x[vectors],
            "coefficients": np.stack([_coefficients(machine, vectors) for machine in machines]),
            "intercepts": np.concatenate([machine.intercept_ for machine in machines]),
            "gamma": np.full(1, gamma),
            "slope": np.ones(1),
            "offsets": np.zeros(k),
        }
        settings = {"missing": scale.missing}
        uncalibrated = SVMTagger(inputs=train.names, classes=train.classes, arrays=arrays, settings=settings)
        filled = np.where(np.isnan(valid.features), scale.fill, valid.features)
        slope, offsets = platt_scaling(uncalibrated.logits(filled), valid)
        arrays |= {"slope": np.full(1, slope), "offsets": offsets}
        summary = {"support_vectors": len(vectors), "slope": slope}
        return SVMTagger(inputs=train.names, classes=train.classes, arrays=arrays, settings=settings, summary=summary)


class SVMTagger(ArrayTagger):
    """Support vectors, and the coefficients of each machine."""

    kind = "svm"

    def probabilities(self, features: NDArray[np.float32]) -> Array:
        """Of class 1 [n], or of each class [n, k]."""
        return probabilities(self.logits(features) * self.arrays["slope"] + self.arrays["offsets"])

    def logits(self, features: NDArray[np.float32]) -> Array:
        """The machines' decisions [n, k]; with two classes, that of the background is zero."""
        x = standardised(features, self.arrays["centre"], self.arrays["width"])
        rows = max(CELLS // len(self.arrays["vectors"]), 1)
        parts = [self._decisions(x[start : start + rows]) for start in range(0, max(len(x), 1), rows)]
        decisions: Array = np.concatenate(parts)
        if len(self.classes) == 2:
            decisions = np.c_[np.zeros(len(decisions)), decisions]
        return decisions

    def check(self) -> None:
        """Check shapes, and a kernel that falls with the distance."""
        k, d, n = len(self.classes), len(self.inputs), len(self.arrays["vectors"])
        for name in ("fill", "centre", "width"):
            self._shaped(name, (d,))
        self._shaped("vectors", (n, d))
        machines = 1 if k == 2 else k
        self._shaped("coefficients", (machines, n))
        self._shaped("intercepts", (machines,))
        self._shaped("slope", (1,))
        self._shaped("offsets", (k,))
        if n < 1 or (self.arrays["width"] <= 0).any() or self._shaped("gamma", (1,))[0] <= 0:
            raise ValueError("there must be support vectors, and widths and gamma above 0")
        self._squares = (self.arrays["vectors"] ** 2).sum(axis=1)

    def _decisions(self, x: Array) -> Array:
        distances = (x**2).sum(axis=1)[:, None] + self._squares - 2 * x @ self.arrays["vectors"].T
        kernel = np.exp(-self.arrays["gamma"] * np.maximum(distances, 0))
        decisions: Array = kernel @ self.arrays["coefficients"].T + self.arrays["intercepts"]
        return decisions


def _coefficients(machine: Any, vectors: NDArray[np.int64]) -> Array:
    coefficients = np.zeros(len(vectors))
    coefficients[np.searchsorted(vectors, machine.support_)] = machine.dual_coef_[0]
    return coefficients
