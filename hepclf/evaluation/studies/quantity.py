"""A number read from a ROC curve, with its analytic error and its bootstrap interval, and how a table writes it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from hepclf.statistics.value import Value
from hepclf.words import Grid, grouped_rows, number, to_error_digits

NAMES = {"auc": "AUC", "rejection": "rejection", "s_over_sqrt_b": "S/√B at the cut", "asimov": "Asimov Z at the cut"}


class Quantity(NamedTuple):
    """A number with its analytic error, the standard deviation of its replicas and their central 68 % interval.

    at               the signal efficiency of a working point, or the background efficiencies of a partial area
    bootstrap_error  standard deviation; None where replicas with no or hardly any background leave it no value
    low, high        None where replicas without background have no value
    """

    name: str
    at: float | tuple[float, float] | None
    value: Value
    bootstrap_error: float | None
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """Its name in a table."""
        if isinstance(self.at, tuple):
            return f"partial AUC, ε_b {self.at[0]:g} to {self.at[1]:g}"
        if self.at is None:
            return NAMES[self.name]
        return f"{NAMES[self.name]} at ε_s = {self.at:g}"

    @property
    def ratio(self) -> float | None:
        """Half the 68 % interval over the analytic error."""
        if self.low is None or self.high is None or self.value.error is None:
            return None
        return (self.high - self.low) / 2 / self.value.error

    @property
    def is_heavy_tailed(self) -> bool:
        """Whether a rejection has an interval and no standard deviation: some replicas have hardly any background."""
        has_interval = self.low is not None and self.high is not None and self.low < self.high
        return self.name == "rejection" and has_interval and self.bootstrap_error is None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        return self._asdict() | {"at": _plain(self.at), "value": self.value.to_dict()}


def quantities_table(title: str, quantities: Iterable[Quantity]) -> Grid:
    """One row for each quantity."""
    rows = [
        (
            _joined_words(same),
            number(*same[0].value),
            _error(same[0].bootstrap_error),
            _interval(same[0].low, same[0].high),
        )
        for same in grouped_rows(quantities, _row_key)
    ]
    return Grid(title, ("", "analytic", "bootstrap", "68 % interval"), rows)


def _error(value: float | None) -> str:
    if value is None:
        return "-"
    return f"± {to_error_digits(value, value)}"


def _row_key(quantity: Quantity) -> Hashable:
    """Rejections at one cut share a row, whatever their target; any other quantity has its own."""
    if quantity.name == "rejection":
        return (quantity.name, *quantity[2:])
    return quantity


def _joined_words(same: list[Quantity]) -> str:
    """The name of a row: rejections at one cut share it, where scores tie."""
    return same[0].words + "".join(f", {row.at:g}" for row in same[1:])


def _interval(low: float | None, high: float | None) -> str:
    """`85 to 151`, rounded as if half its width were the error; `> 85` where it has no upper end."""
    if low is None or high is None:
        return "-" if low is None else f"> {low:.3g}"
    half = (high - low) / 2
    ends = (to_error_digits(end, half) if half else number(end) for end in (low, high))
    return " to ".join(ends)


def _plain(efficiency: float | tuple[float, float] | None) -> float | list[float] | None:
    if isinstance(efficiency, tuple):
        return list(efficiency)
    return efficiency
