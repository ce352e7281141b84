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


def pictures(finding: FalseAlarms, results: Results, title: str) -> Iterator[Picture]:
    """One picture, with the best possible curve where the exact likelihood ratio is known."""
    if finding.curve is None:
        return
    curve, live_time = finding.curve, duration(finding.live_time_s)
    yield Picture(
        "false_alarms",
        panel(lambda ax: _draw(ax, finding, results), title),
        "Signal efficiency against the false-alarm rate (n + 1)/T of a cut that n background events pass; band and "
        f"bars ±1σ. The axis begins at 1/T, where T is the live time of the test set, {live_time}.",
        (
            Series(
                "false alarms",
                {
                    "rate_per_s": curve.rate,
                    "signal_efficiency": curve.efficiency,
                    "signal_efficiency_error": curve.error,
                },
            ),
        ),
    )


def _draw(ax: Axes, finding: FalseAlarms, results: Results) -> None:
    if finding.curve is not None:
        rate, efficiency, error = finding.curve.rate * DAY, finding.curve.efficiency, finding.curve.error
        ax.step(rate, efficiency, where="post", color=BLUE, label="test")
        ax.fill_between(rate, efficiency - error, efficiency + error, step="post", color=BLUE, alpha=0.2, linewidth=0)
    if results.test and (optimal := results.test.optimal):
        louder = optimal.background_efficiency * finding.background
        rate = false_alarm_rate(louder, finding.live_time_s) * DAY
        ax.step(rate, optimal.signal_efficiency, where="post", color=GREY, linestyle="--", label="best possible")
    rows = [
        (alarm.target_rate * DAY, *alarm.efficiency) for alarm in finding.quiet if alarm.efficiency.value is not None
    ]
    if rows:
        x, y, error = np.array(rows, dtype=np.float64).T
        ax.errorbar(x, y, np.nan_to_num(error), fmt="s", color=BLACK, markersize=4, label="quoted rates")
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    lowest = DAY / finding.live_time_s
    ax.set(xlim=(lowest * 0.9, max((finding.background + 1) * lowest, 10 * lowest)), ylim=(0, 1.03))
    ax.set(xlabel="false alarms per day", ylabel=f"efficiency of {one_line(results.signal, 16)}")
    ax.legend(loc="lower right")
