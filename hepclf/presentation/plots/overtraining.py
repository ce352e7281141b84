"""The difference of training and test efficiency at each cut, with its permutation band."""

from __future__ import annotations

import math
from collections.abc import Iterator

from matplotlib.axes import Axes

from hepclf.evaluation.evidence import equation
from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.overtraining import OvertrainingTests
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture, Series, panel
from hepclf.presentation.plots.style import BLACK, colours
from hepclf.statistics.shapes.twosample import TwoSample

CAPTION = (
    "Efficiency of each cut in the training set minus that in the test set, for each class. Dashed: the 95 % "
    "permutation band. Without overtraining, the curve of a class stays inside its band in 95 % of cases. The p "
    "of overtraining is that of all tests: of the scores of each class, the log-loss and the AUC."
)


def pictures(finding: OvertrainingTests, results: Results, title: str) -> Iterator[Picture]:
    """One picture, of the classes that could be tested."""
    tests = {name: test for name, test in finding.tests.items() if test is not None}
    if tests:
        figure = panel(lambda ax: _differences(ax, tests, results, finding.quoted), title)
        yield Picture("overtraining", figure, CAPTION, tuple(_series(name, test) for name, test in tests.items()))


def _differences(ax: Axes, tests: dict[str, TwoSample], results: Results, evidence: str) -> None:
    palette = colours(results.classes, results.signal)
    for name, test in tests.items():
        # The efficiency of a cut is one minus the cumulative distribution, hence the minus sign.
        label = f"{one_line(name, 20)}: {equation(test.p)}"
        ax.step(test.scores, -test.difference, where="post", color=palette[name], linewidth=1.4, label=label)
        if math.isfinite(test.bound):
            for side in (-1, 1):
                ax.axhline(side * test.bound, color=palette[name], linewidth=1, linestyle="--")
    ax.axhline(0, color=BLACK, linewidth=0.8)
    highest = max(size for test in tests.values() for size in (test.distance, test.bound) if math.isfinite(size))
    ax.set_ylim(-1.2 * highest, (1.82 + 0.16 * len(tests)) * highest)
    ax.set(xlabel=f"probability of {one_line(results.signal, 24)}", ylabel="efficiency, training − test")
    title = f"{evidence}\ndashed: 95 % permutation band; uncorrected p"
    ax.legend(loc="upper left", title=title, alignment="left")


def _series(name: str, test: TwoSample) -> Series:
    return Series(name, {"score": test.scores, "efficiency_difference": -test.difference})
