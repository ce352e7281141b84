"""Expected yields: the number of events that an experiment expects, by process or by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.nearest import nearest
from hepclf.scored import SPLITS, Scored
from hepclf.statistics.curves.roc import Curve
from hepclf.statistics.value import has_positive_sum


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """Expected yields of a split: the weight of each event [n], and the sums above each threshold."""

    weights: NDArray[np.float64]
    curve: Curve


def scaled_curve(above: Curve, signal: float, background: float) -> Curve:
    """The sums with all signal and all background weights multiplied by a factor each."""
    if signal == background == 1:
        return above
    sums, squares = (above.signal, above.background), (above.signal_squares, above.background_squares)
    factors = np.array([signal, background])[:, None]
    return Curve(above.thresholds, *(factors * sums), *(factors**2 * squares))


def expected_weights(scored: Scored, split_name: str, yields: Mapping[str, float]) -> NDArray[np.float64]:
    """Weights of one split, [n of split], that stand for the whole sample and sum to the given yields.

    A yield is named by process or by class; the processes of a class keep their proportions. Processes without a yield
    keep their total.
    """
    weights = scored.scaled_weights(split_name)
    in_split = scored.split == SPLITS.index(split_name)
    factors = np.ones(len(weights))
    for name, everywhere in masks_by_name(scored, yields).items():
        mask = everywhere[in_split]
        total, squares = float(weights[mask].sum()), float((weights[mask] ** 2).sum())
        if not has_positive_sum(total, squares):
            raise ValueError(
                f"{name!r} has weights that sum to {total:.6g} in the {split_name} split, which cannot be scaled to "
                f"a yield; leave its yield out"
            )
        factors[mask] = yields[name] / total
    return np.asarray(weights * factors)


def masks_by_name(scored: Scored, names: Iterable[str]) -> dict[str, NDArray[np.bool_]]:
    """The events that each process or class name selects, [n] each; no event may be selected twice."""
    masks = {name: _mask_by_name(scored, name) for name in names}
    taken = np.zeros(len(scored), dtype=bool)
    for mask in masks.values():
        if (twice := mask & taken).any():
            process = scored.process_names[int(scored.processes[int(np.argmax(twice))])]
            raise ValueError(f"the yield of process {process!r} is given twice, by its name and by its class; give one")
        taken |= mask
    return masks


def _mask_by_name(scored: Scored, name: str) -> NDArray[np.bool_]:
    """Which events carry this process or class name."""
    masks = []
    if name in scored.process_names:
        masks.append(scored.processes == scored.process_names.index(name))
    if name in scored.classes:
        masks.append(scored.labels == scored.classes.index(name))
    if not masks:
        names = dict.fromkeys((*scored.process_names, *scored.classes))
        raise ValueError(
            f"evaluation gives a yield of {name!r}, which is no process or class of the data{nearest(name, names)}"
        )
    if (masks[0] != masks[-1]).any():
        raise ValueError(f"{name!r} is a process and a class of different events; rename one to give its yield")
    return np.asarray(masks[0])
