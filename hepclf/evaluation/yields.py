"""Expected yields: what an experiment of a given size would see, by process or by class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.scored import Scored
from hepclf.events import nearest


def yield_factors(scored: Scored, yields: Mapping[str, float]) -> NDArray[np.float64]:
    """Factors, [n], with which the weights of the whole sample sum to the given yields.

    A yield is named by process or by class (all processes of the class together keep their shares). What has
    none keeps the sum of its weights.
    """
    factors = np.ones(len(scored))
    taken = np.zeros(len(scored), dtype=bool)
    for name, expected in yields.items():
        mask = _named(scored, name)
        total = float(scored.weights[mask].sum())
        if total <= 0:
            raise ValueError(
                f"{name!r} has weights that sum to {total:.6g}, which cannot be scaled to a yield; leave its yield out"
            )
        if (twice := mask & taken).any():
            process = scored.process_names[int(scored.processes[int(np.argmax(twice))])]
            raise ValueError(f"the yield of process {process!r} is given twice, by its name and by its class; give one")
        factors[mask] = expected / total
        taken |= mask
    return factors


def _named(scored: Scored, name: str) -> NDArray[np.bool_]:
    """Which events carry this process or class name."""
    found = []
    if name in scored.process_names:
        found.append(scored.processes == scored.process_names.index(name))
    if name in scored.classes:
        found.append(scored.labels == scored.classes.index(name))
    if not found:
        known = dict.fromkeys((*scored.process_names, *scored.classes))
        raise ValueError(f"yield of {name!r}, which is no process or class of the data{nearest(name, known)}")
    if (found[0] != found[-1]).any():
        raise ValueError(f"{name!r} is a process and a class of different events; rename one to give its yield")
    return np.asarray(found[0])
