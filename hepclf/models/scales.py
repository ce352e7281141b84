"""Features on one scale, for models that measure distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.models.arrays import Matrix, medians

Array = NDArray[np.float64]


class Scales(NamedTuple):
    """The value that replaces a missing one, the weighted mean and the width of each feature [d]."""

    fill: NDArray[np.float32]
    centre: Array
    width: Array
    missing: list[int]

    def standardised(self, features: NDArray[np.float32]) -> Array:
        """Features with mean 0 and width 1 in training, without missing values."""
        return standardised(np.where(np.isnan(features), self.fill, features), self.centre, self.width)


def standardised(features: NDArray[np.float32], centre: Array, width: Array) -> Array:
    """Features [n, d] in units of their widths."""
    x: Array = (features - centre) / width
    return x


def scales(train: Matrix) -> Scales:
    """The scales of these events; a feature that never varies keeps its unit."""
    fill, missing = medians(train)
    x = np.where(np.isnan(train.features), fill, train.features).astype(np.float64)
    weights = train.weights / train.weights.sum()
    centre = weights @ x
    width = np.sqrt(weights @ (x - centre) ** 2)
    width[~(width > 1e-9 * np.abs(centre))] = 1
    return Scales(fill, centre, width, missing)


def refuse_many(events: int, limit: int, model: str, reason: str) -> None:
    """Refuse more training events than the model is made for."""
    if events > limit:
        raise ValueError(
            f"{model} is for at most most={limit:,} training events, as {reason}, not {events:,}; "
            f"use model=bdt or fewer events, or set model.most={events}"
        )
