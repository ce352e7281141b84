"""Fisher's linear discriminant."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, ArrayTagger, Matrix, matrices, medians
from hepclf.models.model import Fit, class_probabilities
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

FLATTEST = 1e-12  # relative eigenvalue of the covariance below which a direction has no width


@recipe
class Fisher:
    r"""The direction in which the classes are separated most, in units of their common width (Fisher 1936).

    With the weighted means m_k, the covariance C within the classes and their fractions f_k, the probability of class
    k is proportional to f_k exp(m_k C^-1 x - m_k C^-1 m_k / 2). This is exact for Gaussians with the same C. Negative
    weights may be kept.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        first, second = matrices(train, valid, trainer, "model=fisher", keeps=True)
        return ArrayFit(first, second, _fitted)


class FisherTagger(ArrayTagger):
    """Linear functions of the features; probabilities by softmax."""

    kind = "fisher"

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of class 1 [n], or of each class [n, k]."""
        x = features.astype(np.float64) - self.arrays["centre"]
        logits = x @ self.arrays["coefficients"].T + self.arrays["intercepts"]
        logits -= logits.max(axis=1, keepdims=True)
        sizes = np.exp(logits)
        shares: NDArray[np.float64] = sizes / sizes.sum(axis=1, keepdims=True)
        return class_probabilities(shares)

    def check(self) -> None:
        """Check the shapes."""
        k, d = len(self.classes), len(self.inputs)
        self._shaped("coefficients", (k, d))
        self._shaped("intercepts", (k,))
        self._shaped("centre", (d,))
        self._shaped("fill", (d,))


def _fitted(train: Matrix) -> FisherTagger:
    fill, missing = medians(train)
    x = np.where(np.isnan(train.features), fill, train.features).astype(np.float64)
    k = len(train.classes)
    sums = np.bincount(train.targets, train.weights, minlength=k)
    fractions = sums / sums.sum()
    centre = train.weights @ x / sums.sum()  # differences from it keep the digits that large values would lose
    x -= centre
    means = np.stack([train.weights[train.targets == i] @ x[train.targets == i] for i in range(k)]) / sums[:, None]
    inside = x - means[train.targets]
    covariance = (inside.T * train.weights) @ inside / sums.sum()
    widths = np.sqrt(np.maximum(covariance.diagonal(), 0))
    widths[widths <= FLATTEST * np.abs(centre + means).max(axis=0)] = 0  # rounding alone
    _refuse_flat(covariance, widths, train.names)
    # Solved with the correlation matrix: units of very different size would spoil the covariance.
    coefficients = np.linalg.solve(covariance / widths / widths[:, None], (means / widths).T).T / widths
    return FisherTagger(
        inputs=train.names,
        classes=train.classes,
        arrays={
            "coefficients": coefficients,
            "intercepts": np.log(fractions) - (means * coefficients).sum(axis=1) / 2,
            "centre": centre,
            "fill": fill,
        },
        settings={"missing": missing},
    )


def _refuse_flat(covariance: NDArray[np.float64], widths: NDArray[np.float64], names: tuple[str, ...]) -> None:
    if not widths.all():
        raise ValueError(
            f"feature {names[int(np.argmin(widths))]!r} does not vary within the classes; leave it out of data.features"
        )
    values, vectors = np.linalg.eigh(covariance / widths / widths[:, None])
    if values[0] < FLATTEST * values[-1]:
        sizes = np.abs(vectors[:, 0])
        involved = [name for name, size in zip(names, sizes, strict=True) if size > 0.01 * sizes.max()]
        raise ValueError(
            f"features {involved} depend on each other linearly (or negative weights leave their covariance without "
            "a width), so their discriminant is not unique; leave one out of data.features"
        )
