"""The verdict as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console

from hepclf.cli.terminal import section
from hepclf.evaluation.grid import number
from hepclf.evaluation.value import Value
from hepclf.evaluation.verdict import SplitVerdict, Verdict


def show(console: Console, verdict: Verdict, title: str) -> None:
    """Print what a verdict holds: quality on each split, working points, confusion and significance on test."""
    splits = verdict.splits
    section(console, title, ["", *(f"{name} ({split.events:,})" for name, split in splits.items())], _quality(splits))
    test = splits.get("test")
    if test is not None:
        _on_test(console, verdict, test)
    for study in verdict.studies.values():
        for grid in study.tables:
            section(console, *grid)
    told = [sentence for study in verdict.studies.values() for sentence in study.sentences]
    for sentence in told:
        console.print(f"- {sentence}", markup=False)
    if told:
        console.print()


def _on_test(console: Console, verdict: Verdict, test: SplitVerdict) -> None:
    section(console, "working points on test", WORKING_POINTS, _working_points(test))
    where = f", score ≥ {number(test.threshold)}" if len(verdict.classes) == 2 else ""
    decided = ["truth", *(f"→ {name}" for name in verdict.classes)]
    section(console, f"confusion on test{where}", decided, _confusion(verdict, test))
    _significance(console, verdict)


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


WORKING_POINTS = ("signal efficiency", "background efficiency", "rejection", "threshold")


def _working_points(test: SplitVerdict) -> Iterator[list[str]]:
    for point in test.working_points:
        yield [
            number(point.signal_efficiency),
            number(*point.background_efficiency),
            number(*point.rejection, 1),
            number(point.threshold),
        ]


def _confusion(verdict: Verdict, test: SplitVerdict) -> Iterator[list[str]]:
    for name, weights, shares in zip(verdict.classes, test.confusion.weights, test.confusion.fractions, strict=True):
        yield [name, *(f"{weight:,.6g} ({share:.1%})" for weight, share in zip(weights, shares, strict=True))]


def _significance(console: Console, verdict: Verdict) -> None:
    found = verdict.significance
    if found.reason is not None:
        console.print(f"no significance: {found.reason}\n", markup=False)
        return
    rows = [
        ["S", number(*found.s, 1)],
        ["B", number(*found.b, 1)],
        ["S/sqrt(B)", number(*found.s_over_sqrt_b, 2)],
        ["Asimov", number(*found.asimov, 2)],
        ["Asimov, B uncertain", number(*found.asimov_systematic, 2)],
    ]
    title = f"significance on test, score ≥ {number(found.cut)} (best {found.optimised} on validation)"
    section(console, title, ("expected yields", ""), rows)


def show_coefficients(console: Console, summary: Mapping[str, Any]) -> None:
    """Print the coefficients of an exact logistic regression."""
    rows = [[row["name"], number(row["value"], row["error"])] for row in summary["coefficients"]]
    errors = summary["coefficient_errors"]
    title = f"coefficients of the {summary['coefficient_units']}" + (f", errors from the {errors}" if errors else "")
    section(console, title, ("", "value"), rows)
