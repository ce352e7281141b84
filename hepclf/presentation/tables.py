"""The results as tables of words, for a terminal or a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from hepclf.evaluation.results import Results, SplitResults
from hepclf.statistics.counting.scan import Significance
from hepclf.statistics.curves.limit import rejection_text
from hepclf.statistics.value import Value
from hepclf.words import Grid, grouped_rows, lower_limit, number, percent, targeted, upper_limit

SIGNIFICANCE = (
    ("S", "s", 1),
    ("B", "b", 1),
    ("S/sqrt(B)", "s_over_sqrt_b", 2),
    ("Asimov", "asimov", 2),
    ("Asimov, B uncertain", "asimov_systematic", 2),
)
WHOLE = (1e5, 1e12)  # sums of weights that are written without decimals


def quality(results: Results, title: str) -> Grid:
    """What each split says."""
    splits = results.splits
    return Grid(title, ["", *(f"{name} ({split.events:,})" for name, split in splits.items())], list(_quality(splits)))


def _quality(splits: Mapping[str, SplitResults]) -> Iterator[list[str]]:
    rows: list[tuple[str, Callable[[SplitResults], Value]]] = [
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
            yield [name, *(_quoted(name, value, split) for value, split in zip(values, splits.values(), strict=True))]
    for name in next(iter(splits.values())).one_vs_rest:
        yield [f"AUC of {name}", *(number(*split.one_vs_rest[name].auc) for split in splits.values())]
    if any(split.negative_fraction for split in splits.values()):
        yield ["share of negative weight", *(number(split.negative_fraction) for split in splits.values())]


def _quoted(name: str, value: Value, split: SplitResults) -> str:
    """A mean of a split; of the precision what it is greater than, where no background is selected."""
    if name == "precision" and split.precision_limit is not None:
        return lower_limit(split.precision_limit.at_95)
    return number(*value)


def working_points(test: SplitResults) -> Grid:
    """What cuts at given signal efficiencies leave of the background; points of the same cut are one row."""
    rows = [
        [
            targeted(number(point.signal_efficiency), [same.target for same in (point, *ties)]),
            number(*point.background_efficiency),
            rejection_text(point.rejection, point.rejection_limit),
            number(point.threshold),
        ]
        for point, *ties in grouped_rows(test.working_points, lambda point: point.threshold)
    ]
    return Grid(
        "working points on test", ["signal efficiency", "background efficiency", "rejection", "threshold"], rows
    )


def confusion(classes: tuple[str, ...], test: SplitResults, *, expected: bool = False) -> Grid:
    """Truth by row, decision by column: sums of weights, or expected events, and shares of the true class."""
    where = f", score ≥ {number(test.threshold)}" if len(classes) == 2 else ""
    rows = [
        [name, *(cell(weight, share) for weight, share in zip(weights, shares, strict=True))]
        for name, weights, shares in zip(classes, test.confusion.weights, test.confusion.fractions, strict=True)
    ]
    what = ", expected events" if expected else ""
    return Grid(f"confusion on test{where}{what}", ["truth", *(f"→ {name}" for name in classes)], rows)


def cell(weight: float, share: float) -> str:
    """A cell of the confusion matrix in words."""
    told = f"{weight:,.0f}" if WHOLE[0] <= abs(weight) < WHOLE[1] else f"{weight:,.6g}"
    return f"{told} ({percent(share)})" if math.isfinite(share) else told


def floored(found: Significance) -> str | None:
    """That a floor under the background holds the best cut; None where it does not."""
    if found.floor is None:
        return None
    return (
        f"evaluation.minimum_background={found.floor:g} holds the cut here: a tighter cut looks better, but rests on "
        "too few simulated background events to be trusted."
    )


def significance(results: Results) -> Grid | None:
    """Expected events and their significance at the best cut, and at the threshold that decides where it is another.

    None where there is a reason against both.
    """
    columns = [("best " + results.significance.optimised, results.significance)]
    if results.at_threshold is not None and results.at_threshold is not results.significance:
        columns.append(("threshold", results.at_threshold))
    columns = [(name, quoted) for name, quoted in columns if quoted.cut is not None]
    if not columns:
        return None
    rows = [
        [label, *(_expected(quoted, name, digits) for _, quoted in columns)] for label, name, digits in SIGNIFICANCE
    ]
    header = [f"{name}, score ≥ {number(quoted.cut)}" for name, quoted in columns]
    best = ", best cut chosen on validation" if results.significance.cut is not None else ""
    return Grid(f"significance on test{best}", ["expected yields", *header], rows)


def unquoted(results: Results) -> tuple[str, ...]:
    """Why the best cut or the threshold has no significance, each in a sentence."""
    quoted = {"at the best cut": results.significance, "at the threshold": results.at_threshold}
    reasons = {where: each.reason for where, each in quoted.items() if each is not None and each.reason is not None}
    if len(reasons) == 2 and len(set(reasons.values())) == 1:
        return (f"no significance: {results.significance.reason}",)
    return tuple(f"no significance {where}: {reason}" for where, reason in reasons.items())


def _expected(quoted: Significance, name: str, digits: int) -> str:
    if name == "b" and quoted.b_limit is not None:
        return upper_limit(quoted.b_limit.at_95)
    value: Value = getattr(quoted, name)
    return number(value.value, value.error, digits)
