"""The efficiency of a search against its false-alarm rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.triggers import DAY, FalseAlarms, duration
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, BLUE, GREY
from hepclf.statistics.curves.alarms import false_alarm_rate


def triggers(of: FalseAlarms, results: Results, title: str) -> Iterator[Picture]:
    """One picture, with the best possible curve where the exact likelihood ratio is known."""
    if of.curve is None:
        return
    line = of.curve
    yield Picture(
        "false_alarms",
        panel(lambda ax: _draw(ax, of, results), title),
        "The share of the signal that a cut keeps, against the rate (n + 1)/T at which background passes it; band and "
        f"bars ±1σ. The axis begins at one in the live time of test, {duration(of.live_time_s)}: less cannot be known.",
        (
            Series(
                "false alarms",
                {"rate_per_s": line.rate, "signal_efficiency": line.efficiency, "signal_efficiency_error": line.error},
            ),
        ),
    )


def _draw(ax: Axes, of: FalseAlarms, results: Results) -> None:
    if of.curve is not None:
        rate, efficiency, error = of.curve.rate * DAY, of.curve.efficiency, of.curve.error
        ax.step(rate, efficiency, where="post", color=BLUE, label="test")
        ax.fill_between(rate, efficiency - error, efficiency + error, step="post", color=BLUE, alpha=0.2, linewidth=0)
    if results.test and (best := results.test.optimal):
        louder = best.background_efficiency * of.background
        rate = false_alarm_rate(louder, of.live_time_s) * DAY
        ax.step(rate, best.signal_efficiency, where="post", color=GREY, linestyle="--", label="best possible")
    asked = [(each.target_rate * DAY, *each.efficiency) for each in of.quiet if each.efficiency.value is not None]
    if asked:
        x, y, error = np.array(asked, dtype=np.float64).T
        ax.errorbar(x, y, np.nan_to_num(error), fmt="s", color=BLACK, markersize=4, label="rates asked for")
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    least = DAY / of.live_time_s
    ax.set(xlim=(least * 0.9, max((of.background + 1) * least, 10 * least)), ylim=(0, 1.03))
    ax.set(xlabel="false alarms per day", ylabel=f"efficiency of {one_line(results.signal, 16)}")
    ax.legend(loc="lower right")
