"""The permutation importance of each feature, as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.importance import Importances
from hepclf.presentation.plots.label import feature_title
from hepclf.presentation.plots.picture import Picture, Series, value_columns
from hepclf.presentation.plots.style import BLACK, BLUE, GREY
from hepclf.statistics.value import Value

MAX_FEATURES = 20
LABELS = {"log_loss": "increase of the log-loss", "auc": "decrease of the AUC"}


def pictures(finding: Importances, results: Results, title: str) -> Iterator[Picture]:
    """A bar a feature for each measure, the most important first."""
    ranked = finding.ranked
    features = ranked[:MAX_FEATURES]
    measures = [
        measure for measure in LABELS if any(finding.features[name][measure].value is not None for name in features)
    ]
    if not measures:
        return
    figure = Figure(figsize=(6.4, 1.35 + 0.24 * len(features)))
    axes = np.atleast_1d(figure.subplots(1, len(measures), sharey=True))
    for ax, measure in zip(axes, measures, strict=True):
        _bars(ax, [finding.features[name][measure] for name in features])
        ax.set_xlabel(LABELS[measure])
    axes[0].set_yticks(np.arange(len(features)), [feature_title(name, results.titles, 24) for name in features])
    axes[0].set_ylim(len(features) - 0.4, -0.6)
    if len(ranked) > MAX_FEATURES:
        title = f"first {MAX_FEATURES} of {len(ranked)}, {title}"
    axes[-1].set_title(title)
    caption = (
        f"Permutation importance: how much worse the tagger gets on {finding.events:,} test events when the values of "
        "one feature are permuted among them. Features that carry the same information share their importance."
    )
    yield Picture("importance", figure, caption, (_series(finding, ranked),))


def _bars(ax: Axes, values: Sequence[Value]) -> None:
    heights, errors = value_columns(values)
    ax.barh(np.arange(len(values)), heights, color=BLUE, alpha=0.75, height=0.7)
    ax.errorbar(heights, np.arange(len(values)), xerr=np.nan_to_num(errors), fmt="none", ecolor=BLACK, elinewidth=1.1)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.tick_params(axis="y", which="both", left=False, right=False)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _series(finding: Importances, ranked: Sequence[str]) -> Series:
    columns: dict[str, Any] = {"feature": list(ranked)}
    for measure in LABELS:
        values = (finding.features[name][measure] for name in ranked)
        columns[measure], columns[f"{measure}_error"] = value_columns(values)
    return Series("importance", columns)
