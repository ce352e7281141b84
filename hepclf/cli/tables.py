"""The results as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from rich.console import Console

from hepclf.cli.terminal import section
from hepclf.evaluation.evidence import LEVELS
from hepclf.evaluation.results import Results
from hepclf.presentation.tables import (
    OVERLAP,
    READ_OFF,
    WHICH_WEIGHTS,
    bullets,
    chosen_points,
    confusion_table,
    floor_note,
    quality_table,
    significance_table,
    uncertainty_note,
    unquoted,
    working_points_table,
)
from hepclf.words import Caution, number


def show_results(console: Console, results: Results, title: str) -> None:
    """Print the results: warnings, quality on each split, working points, confusion and significance on the test set.

    Each study prints its sentences; only studies that the user set print their tables. The page has all of them.
    """
    show_warnings(console, results.warnings)
    section(console, *quality_table(results, title))
    if results.in_folds:
        console.print(OVERLAP, markup=False)
    console.print(f"{WHICH_WEIGHTS}\n", markup=False)
    if results.test is not None:
        _show_working_points(console, results)
        section(console, *confusion_table(results.classes, results.test, expected=results.mixture.source != "events"))
        significance = significance_table(results)
        if significance is not None:
            section(console, *significance)
            console.print(f"{uncertainty_note(results)}\n", markup=False)
            if (remark := floor_note(results.significance)) is not None:
                console.print(f"{remark}\n", markup=False)
        for sentence in unquoted(results):
            console.print(f"{sentence}\n", markup=False)
    console.print(f"{results.mixture.sentence}\n", markup=False)
    shown = chosen_points(results)
    for name in results.asked:
        if name in results.studies:
            for grid in results.studies[name].tables:
                if grid != shown:
                    section(console, *grid)
    lines = bullets(results)
    for line in lines:
        console.print(f"- {line}", markup=False)
    if lines:
        console.print(f"\n{LEVELS}\n", markup=False)


def _show_working_points(console: Console, results: Results) -> None:
    """Print the cuts chosen on the validation set; without them, points that are read off the test set."""
    chosen = chosen_points(results)
    if chosen is not None:
        section(console, *chosen)
    elif results.test is not None:
        section(console, *working_points_table(results.test))
        console.print(f"{READ_OFF}\n", markup=False)


def show_warnings(console: Console, warnings: Sequence[Caution]) -> None:
    """Print the warnings, if there are any, above all numbers."""
    if not warnings:
        return
    count = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
    console.print(count, style="bold yellow")
    for row in warnings:
        lines = wrap(row.text, console.width, initial_indent="! ", subsequent_indent="  ", break_long_words=False)
        console.print("\n".join(lines), soft_wrap=True, markup=False)
    console.print()


def show_coefficients(console: Console, summary: Mapping[str, Any]) -> None:
    """Print the coefficients of an exact logistic regression."""
    rows = [[row["name"], number(row["value"], row["error"])] for row in summary["coefficients"]]
    errors = summary["coefficient_errors"]
    title = f"coefficients of the {summary['coefficient_units']}"
    if errors:
        title += f", errors from the {errors}"
    section(console, title, ("", "value"), rows)
