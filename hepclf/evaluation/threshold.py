"""The decision threshold that an evaluation names."""

from __future__ import annotations

from typing import Literal

Threshold = float | Literal["best"]


def chosen_threshold(threshold: Threshold, cut: float | None, reason: str | None) -> float:
    """The threshold itself, or for `best` the best cut; `reason` says why there is none."""
    if not isinstance(threshold, str):
        return float(threshold)
    if cut is None:
        raise ValueError(
            f"evaluation.threshold=best needs a best cut, and there is none: {reason}; give a probability instead"
        )
    return cut
