"""The optimism of the best of many noisy objectives (winner's curse), estimated from the repeats of the trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.search.tuning import loss_sign

Array = NDArray[np.float64]

POINTS = 100  # grid points of the distribution of the true objectives
STEPS = 100  # iterations of the expectation maximisation
REACH = 30.0  # trials further below the best, in standard errors, do not influence its posterior
SIGMAS = 2.0


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """The effect of the objectives' noise on the best trial; gains are positive where the best trial is better.

    noise       standard error of a trial's objective relative to other trials, without shifts common to all
    error       standard error of a trial's objective by itself
    optimism    expected difference between the observed and the true objective of the best trial
    best        objective of the best trial, corrected for the optimism
    gain        expected gain of the best trial over the defaults; None: the defaults are not among the trials
    gain_error  its standard error
    improves    whether the gain is significant at two sigma
    """

    noise: float
    error: float
    optimism: float
    best: float
    gain: float | None = None
    gain_error: float | None = None
    improves: bool = False


def optimism(objectives: Array, *, maximised: bool, default: int | None = None) -> Optimism | None:
    """The optimism of the best of the trials [t], from the objectives of their repeats [t, r]; `default` is a row.

    The noise is the spread of the repeats of a trial, without the shift of a repeat that all trials share (a harder
    split is harder for all). The distribution of the true objectives is the nonparametric maximum-likelihood one
    (Kiefer and Wolfowitz 1956), found by expectation maximisation: poor regions of a space give it a long tail, so no
    shape is assumed. The true objective of the best trial is its posterior mean. None with one repeat or one trial,
    which have no spread.
    """
    sign = -loss_sign(maximised)
    rows = sign * np.asarray(objectives, dtype=np.float64)
    if min(rows.shape) < 2:
        return None
    noise, error, freedom = _noise(rows)
    means = rows.mean(axis=1)
    best = int(np.argmax(means))
    if noise <= 0:
        gain = None
        if default is not None:
            gain = float(means[best] - means[default])
        observed = sign * float(means[best])
        return Optimism(noise=0.0, error=error, optimism=0.0, best=observed, gain=gain, improves=bool(gain))
    expected = _expected(means, noise)
    excess, judged_best = float(means[best] - expected[best]), sign * float(expected[best])
    judged = Optimism(noise=noise, error=error, optimism=excess, best=judged_best)
    if default is None:
        return judged
    return _with_gain(judged, float(expected[best] - expected[default]), freedom)


def _with_gain(judged: Optimism, gain: float, freedom: int) -> Optimism:
    """The gain over the defaults, tested by Student's t, as the noise itself is uncertain with few repeats."""
    from scipy.stats import norm, t

    gain_error = float(np.sqrt(2.0) * judged.noise)
    needed = float(t.isf(norm.sf(SIGMAS), freedom)) * gain_error
    return Optimism(**vars(judged) | {"gain": gain, "gain_error": gain_error, "improves": gain > needed})


def _noise(rows: Array) -> tuple[float, float, int]:
    """Noise and error of a row's mean, and the degrees of freedom of the noise.

    The noise comes from the residuals of rows and columns, the error from those of rows alone. With four trials or more
    only the better half is used, because poor settings are often more noisy.
    """
    if len(rows) >= 4:
        rows = rows[np.argsort(-rows.mean(axis=1), kind="stable")[: (len(rows) + 1) // 2]]
    trials, repeats = rows.shape
    deviations = rows - rows.mean(axis=1, keepdims=True)
    residuals = deviations - deviations.mean(axis=0, keepdims=True)
    freedom = (trials - 1) * (repeats - 1)
    error = float(np.sqrt(np.sum(deviations**2) / (trials * (repeats - 1)) / repeats))
    noise = float(np.sqrt(np.sum(residuals**2) / freedom / repeats))
    if noise <= 1e-12 * float(np.abs(rows).max()):  # rounding of equal repeats
        noise = 0.0
    return noise, error, freedom


def _expected(means: Array, noise: float) -> Array:
    """The posterior mean of each true objective, [t]; trials beyond REACH keep their observed objective."""
    near = means >= means.max() - REACH * noise
    grid = np.linspace(means[near].min(), means.max(), POINTS)
    likelihood = np.exp(-0.5 * ((means[near, None] - grid) / noise) ** 2)
    weights = np.full(POINTS, 1 / POINTS)
    for _ in range(STEPS):
        posterior = likelihood * weights
        posterior /= posterior.sum(axis=1, keepdims=True)
        weights = posterior.mean(axis=0)
    expected = means.copy()
    expected[near] = posterior @ grid
    return expected
