"""The verdict as tables of words, for a terminal or a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from hepclf.evaluation.curves.roc import WorkingPoint
from hepclf.evaluation.grid import Grid, joined, number, percent, targeted
from hepclf.evaluation.value import Value
from hepclf.evaluation.verdict import SplitVerdict, Verdict

WHOLE = (1e5, 1e12)  # sums of weights that are written without decimals


def quality(verdict: Verdict, title: str) -> Grid:
    """What each split says."""
    splits = verdict.splits
    return Grid(title, ["", *(f"{name} ({split.events:,})" for name, split in splits.items())], list(_quality(splits)))


def _quality(splits: Mapping[str, SplitVerdict]) -> Iterator[list[str]]:
    rows: list[tuple[str, Callable[[SplitVerdict], Value]]] = [
        ("AUC", lambda split: split.auc),
        ("AUC of the exact limit", lambda split: split.optimal.area if split.optimal else Value(None)),
        ("log-loss", lambda split: split.log_loss),
        ("Brier score", lambda split: split.brier),
        ("accuracy", lambda split: split.accuracy),
        ("precision", lambda split: split.precision),
        ("recall", lambda split: split.recall),
        ("F1", lambda split: split.f1),
    ]
    for name, read in rows:
        values = [read(split) for split in splits.values()]
        if any(value.value is not None for value in values):
            yield [name, *(number(*value) for value in values)]
    for name in next(iter(splits.values())).one_vs_rest:
        yield [f"AUC of {name}", *(number(*split.one_vs_rest[name].auc) for split in splits.values())]
    if any(split.negative_fraction for split in splits.values()):
        yield ["share of negative weight", *(number(split.negative_fraction) for split in splits.values())]


def working_points(test: SplitVerdict) -> Grid:
    """What cuts at given signal efficiencies leave of the background; points of the same cut are one row."""
    rows = [
        [
            targeted(number(point.signal_efficiency), [same.target for same in (point, *ties)]),
            number(*point.background_efficiency),
            rejected(point),
            number(point.threshold),
        ]
        for point, *ties in joined(test.working_points, lambda point: point.threshold)
    ]
    return Grid(
        "working points on test", ["signal efficiency", "background efficiency", "rejection", "threshold"], rows
    )


def rejected(point: WorkingPoint) -> str:
    """The rejection, or what it is greater than where no background is left."""
    if point.rejection.value is None and point.rejection_limit is not None:
        return f"> {point.rejection_limit.at_95:.4g} (95 %)"
    return number(*point.rejection, 1)


def confusion(classes: tuple[str, ...], test: SplitVerdict) -> Grid:
    """Truth by row, decision by column: sums of weights and shares of the true class."""
    where = f", score ≥ {number(test.threshold)}" if len(classes) == 2 else ""
    rows = [
        [name, *(cell(weight, share) for weight, share in zip(weights, shares, strict=True))]
        for name, weights, shares in zip(classes, test.confusion.weights, test.confusion.fractions, strict=True)
    ]
    return Grid(f"confusion on test{where}", ["truth", *(f"→ {name}" for name in classes)], rows)


def cell(weight: float, share: float) -> str:
    """A cell of the confusion matrix in words."""
    told = f"{weight:,.0f}" if WHOLE[0] <= abs(weight) < WHOLE[1] else f"{weight:,.6g}"
    return f"{told} ({percent(share)})" if math.isfinite(share) else told


def significance(verdict: Verdict) -> Grid | None:
    """Expected events and their significance at the best cut; None where there is a reason against it."""
    found = verdict.significance
    if found.reason is not None:
        return None
    rows = [
        ["S", number(*found.s, 1)],
        ["B", number(*found.b, 1)],
        ["S/sqrt(B)", number(*found.s_over_sqrt_b, 2)],
        ["Asimov", number(*found.asimov, 2)],
        ["Asimov, B uncertain", number(*found.asimov_systematic, 2)],
    ]
    title = f"significance on test, score ≥ {number(found.cut)} (best {found.optimised} on validation)"
    return Grid(title, ["expected yields", ""], rows)
