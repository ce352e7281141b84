"""Cuts that are chosen by what they keep of one split, to be quoted on another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.roc import ROUNDING, Curve

Array = NDArray[np.float64]
TargetQuantity = Literal["signal_efficiency", "background_efficiency", "background"]


class Wish(NamedTuple):
    """What a cut is to keep: this share of the signal at least, or at most this share or number of the background."""

    quantity: TargetQuantity
    target: float

    def __str__(self) -> str:
        return _targets(self.quantity, (self.target,))


def wishes_text(wishes: Iterable[Wish]) -> str:
    """Wishes that the same cut grants: `30, 50 % of signal; B = 1, 2`."""
    kinds: dict[TargetQuantity, list[float]] = {}
    for wish in wishes:
        kinds.setdefault(wish.quantity, []).append(wish.target)
    return "; ".join(_targets(kept, targets) for kept, targets in kinds.items())


def _targets(kept: TargetQuantity, targets: Iterable[float]) -> str:
    if kept == "background":
        return f"B = {', '.join(f'{target:g}' for target in targets)}"
    return f"{', '.join(f'{100 * target:g}' for target in targets)} % of {kept.partition('_')[0]}"


def wishes(**targets: Iterable[float]) -> tuple[Wish, ...]:
    """A wish for each target, `signal_efficiency=(0.5, 0.7)`."""
    return tuple(Wish(kept, target) for kept, of in targets.items() for target in of)  # type: ignore[arg-type]


def check_shares(**shares: Iterable[float] | None) -> None:
    """Refuse efficiencies that no cut can have."""
    for name, targets in shares.items():
        for target in targets or ():
            if not 0 < target <= 1:
                raise ValueError(f"{name} must lie above 0 and up to 1, however one is {target:g}")


def choose(wish: Wish, of: Curve, expected: Curve | str) -> float | str:
    """The lowest cut that grants the wish on these events, at the score of one with weight; or why there is none.

    expected holds the sums of expected yields above the same thresholds, or why there are none.
    """
    if wish.quantity == "background":
        return expected if isinstance(expected, str) else _keeping(wish, expected, expected.background)
    if not of.defined:
        return "a class has no positive sum of weights"
    if wish.quantity == "signal_efficiency":
        return float(of.thresholds[int(of.index_at(wish.target))])
    return _keeping(wish, of, of.background_efficiency)


def _keeping(wish: Wish, curve: Curve, sums: Array) -> float | str:
    """The lowest threshold down to which the sums of the background stay at or below the target."""
    # With negative weights the sums may fall again; the first crossing is that of their running maximum.
    highest = np.maximum.accumulate(sums)
    index = int(np.searchsorted(highest, wish.target * (1 + ROUNDING), side="right")) - 1
    if index < 0 and len(sums) and sums[0] > 0:
        return f"the highest score there keeps more than {wish}"
    if index < 0 or highest[index] <= 0:
        return f"{wish} is less than one event there"
    return float(curve.thresholds[curve.settled(index)])


def granted(asked: Iterable[Wish], of: Curve, expected: Curve | str) -> tuple[dict[Wish, float], Mapping[Wish, str]]:
    """The cuts that grant the wishes, and the reasons for those that cannot be granted."""
    found = {wish: choose(wish, of, expected) for wish in asked}
    cuts = {wish: cut for wish, cut in found.items() if not isinstance(cut, str)}
    return cuts, {wish: reason for wish, reason in found.items() if isinstance(reason, str)}
