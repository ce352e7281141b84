"""The verdict as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from hepclf.cli.terminal import section
from hepclf.evaluation.evidence import LEVELS
from hepclf.evaluation.grid import number
from hepclf.evaluation.tables import confusion, quality, significance, unquoted, working_points
from hepclf.evaluation.verdict import Verdict


def show(console: Console, verdict: Verdict, title: str) -> None:
    """Print what a verdict holds: quality on each split, working points, confusion and significance on test.

    Of each study what it says in a sentence; the tables only of those that somebody set, as the page has them all.
    """
    section(console, *quality(verdict, title))
    if verdict.test is not None:
        section(console, *working_points(verdict.test))
        section(console, *confusion(verdict.classes, verdict.test, expected=verdict.mixture.source != "events"))
        worth = significance(verdict)
        if worth is not None:
            section(console, *worth)
        for sentence in unquoted(verdict):
            console.print(f"{sentence}\n", markup=False)
    console.print(f"{verdict.mixture.sentence}\n", markup=False)
    for name in verdict.asked:
        for grid in verdict.studies[name].tables if name in verdict.studies else ():
            section(console, *grid)
    told = [sentence for study in verdict.studies.values() for sentence in study.sentences]
    for sentence in told:
        console.print(f"- {sentence}", markup=False)
    if told:
        console.print(f"  {LEVELS}\n", markup=False)


def show_coefficients(console: Console, summary: Mapping[str, Any]) -> None:
    """Print the coefficients of an exact logistic regression."""
    rows = [[row["name"], number(row["value"], row["error"])] for row in summary["coefficients"]]
    errors = summary["coefficient_errors"]
    title = f"coefficients of the {summary['coefficient_units']}" + (f", errors from the {errors}" if errors else "")
    section(console, title, ("", "value"), rows)
