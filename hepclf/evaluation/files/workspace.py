"""A template as a HistFactory workspace in JSON, which pyhf, cabinetry and ROOT read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.template import Template

Array = NDArray[np.float64]

CHANNEL, STRENGTH = "score", "mu"
NORMALISATION = "background_normalisation"
LEAST_BOUND, SIGMAS = 10, 10  # the strength is bounded by 10, or by 10 of its standard deviations where these are more


def workspace(template: Template, systematic: float) -> dict[str, Any]:
    """One channel with the bins, one sample for each process, and the Asimov data (signal plus background) as observed.

    The signal has the strength `mu`. Every background has the statistical factor of its bin (staterror, Gaussian,
    shared by all backgrounds) and the common normalisation (normsys, log-normal, unless `systematic` is 0). Where
    negative weights make a background of a bin negative, it is written as 0 and the others of that bin are scaled to
    keep their total; the same holds for signals.
    """
    values = _positive(template)
    samples = [
        {"name": name, "data": row.tolist(), "modifiers": _modifiers(template, g, systematic)}
        for g, (name, row) in enumerate(zip(template.names, values, strict=True))
    ]
    highest = float(max(LEAST_BOUND, math.ceil(1 + SIGMAS * _strength_error(values, template, systematic))))
    return {
        "channels": [{"name": CHANNEL, "samples": samples}],
        "observations": [{"name": CHANNEL, "data": values.sum(axis=0).tolist()}],
        "measurements": [
            {
                "name": "discovery",
                "config": {
                    "poi": STRENGTH,
                    "parameters": [{"name": STRENGTH, "inits": [1.0], "bounds": [[0.0, highest]]}],
                },
            }
        ],
        "version": "1.0.0",
    }


def _positive(template: Template) -> Array:
    """Contents with negative ones set to zero; the totals of signal and background are kept, [g, m]."""
    values = np.maximum(template.sums[0], 0.0)
    for kind in (template.signal, ~template.signal):
        total, clipped = template.sums[0, kind].sum(axis=0), values[kind].sum(axis=0)
        values[kind] *= np.divide(total, clipped, out=np.zeros_like(total), where=clipped > 0)
    return np.asarray(values)


def _strength_error(values: Array, template: Template, systematic: float) -> float:
    """The standard deviation of the strength, by least squares over the bins; 0 where there is no signal."""
    s, b = values[template.signal].sum(axis=0), values[~template.signal].sum(axis=0)
    variances = s + b + template.channels.b_squares
    filled = variances > 0
    s, b, variances = s[filled], b[filled], variances[filled]
    covariance = np.diag(variances) + systematic**2 * np.outer(b, b)
    information = float(s @ np.linalg.solve(covariance, s))
    return 1 / math.sqrt(information) if information > 0 else 0.0


def _modifiers(template: Template, group: int, systematic: float) -> list[dict[str, Any]]:
    if template.signal[group]:
        return [{"name": STRENGTH, "type": "normfactor", "data": None}]
    errors = np.sqrt(template.sums[1, group]).tolist()
    modifiers: list[dict[str, Any]] = [{"name": f"staterror_{CHANNEL}", "type": "staterror", "data": errors}]
    if systematic > 0:
        # With lo = 1 / hi the factor is (1 + systematic)^theta, whichever interpolation a reader uses.
        factors = {"hi": 1 + systematic, "lo": 1 / (1 + systematic)}
        modifiers.append({"name": NORMALISATION, "type": "normsys", "data": factors})
    return modifiers
