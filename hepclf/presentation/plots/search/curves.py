"""The validation losses of the trials by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hepclf.presentation.plots.picture import SIZE, Picture, Series
from hepclf.presentation.plots.search.layout import finish
from hepclf.presentation.plots.search.table import MARGIN, TAIL, Array, TrialTable
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, ORANGE, VERMILLION

MAX_CURVES = 200
# In the order in which they are drawn.
STATES = {"complete": (BLUE, "-"), "running": (GREEN, "-."), "pruned": (ORANGE, "--"), "failed": (VERMILLION, ":")}
ENDS = {"pruned": "o", "failed": "x"}
CAPTION = (
    "Validation loss of each trial against the epoch, in its first training. The curve of a pruned trial ends in a "
    "circle, that of a failed trial in a cross."
)


def pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    """The learning curves of at most MAX_CURVES trials, of all states."""
    rows = _rows(table)
    if not len(rows):
        return
    figure = Figure(figsize=(SIZE[0], 4.6))
    ax = figure.subplots()
    _draw(ax, table, rows)
    finish(figure, ax, title)
    count = sum(np.isfinite(losses).any() for _, losses in table.curves)
    more = ""
    if count > len(rows):
        more = f" Of {count} trials, {len(rows)} are drawn, evenly chosen."
    yield Picture("learning_curves", figure, CAPTION + more, tuple(_series(table, row) for row in rows))


def _rows(table: TrialTable) -> NDArray[np.int64]:
    """The trials that are drawn; the best is among them."""
    rows = np.array([i for i, (_, losses) in enumerate(table.curves) if np.isfinite(losses).any()], dtype=np.int64)
    if len(rows) > MAX_CURVES:
        rows = rows[np.linspace(0, len(rows) - 1, MAX_CURVES).round().astype(int)]
        if table.best is not None and table.best not in rows:
            rows[np.abs(rows - table.best).argmin()] = table.best
    return rows


def _draw(ax: Axes, table: TrialTable, rows: NDArray[np.int64]) -> None:
    labels = {state: state for state in STATES}
    for row in sorted(rows, key=lambda row: (list(STATES).index(table.states[row]), row)):
        state, (epochs, losses) = table.states[row], table.curves[row]
        colour, dashes = STATES[state]
        label = labels.pop(state, None)  # one entry of the legend for each state
        style: Any = {"marker": _marker(epochs), "color": colour, "linewidth": 0.9, "alpha": 0.7}
        ax.plot(epochs, losses, dashes, label=label, **style)
        if state in ENDS:
            last = np.flatnonzero(np.isfinite(losses))[-1]
            ax.plot(epochs[last], losses[last], ENDS[state], color=colour, markersize=4, fillstyle="none")
    if table.best is not None and table.best in rows:
        epochs, losses = table.curves[table.best]
        ax.plot(epochs, losses, color=BLACK, linewidth=2, marker=_marker(epochs), label="best")
    ax.set(xlabel="epoch", ylabel="validation loss", ylim=_limits(table, rows))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if max(len(table.curves[row][0]) for row in rows) == 1:
        ax.set_xlim(0, 2)


def _marker(epochs: Array) -> str:
    """A curve of a single epoch is a point."""
    return "." if len(epochs) == 1 else ""


def _limits(table: TrialTable, rows: NDArray[np.int64]) -> tuple[float, float]:
    """The ends of the axis of losses, without the high losses of few trials."""
    finite = [losses[np.isfinite(losses)] for _, losses in (table.curves[row] for row in rows)]
    low = min(float(losses.min()) for losses in finite)
    high = max(float(losses.max()) for losses in finite)
    typical = float(np.percentile([losses.max() for losses in finite], 50, method="lower"))
    if typical > low:
        high = min(high, low + TAIL / 2 * (typical - low))
    margin = MARGIN * (high - low) or max(abs(low) * 0.01, 1e-6)
    return low - margin, high + margin


def _series(table: TrialTable, row: np.int64) -> Series:
    epochs, losses = table.curves[row]
    return Series(f"trial {table.numbers[row]}, {table.states[row]}", {"epoch": epochs, "valid_loss": losses})
