"""ln r from the score against the exact one."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.axes import Axes

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.likelihood_ratio import RatioAgreement
from hepclf.presentation.plots.label import with_error
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, BLUE

CAPTION = (
    "Points: mean of ln r from the score in bins of the exact ln r, where r is the likelihood ratio, with the error of "
    "the mean. Band: ±1 standard deviation of the events. The points of the best possible tagger lie on the diagonal."
)


def pictures(finding: RatioAgreement, results: Results, title: str) -> Iterator[Picture]:  # noqa: ARG001
    """One picture: the mean and spread over bins."""
    columns = {
        "exact": finding.exact,
        "estimate": finding.estimate,
        "estimate_error": finding.error,
        "spread": finding.spread,
    }
    figure = panel(lambda ax: _means(ax, finding), title)
    yield Picture("likelihood_ratio", figure, CAPTION, (Series("ln r", columns),))


def _means(ax: Axes, finding: RatioAgreement) -> None:
    ax.fill_between(
        finding.exact,
        finding.estimate - finding.spread,
        finding.estimate + finding.spread,
        color=BLUE,
        alpha=0.2,
        linewidth=0,
    )
    ax.errorbar(
        finding.exact,
        finding.estimate,
        finding.error,
        fmt="o",
        color=BLUE,
        markersize=4,
        elinewidth=1,
        label="mean (band: std. dev. of events)",
    )
    ends = (float(finding.exact.min()), float(finding.exact.max()))
    ax.plot(ends, ends, color=BLACK, linewidth=0.8, label="exact")
    ax.set(xlabel="exact ln r", ylabel="ln r from the score")
    ax.legend(
        loc="upper left",
        title=f"slope {with_error(finding.slope)}\nrms difference {with_error(finding.rms)}",
        alignment="left",
    )
