"""The AUC of each fold, with the AUC of all events."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.folds import FoldResults
from hepclf.presentation.plots.picture import Picture, Series, panel, value_columns
from hepclf.presentation.plots.style import BLACK, BLUE, GREY

CAPTION = (
    "AUC of each fold, scored by the member that has not seen it, with its statistical error; the line and the band "
    "are the AUC of all events. The folds are not independent, as any two members share most of their training events."
)


def pictures(finding: FoldResults, results: Results, title: str) -> Iterator[Picture]:  # noqa: ARG001
    """A point for each fold; none where a fold has no AUC."""
    values, errors = value_columns(fold.auc for fold in finding.folds)
    if not np.isfinite(values).all():
        return
    columns = {"fold": np.arange(len(values)), "auc": values, "auc_error": errors}

    def points(ax: Axes) -> None:
        ax.errorbar(columns["fold"], values, yerr=np.nan_to_num(errors), fmt="o", color=BLUE, label="one fold")
        if finding.pooled.value is not None:
            error = finding.pooled.error or 0.0
            ax.axhline(finding.pooled.value, color=BLACK, linewidth=1.2, label="all events")
            ax.axhspan(finding.pooled.value - error, finding.pooled.value + error, color=GREY, alpha=0.3, linewidth=0)
        ax.set(xlabel="fold", ylabel="AUC", xlim=(-0.6, len(values) - 0.4))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        ax.margins(y=0.25)
        ax.legend(loc="best")

    yield Picture("folds", panel(points, title), CAPTION, (Series("folds", columns),))
