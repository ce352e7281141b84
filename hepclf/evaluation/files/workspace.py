"""A template as a HistFactory workspace in JSON, which pyhf, cabinetry and ROOT read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.counting.template import Template

Array = NDArray[np.float64]

CHANNEL, STRENGTH = "score", "mu"
NORMALISATION = "background_normalisation"


def workspace(template: Template, systematic: float) -> dict[str, Any]:
    """One channel of the bins, a sample a process, observed what is expected with signal (the Asimov data).

    The signal carries the strength `mu`; every background the statistical factor of its bin (staterror: one a bin for
    all of them, Gaussian) and the common normalisation (normsys, log-normal, unless `systematic` is 0). A background
    below zero in a bin, as negative weights leave, is written as 0 and the others of that bin are scaled to keep
    their total; a signal below zero likewise.
    """
    values = _positive(template)
    samples = [
        {"name": name, "data": row.tolist(), "modifiers": _modifiers(template, g, systematic)}
        for g, (name, row) in enumerate(zip(template.names, values, strict=True))
    ]
    return {
        "channels": [{"name": CHANNEL, "samples": samples}],
        "observations": [{"name": CHANNEL, "data": values.sum(axis=0).tolist()}],
        "measurements": [
            {
                "name": "discovery",
                "config": {
                    "poi": STRENGTH,
                    "parameters": [{"name": STRENGTH, "inits": [1.0], "bounds": [[0.0, 10.0]]}],
                },
            }
        ],
        "version": "1.0.0",
    }


def _positive(template: Template) -> Array:
    """Contents without what is below zero, the totals of signal and background kept, [g, m]."""
    values = np.maximum(template.sums[0], 0.0)
    for kind in (template.signal, ~template.signal):
        total, clipped = template.sums[0, kind].sum(axis=0), values[kind].sum(axis=0)
        values[kind] *= np.divide(total, clipped, out=np.zeros_like(total), where=clipped > 0)
    return np.asarray(values)


def _modifiers(template: Template, group: int, systematic: float) -> list[dict[str, Any]]:
    if template.signal[group]:
        return [{"name": STRENGTH, "type": "normfactor", "data": None}]
    errors = np.sqrt(template.sums[1, group]).tolist()
    modifiers: list[dict[str, Any]] = [{"name": f"staterror_{CHANNEL}", "type": "staterror", "data": errors}]
    if systematic > 0:
        # With these two the factor is (1 + systematic)^theta, however a reader interpolates.
        factors = {"hi": 1 + systematic, "lo": 1 / (1 + systematic)}
        modifiers.append({"name": NORMALISATION, "type": "normsys", "data": factors})
    return modifiers
