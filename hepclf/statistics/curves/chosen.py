"""Cuts that are chosen for a target efficiency or yield on one split, and quoted on another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.statistics.curves.roc import ROUNDING, Curve

Array = NDArray[np.float64]
TargetQuantity = Literal["signal_efficiency", "background_efficiency", "background"]


class Wish(NamedTuple):
    """A target of a cut: at least this signal efficiency, or at most this background efficiency or yield."""

    quantity: TargetQuantity
    target: float

    def __str__(self) -> str:
        return _targets_text(self.quantity, (self.target,))


def wishes_text(wishes: Iterable[Wish]) -> str:
    """The targets that one cut meets, as `30, 50 % of signal; B = 1, 2`."""
    targets_by_quantity: dict[TargetQuantity, list[float]] = {}
    for wish in wishes:
        targets_by_quantity.setdefault(wish.quantity, []).append(wish.target)
    return "; ".join(_targets_text(quantity, targets) for quantity, targets in targets_by_quantity.items())


def _targets_text(quantity: TargetQuantity, targets: Iterable[float]) -> str:
    if quantity == "background":
        return f"B = {', '.join(f'{target:g}' for target in targets)}"
    return f"{', '.join(f'{100 * target:g}' for target in targets)} % of {quantity.partition('_')[0]}"


def wishes(**targets: Iterable[float]) -> tuple[Wish, ...]:
    """A wish for each target, from arguments such as `signal_efficiency=(0.5, 0.7)`."""
    return tuple(Wish(quantity, target) for quantity, values in targets.items() for target in values)  # type: ignore[arg-type]


def check_shares(**shares: Iterable[float] | None) -> None:
    """Refuse target efficiencies outside 0..1."""
    for name, targets in shares.items():
        for target in targets or ():
            if not 0 < target <= 1:
                raise ValueError(f"{name} must lie above 0 and up to 1, not {target:g}")


def chosen_cut(wish: Wish, curve: Curve, expected: Curve | str) -> float | str:
    """The lowest cut that meets the target on these events, or the reason why there is none.

    The cut is the score of an event with non-zero weight. `expected` has the sums of expected yields above the same
    thresholds, or the reason why there are none.
    """
    if wish.quantity == "background":
        if isinstance(expected, str):
            return expected
        return _background_cut(wish, expected, expected.background)
    if not curve.defined:
        return "a class has no positive sum of weights in the validation set"
    if wish.quantity == "signal_efficiency":
        return float(curve.thresholds[int(curve.index_at(wish.target))])
    return _background_cut(wish, curve, curve.background_efficiency)


def _background_cut(wish: Wish, curve: Curve, sums: Array) -> float | str:
    """The lowest threshold such that the background sums at and above it never exceed the target."""
    # With negative weights the sums may fall again; the first crossing is that of their running maximum.
    highest = np.maximum.accumulate(sums)
    index = int(np.searchsorted(highest, wish.target * (1 + ROUNDING), side="right")) - 1
    if index < 0 and len(sums) and sums[0] > 0:
        return "even the highest score in the validation set keeps more"
    if index < 0 or highest[index] <= 0:
        return "too few background events in the validation set"
    return float(curve.thresholds[curve.settled(index)])


def granted_cuts(
    targets: Iterable[Wish], curve: Curve, expected: Curve | str
) -> tuple[dict[Wish, float], Mapping[Wish, str]]:
    """The cuts that meet the targets, and the reasons for targets that no cut meets."""
    choices = {wish: chosen_cut(wish, curve, expected) for wish in targets}
    cuts = {wish: cut for wish, cut in choices.items() if not isinstance(cut, str)}
    return cuts, {wish: reason for wish, reason in choices.items() if isinstance(reason, str)}
