"""Decorrelation of a network's score from a spectator by a term of the loss: distance correlation (DisCo)."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hepclf.events import Events
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.training.planing import check_spectator, spectator_values

KEY = "trainer.decorrelate"
MOST = 8192  # events of a batch, all pairs of which are compared
SMALLEST = 1e-20
RISE = 3  # passes, after the first, over which the term grows to its strength


@recipe
class Decorrelate:
    """Adds strength * dCorr^2(score, spectator) of one class to the loss (DisCo, arXiv:2001.05310).

    class  whose events are decorrelated; null: the first, which is the background

    The first pass is without the term, which then grows to its strength. Before the score separates the classes it
    hardly varies; the term, which does not depend on how much the score varies, would then dominate the loss.
    """

    spectator: str
    strength: float = 5.0
    class_: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.strength < math.inf:
            raise ValueError(f"strength must be positive and finite, not {self.strength}")

    def risen(self, epoch: int) -> float:
        """The strength in this epoch, counted from 1."""
        return self.strength * min(1.0, (epoch - 1) / RISE)

    def check(self, columns: tuple[str, ...] | None, classes: tuple[str, ...] | None) -> None:
        """Refuse a spectator or a class that the data do not have; None if these are not known yet."""
        if classes is not None:
            if len(classes) != 2:
                raise ValueError(f"{KEY} is for two classes, not {len(classes)}; use trainer.planing")
            if self.class_ is not None and self.class_ not in classes:
                raise ValueError(
                    f"{KEY}.class names {self.class_!r}, which is no class of the data{nearest(self.class_, classes)}"
                )
        if columns is not None:
            check_spectator(self.spectator, columns, KEY)

    def column(self, events: Events, weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """The spectator in units of its spread [n], nan for events that are not decorrelated.

        weights  of the training; none may be negative
        """
        self.check((*events.spectators, *events.names), events.classes)
        name = self.class_ or events.classes[0]
        if (weights < 0).any():
            raise ValueError(
                f"{KEY} needs weights of one sign; use trainer.negative_weights=zero or abs, "
                f"and {100 * (weights < 0).mean():.2f} % of them are negative"
            )
        values = spectator_values(events, self.spectator, KEY)
        chosen = (events.labels == events.classes.index(name)) & (weights > 0)
        if chosen.sum() < 2 or not (spread := float(values[chosen].std())) > 0:
            raise ValueError(
                f"{KEY} needs a spectator that varies, and {self.spectator!r} is constant in class {name!r}"
            )
        return np.where(chosen, (values - values[chosen].mean()) / spread, np.nan).astype(np.float32)


def distance_correlation(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    r"""The squared distance correlation of x and y [n], 0..1: zero only if they are independent (arXiv:0803.4101).

    With a_ij = |x_i - x_j|, b_ij = |y_i - y_j|, weights w that sum to one, and row means a_i = sum_j w_j a_ij,

        dCov^2(x, y) = sum_ij w_i w_j a_ij b_ij + sum_i w_i a_i * sum_i w_i b_i - 2 sum_i w_i a_i b_i

    which is the mean product of the double-centred distances, and dCorr^2 = dCov^2(x, y) / sqrt(dCov^2(x, x)
    dCov^2(y, y)). In finite samples it is about 1/n too large. Needs memory of n^2; zero if x or y is constant.
    """
    w = weights / weights.sum().clamp_min(SMALLEST)
    x, y = x - w @ x, y - w @ y
    a, b = (x[:, None] - x).abs(), (y[:, None] - y).abs()
    rows_a, rows_b = a @ w, b @ w
    mean_a, mean_b = w @ rows_a, w @ rows_b
    covariance = w @ ((a * b) @ w) + mean_a * mean_b - 2 * (w @ (rows_a * rows_b))
    # The mean square of a distance needs no matrix: it is twice the variance.
    variance_x = 2 * (w @ x**2) + mean_a**2 - 2 * (w @ rows_a**2)
    variance_y = 2 * (w @ y**2) + mean_b**2 - 2 * (w @ rows_b**2)
    return covariance / (variance_x * variance_y).clamp_min(SMALLEST).sqrt()


def disco(logits: Tensor, spectator: Tensor, weights: Tensor) -> Tensor:
    """dCorr^2 of the score and the spectator [n], over the events whose spectator is not nan.

    The score is the sigmoid of the logit; for members, with logits [m, n], of their mean logit.
    """
    if logits.ndim > 1:
        logits = logits.mean(0)
    scores = torch.sigmoid(logits)
    chosen = ~torch.isnan(spectator)
    if spectator.is_cuda:  # choosing rows would wait for the GPU; an event of weight zero counts as none
        return distance_correlation(scores, spectator.nan_to_num(), torch.where(chosen, weights, 0.0))
    return distance_correlation(scores[chosen], spectator[chosen], weights[chosen])
