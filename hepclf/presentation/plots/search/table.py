"""The trials of a search as columns, which its pictures show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

Array = NDArray[np.float64]

LABELS = {
    "log_loss": "log-loss on validation",
    "auc": "AUC on validation",
    "rejection": "background rejection on validation",
    "significance": "Asimov significance on validation",
}
TAIL = 4.0  # an axis ends at this many times the distance between the best and the median
MARGIN = 0.06  # of an axis
MIN_TRIALS = 2  # with an objective, so that a picture compares them


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting that a search varies.

    values   in each trial [t]; for a choice, the index of its option; nan in trials without the setting
    options  the options of a choice as text; empty for a number
    is_log   whether the search drew its logarithm evenly
    """

    name: str
    values: Array
    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False
    options: tuple[str, ...] = ()

    @property
    def words(self) -> list[str] | Array:
        """The values for the table of numbers; an option as its text."""
        if not self.options:
            return self.values
        words = [""] * len(self.values)
        for trial in np.flatnonzero(np.isfinite(self.values)):
            words[trial] = self.options[int(self.values[trial])]
        return words


@dataclass(frozen=True, kw_only=True)
class Goal:
    """An objective: its value in each trial [t], nan where there is none, and the standard errors of these."""

    name: str
    values: Array
    errors: Array
    is_maximised: bool

    @property
    def label(self) -> str:
        """Its name on an axis."""
        return LABELS.get(self.name, self.name)

    @property
    def beyond_marker(self) -> str:
        """The marker of a trial beyond the axis, a triangle that points to its value."""
        return "v" if self.is_maximised else "^"

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Which trials have a value."""
        return np.isfinite(self.values)

    @property
    def best(self) -> int | None:
        """The row of the best value; None where there is no value."""
        if not self.is_known.any():
            return None
        row_of_best = np.nanargmax if self.is_maximised else np.nanargmin
        return int(row_of_best(self.values))

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The ends of an axis, which leaves out a long tail of poor trials."""
        values = self.values[self.is_known]
        if self.best is None:
            return 0.0, 1.0
        best, median = float(self.values[self.best]), float(np.median(values))
        distances = np.abs(values - best)
        reach = TAIL * abs(median - best) or np.inf
        worst = float(values[np.where(distances <= reach, distances, -1).argmax()])
        margin = MARGIN * abs(worst - best) or max(abs(best) * 0.01, 1e-6)
        return min(best, worst) - margin, max(best, worst) + margin

    @property
    def clipped(self) -> Array:
        """The values, with those beyond the axis at its end."""
        low, high = self.limits
        return np.clip(self.values, low, high)

    @property
    def is_beyond(self) -> NDArray[np.bool_]:
        """Which values lie beyond the axis."""
        low, high = self.limits
        return (self.values < low) | (self.values > high)


@dataclass(frozen=True, kw_only=True)
class SettingImportance:
    """The importance of each setting for one objective, and its error, [s].

    explained  fraction of the variance between trials that all settings together explain
    """

    values: Array
    errors: Array
    explained: float


@dataclass(frozen=True, kw_only=True)
class TrialTable:
    """The trials of a search [t].

    states      running, complete, pruned or failed
    curves      of each trial, its epochs and their validation losses
    best        row of the best trial; None where there is none
    default     row of the trial with the settings of the configuration
    front       rows of the trials that no other one beats in all objectives
    importance  by the objective's name, in the order of the settings
    """

    numbers: NDArray[np.int64]
    states: tuple[str, ...]
    goals: tuple[Goal, ...]
    settings: tuple[Setting, ...]
    curves: tuple[tuple[Array, Array], ...] = ()
    best: int | None = None
    default: int | None = None
    front: tuple[int, ...] = ()
    importance: Mapping[str, SettingImportance] = field(default_factory=dict)

    def has_state(self, state: str) -> NDArray[np.bool_]:
        """Which trials are in this state."""
        return np.array([name == state for name in self.states], dtype=bool)

    def ranked(self, goal: Goal) -> list[Setting]:
        """The settings, the most important first; in the order of the space where that is not known."""
        if goal.name not in self.importance:
            return list(self.settings)
        order = np.argsort(-self.importance[goal.name].values, kind="stable")
        return [self.settings[i] for i in order]


def show_goal(ax: Axes, goal: Goal, axis: str = "y") -> None:
    """Let an axis show an objective."""
    ax.set(**{f"{axis}lim": goal.limits, f"{axis}label": goal.label})
    plain_numbers(ax, axis)


def plain_numbers(ax: Axes, axis: str = "y") -> None:
    """Write the numbers at an axis in full: trials may differ in the fifth digit, and an offset is hard to read."""
    ax.ticklabel_format(axis=axis, style="plain", useOffset=False)  # type: ignore[arg-type]


def scatter(count: int, width: float) -> Array:
    """Offsets [n] within ± width / 2 that keep points of one option apart, the same each time."""
    return np.asarray(((np.arange(count) * 0.6180339887 + 0.5) % 1 - 0.5) * width, dtype=np.float64)
