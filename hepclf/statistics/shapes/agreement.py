"""Agreement of observed with expected events, in a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.shapes.reliability import merging_matrix

Array = NDArray[np.float64]

BINS = 40
TAIL = 0.005  # of the expected events on either side, which the first and last bin hold


class Entries(NamedTuple):
    """Values [n] and their weights."""

    values: Array
    weights: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """Expected and observed events in bins, each with its statistical error, and the test of their agreement.

    edges      [m + 1]; the outer bins include underflow and overflow
    expected   sums of weights by class [k, m], times the scale
    squares    sums of squared weights over all classes [m], times the scale squared
    seen       observed events, and seen_squares, [m]
    scale      factor on the expected events
    chi2, ndf, p   None where there are too few events
    missing    fractions of the expected and of the observed events that have no value and are left out
    """

    edges: Array
    expected: Array
    squares: Array
    seen: Array
    seen_squares: Array
    scale: float
    chi2: float | None
    ndf: int
    p: float | None
    missing: tuple[float, float]


def agreement(classes: list[Entries], seen: Entries, edges: Array, *, scaled: bool) -> Agreement:
    """The agreement of observed values with the expected ones of all classes; with `scaled`, of their shapes alone.

    chi2 = sum (d - s m)^2 / V with V = s^2 sum w_m^2 + s m r and r = sum w_d^2 / sum w_d. V is the variance of the
    simulation and of the data (the expected one, as in Pearson's chi2), without systematic uncertainties. With
    `scaled`, the expected events are scaled to the observed total, s = D / M; chi2 is then the minimum over a further
    common factor, and ndf is one less. Neighbouring bins are merged until simulation and data both expect ten
    effective events.
    """
    present, missing = zip(*(_without_gaps(entries) for entries in (*classes, seen)), strict=True)
    totals = [float(entries.weights.sum()) for entries in classes]
    lost = 0.0
    if sum(totals):
        lost = float(np.dot(missing[:-1], totals) / sum(totals))
    by_class = np.array([_sums(entries, edges, 1) for entries in present[:-1]])
    squares = np.array([_sums(entries, edges, 2) for entries in present[:-1]]).sum(axis=0)
    d, d_squares = (_sums(present[-1], edges, power) for power in (1, 2))
    m = by_class.sum(axis=0)
    scale = 1.0
    if scaled and m.sum() > 0:
        scale = float(d.sum() / m.sum())
    chi2, ndf = _chi2(m * scale, squares * scale**2, d, d_squares, scaled=scaled)
    return Agreement(
        edges=edges,
        expected=by_class * scale,
        squares=squares * scale**2,
        seen=d,
        seen_squares=d_squares,
        scale=scale,
        chi2=chi2,
        ndf=ndf,
        p=_p(chi2, ndf),
        missing=(lost, missing[-1]),
    )


def _without_gaps(entries: Entries) -> tuple[Entries, float]:
    absent = np.isnan(entries.values)
    total = float(entries.weights.sum())
    share = 0.0
    if total:
        share = float(entries.weights[absent].sum()) / total
    return Entries(entries.values[~absent], entries.weights[~absent]), share


def _sums(entries: Entries, edges: Array, power: int) -> Array:
    last = len(edges) - 2
    bins = np.clip(np.searchsorted(edges, entries.values, side="right") - 1, 0, last)
    return np.bincount(bins, entries.weights**power, minlength=last + 1).astype(np.float64)


def _chi2(m: Array, squares: Array, d: Array, d_squares: Array, *, scaled: bool) -> tuple[float | None, int]:
    total = float(d.sum())
    if not (m.sum() > 0 and total > 0):
        return None, 0
    # The variance of the data in a bin is its expectation times their mean weight, sum w^2 / sum w.
    heaviness = float(d_squares.sum()) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(squares > 0, np.maximum(m, 0) * np.abs(m) / squares, 0.0)
    together = merging_matrix(np.minimum(effective, m / heaviness))
    m, squares, d = (together @ column for column in (m, squares, d))
    variance = squares + np.maximum(m, 0) * heaviness
    if len(m) - scaled < 1 or not (variance > 0).all():
        return None, 0
    pull = (d - m) / variance
    chi2 = float(pull @ (d - m))
    if scaled:
        # The minimum of chi2 over a further common factor of m, in closed form.
        chi2 -= float(pull @ m) ** 2 / float(m @ (m / variance))
    return max(chi2, 0.0), len(m) - scaled


def _p(chi2: float | None, ndf: int) -> float | None:
    from scipy.special import gammaincc

    if chi2 is None:
        return None
    return float(gammaincc(ndf / 2, chi2 / 2))


def histogram_edges(values: Array) -> Array:
    """Edges for a picture of these values: even steps between the tails, or one bin for each of few integers."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.array([0.0, 1.0])
    distinct = np.unique(finite[:: max(1, len(finite) // 100_000)])
    if len(distinct) <= BINS and (distinct == np.round(distinct)).all() and distinct[-1] - distinct[0] < BINS:
        return np.arange(distinct[0] - 0.5, distinct[-1] + 1)
    low, high = np.quantile(finite, (TAIL, 1 - TAIL))
    if high <= low:
        high = low + 1
    return np.linspace(low, high, BINS + 1)
