"""Scores of several classes against the probabilities of the exact densities."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.axes import Axes

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.bayes_limit import Limit
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, colours

MARKERS = "o^svD<>p"
CAPTION = (
    "Points: mean score of a class in bins of its exact probability, with the error of the mean. The points of the "
    "best possible classifier are on the diagonal."
)


def pictures(finding: Limit, results: Results, title: str) -> Iterator[Picture]:
    """One picture."""
    palette = colours(results.classes, results.signal)
    series = tuple(
        Series(name, {"exact": means["exact"], "estimate": means["estimate"], "estimate_error": means["error"]})
        for name, means in finding.profiles.items()
    )
    yield Picture("bayes_limit", panel(lambda ax: _means(ax, finding, palette), title), CAPTION, series)


def _means(ax: Axes, finding: Limit, palette: dict[str, str]) -> None:
    for (name, means), marker in zip(finding.profiles.items(), MARKERS * len(finding.profiles), strict=False):
        ax.errorbar(
            *(means["exact"], means["estimate"], means["error"]),
            fmt=marker,
            color=palette[name],
            markersize=4,
            elinewidth=1,
            label=one_line(name, 20),
        )
    ax.plot((0, 1), (0, 1), color=BLACK, linewidth=0.8, linestyle=":")
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="exact probability", ylabel="mean score")
    ax.legend(loc="upper left")
