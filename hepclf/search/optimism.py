"""How optimistic the best of many noisy objectives is, estimated from the repeats of the trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POINTS = 100  # at which the distribution of the true objectives may have weight
STEPS = 100  # of the iteration that finds it
REACH = 30.0  # trials further below the best than so many errors say nothing about it
SIGMAS = 2.0


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """What the noise of the objectives says about the best trial; gains are positive where the best is better.

    noise       standard error of a trial's objective against other trials: what is common to all of them left out
    error       standard error of a trial's objective by itself
    optimism    how much better than its true objective the best trial is expected to look
    best        objective of the best trial without its optimism
    gain        what the best trial is expected to gain over the defaults; None: the defaults are not among the trials
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
    """The optimism of the best of the trials [t], given the objectives of their repeats [t, r]; `default` is a row.

    The noise is what the repeats of a trial differ by, beyond what they differ by in all trials (a split that is
    harder is so for all). The distribution of the true objectives is the one of greatest likelihood (Kiefer and
    Wolfowitz 1956), found by expectation maximisation: it assumes no shape, as poor corners of a space leave a long
    tail. The best trial's true objective is then its posterior mean. None where one repeat or one trial tells no
    noise.
    """
    sign = 1.0 if maximised else -1.0
    rows = sign * np.asarray(objectives, dtype=np.float64)
    if min(rows.shape) < 2:
        return None
    noise, error, freedom = _noise(rows)
    means = rows.mean(axis=1)
    best = int(np.argmax(means))
    if noise <= 0:
        gain = None if default is None else float(means[best] - means[default])
        looks = sign * float(means[best])
        return Optimism(noise=0.0, error=error, optimism=0.0, best=looks, gain=gain, improves=bool(gain))
    expected = _expected(means, noise)
    excess, judged_best = float(means[best] - expected[best]), sign * float(expected[best])
    judged = Optimism(noise=noise, error=error, optimism=excess, best=judged_best)
    return judged if default is None else _with_gain(judged, float(expected[best] - expected[default]), freedom)


def _with_gain(judged: Optimism, gain: float, freedom: int) -> Optimism:
    """The gain over the defaults; of few repeats the noise itself is uncertain, hence Student's distribution."""
    from scipy.stats import norm, t

    gain_error = float(np.sqrt(2.0) * judged.noise)
    needed = float(t.isf(norm.sf(SIGMAS), freedom)) * gain_error
    return Optimism(**vars(judged) | {"gain": gain, "gain_error": gain_error, "improves": gain > needed})


def _noise(rows: Array) -> tuple[float, float, int]:
    """Noise and error of a row's mean, and the degrees of freedom of the noise.

    The noise is from the residuals of rows and columns, the error from those of rows alone. Of four trials or more only
    the better half is asked: poor settings are often noisy ones too.
    """
    if len(rows) >= 4:
        rows = rows[np.argsort(-rows.mean(axis=1), kind="stable")[: (len(rows) + 1) // 2]]
    trials, repeats = rows.shape
    deviations = rows - rows.mean(axis=1, keepdims=True)
    residuals = deviations - deviations.mean(axis=0, keepdims=True)
    freedom = (trials - 1) * (repeats - 1)
    error = float(np.sqrt(np.sum(deviations**2) / (trials * (repeats - 1)) / repeats))
    noise = float(np.sqrt(np.sum(residuals**2) / freedom / repeats))
    is_rounding = noise <= 1e-12 * float(np.abs(rows).max())
    return 0.0 if is_rounding else noise, error, freedom


def _expected(means: Array, noise: float) -> Array:
    """The posterior mean of each true objective, [t]; those out of reach of the best stay as they are."""
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
