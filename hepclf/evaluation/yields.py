"""Expected yields: what an experiment of a given size would see, by process or by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.scored import Scored
from hepclf.events import nearest


def expected_weights(scored: Scored, split_name: str, yields: Mapping[str, float]) -> NDArray[np.float64]:
    """Weights of one split, [n of split], that stand for the whole sample and sum to the given yields.

    A yield is named by process or by class (all processes of the class together keep their shares). What has
    none keeps its total.
    """
    weights = scored.scaled_weights(split_name)
    part = scored.of(split_name)
    factors = np.ones(len(part))
    taken = np.zeros(len(part), dtype=bool)
    for name, mask in named(part, yields).items():
        total = float(weights[mask].sum())
        if total <= 0:
            raise ValueError(
                f"{name!r} has weights that sum to {total:.6g} in the {split_name} split, which cannot be scaled to "
                f"a yield; leave its yield out"
            )
        if (twice := mask & taken).any():
            process = part.process_names[int(part.processes[int(np.argmax(twice))])]
            raise ValueError(f"the yield of process {process!r} is given twice, by its name and by its class; give one")
        factors[mask] = yields[name] / total
        taken |= mask
    return np.asarray(weights * factors)


def named(scored: Scored, names: Iterable[str]) -> dict[str, NDArray[np.bool_]]:
    """Which events each process or class name means, [n] each."""
    return {name: _named(scored, name) for name in names}


def _named(scored: Scored, name: str) -> NDArray[np.bool_]:
    """Which events carry this process or class name."""
    found = []
    if name in scored.process_names:
        found.append(scored.processes == scored.process_names.index(name))
    if name in scored.classes:
        found.append(scored.labels == scored.classes.index(name))
    if not found:
        known = dict.fromkeys((*scored.process_names, *scored.classes))
        raise ValueError(
            f"evaluation gives a yield of {name!r}, which is no process or class of the data{nearest(name, known)}"
        )
    if (found[0] != found[-1]).any():
        raise ValueError(f"{name!r} is a process and a class of different events; rename one to give its yield")
    return np.asarray(found[0])
