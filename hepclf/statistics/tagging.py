"""Mistag fraction, dilution and effective power of a flavour tag."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.value import NOTHING, Value, has_positive_sum, measured, weighted_mean

Array = NDArray[np.float64]


class Tag(NamedTuple):
    """Efficiency, mistag fraction and dilution of a category, and its part of the effective power."""

    efficiency: Value
    mistag: Value
    dilution: Value
    power: Value


def tag(weights: Array, is_right: NDArray[np.bool_], is_tagged: NDArray[np.bool_]) -> Tag:
    """The events with this tag among all events [n]; `is_right` where the tagged flavour is the true one."""
    mistag = weighted_mean((~is_right[is_tagged]).astype(np.float64), weights[is_tagged])
    dilution = NOTHING
    if mistag.value is not None:
        dilution = measured(1 - 2 * mistag.value, None if mistag.error is None else 2 * mistag.error)
    category = np.where(is_tagged, 0, -1)
    return Tag(
        weighted_mean(is_tagged.astype(np.float64), weights),
        mistag,
        dilution,
        effective_power(weights, is_right, category),
    )


def effective_power(weights: Array, is_right: NDArray[np.bool_], category: NDArray[np.int64]) -> Value:
    r"""sum eps_i D_i^2 over categories i, with efficiency eps and dilution D = 1 - 2 omega; -1: an event without a tag.

    A sample of N tagged mesons measures an asymmetry as well as N sum eps D^2 mesons of known flavour. With d = +1 for
    a right tag and -1 for a wrong one, D_i = sum(w d) / sum(w), and the influence of an event on the power P is
    w (2 d D_i - D_i^2 - P) / sum(w), w (-P) / sum(w) without a tag.
    """
    total = float(weights.sum())
    if not has_positive_sum(total, float(weights @ weights)):
        return NOTHING
    tagged = category >= 0
    sign = np.where(is_right, 1.0, -1.0)
    # Without any tag, numpy counts in whole numbers.
    sums = np.bincount(category[tagged], weights[tagged]).astype(np.float64)
    signed = np.bincount(category[tagged], (weights * sign)[tagged]).astype(np.float64)
    dilutions = np.divide(signed, sums, out=np.zeros_like(signed), where=sums > 0)
    power = float(signed @ dilutions) / total
    own = dilutions[category[tagged]]
    influences = np.full(len(weights), -power)
    influences[tagged] += 2 * sign[tagged] * own - own**2
    return measured(power, math.sqrt(float((weights * influences) @ (weights * influences))) / total)


class Calibration(NamedTuple):
    """The line omega = p0 + p1 (eta - mean) that gives the mistag probability for a predicted one.

    covariance  of p0 and p1
    """

    p0: Value
    p1: Value
    mean: float
    covariance: float = 0.0

    def mistag(self, eta: Array) -> Array:
        """The calibrated mistag probability, in 0..1/2."""
        line: Array = np.clip((self.p0.value or 0.0) + (self.p1.value or 0.0) * (eta - self.mean), 0, 0.5)
        return line


def calibrated_power(eta: Array, weights: Array, calibration: Calibration) -> Value:
    """The mean of (1 - 2 omega)^2 with the calibrated omega of each event; the error includes the calibration's."""
    dilution = 1 - 2 * calibration.mistag(eta)
    power = weighted_mean(dilution**2, weights)
    if power.value is None or power.error is None:
        return power
    slopes = [weighted_mean(4 * dilution * shift, weights).value or 0.0 for shift in (1.0, eta - calibration.mean)]
    errors = [calibration.p0.error or 0.0, calibration.p1.error or 0.0]
    parts = [power.error, *(slope * error for slope, error in zip(slopes, errors, strict=True))]
    variance = sum(part**2 for part in parts) + 2 * slopes[0] * slopes[1] * calibration.covariance
    return measured(power.value, math.sqrt(max(variance, 0.0)))


def mistag_calibration(eta: Array, is_right: NDArray[np.bool_], weights: Array) -> Calibration | None:
    """Weighted least squares of wrong tags on the predicted mistag; None where this does not vary.

    Errors are those of the residuals, sum w^2 r^2, as a wrong tag is no Gaussian number.
    """
    total, wrong = float(weights.sum()), (~is_right).astype(np.float64)
    if not has_positive_sum(total, float(weights @ weights)):
        return None
    mean = float(weights @ eta) / total
    centred = eta - mean
    spread = float(weights @ centred**2)
    if not spread > 1e-12 * total:
        return None
    p0, p1 = float(weights @ wrong) / total, float(weights @ (centred * wrong)) / spread
    residuals = weights * (wrong - p0 - p1 * centred)
    errors = float(np.linalg.norm(residuals)) / total, float(np.linalg.norm(residuals * centred)) / spread
    covariance = float(residuals @ (residuals * centred)) / (total * spread)
    return Calibration(measured(p0, errors[0]), measured(p1, errors[1]), mean, covariance)
