"""ln r from the scores of several taggers against the exact one, in one picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from hepclf.comparison.contenders import Contender
from hepclf.evaluation.studies.likelihood_ratio import RatioAgreement
from hepclf.presentation.plots.label import one_line, with_error
from hepclf.presentation.plots.picture import Picture, add_legend, panel
from hepclf.presentation.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from hepclf.words import shortened

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
MARKERS = "osv^D<>p"
CAPTION = (
    "Points: mean of ln r from each score in bins of the exact ln r, where r is the likelihood ratio. The points of "
    "the best possible tagger are on the diagonal."
)


def ratio_pictures(runs: Sequence[Contender], title: str) -> Iterator[Picture]:
    """The picture of all runs whose test events have the exact ratio; none where there is none."""
    agreements = {run.name: run.exact.agreement for run in runs if run.exact}
    if agreements:
        figure = panel(lambda ax: draw_agreements(ax, agreements), title)
        add_legend(figure, "slope of ln r ± statistical uncertainty")
        yield Picture("likelihood_ratio", figure, CAPTION)


def draw_agreements(ax: Axes, agreements: dict[str, RatioAgreement]) -> None:
    """Draw the mean ln r of each tagger over the exact ln r, for as many as can be told apart."""
    for (name, agreement), colour, marker in zip(agreements.items(), COLOURS, MARKERS, strict=False):
        label = f"{one_line(shortened(name, 36), 36)}: {with_error(agreement.slope)}"
        ax.plot(agreement.exact, agreement.estimate, marker=marker, color=colour, markersize=3.5, label=label)
    low = min(float(agreement.exact.min()) for agreement in agreements.values())
    high = max(float(agreement.exact.max()) for agreement in agreements.values())
    ax.plot((low, high), (low, high), color=BLACK, linewidth=0.8, linestyle=":", label="exact: 1")
    margin = 0.5 * (high - low)
    ax.set(ylim=(low - margin, high + margin), xlabel="exact ln r", ylabel="ln r from the score")
