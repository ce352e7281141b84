"""The output of a sweep: a line for each job, and a summary of all jobs."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from hepclf.cli.compare import save_comparison, show_comparison
from hepclf.cli.grids import show_grids
from hepclf.cli.terminal import short_path
from hepclf.statistics.value import NOTHING, Value
from hepclf.words import Grid, number
from hepclf.workflow.sweep_row import Choice, Row, choices

MOST = 8  # choices that are compared with each other, the best on validation
FEW = 4  # choices that are named as good as the best
ROWS = 30  # choices in the closing table
MEASURES = {"log_loss": "log-loss", "auc": "AUC"}
SPREADS = "± of several jobs: their standard deviation; of one job: its statistical error"
LISTED = ("loss", "valid", "test")
STATES = {
    "failed": ("failed",),
    "are not finished": ("stopped", "lost", "waiting"),
    "are trained by other processes": ("running",),
}


def job_line(row: Row) -> str:
    """The line for a job that ended."""
    if not row.is_finished:
        return f"{row.named}: {row.status}  {row.error or ''}".rstrip()
    text = f"{row.named}: AUC {number(*row.test)}"
    if row.warnings:
        text += ", 1 warning" if row.warnings == 1 else f", {row.warnings} warnings"
    return f"{text}  {short_path(row.folder)}"


def summary(console: Console, rows: Sequence[Row], by: str) -> None:
    """Print mean and spread of each choice, and the one to use: best on the validation set, quoted on the test set."""
    ranked = choices(rows, by)
    console.print()
    if sum(len(choice.rows) for choice in ranked) > 1:
        cells = [
            [
                choice.short_name,
                str(len(choice.rows)),
                *(_spread([getattr(row, name) for row in choice.rows]) for name in LISTED),
            ]
            for choice in ranked[:ROWS]
        ]
        header = ["choice", "jobs", "validation loss", "validation AUC", "test AUC"]
        show_grids(console, [Grid("the sweep", header, cells)])
        if any(len(choice.rows) > 1 for choice in ranked[:ROWS]):
            console.print(SPREADS, soft_wrap=True)
    if len(ranked) > ROWS:
        console.print(f"... {len(ranked) - ROWS} more in sweep.csv")
    if len(ranked) > 1:
        best = ranked[0]
        measured = _spread([row.measure(by) for row in best.rows])
        console.print(f"best on validation: {best.name}  ({MEASURES[by]} {measured})", soft_wrap=True, markup=False)
        if close := _agreeing(ranked, by):
            console.print(f"within this error of the best: {_first(close)}", soft_wrap=True, markup=False)
    _show_warned(console, rows)
    for status, words in STATES.items():
        if count := sum(row.status in words for row in rows):
            console.print(f"{count} of {len(rows)} jobs {status}")
    for row in [row for row in rows if row.status == "failed"][:ROWS]:
        console.print(job_line(row), soft_wrap=True, markup=False)


def _agreeing(ranked: Sequence[Choice], by: str) -> list[str]:
    """The choices whose number differs from that of the best by no more than its error."""
    means = {choice.short_name: _mean([row.measure(by) for row in choice.rows]) for choice in ranked}
    best, error = next(iter(means.values()))
    if best is None or error is None:
        return []
    others = list(means.items())[1:]
    return [name for name, mean in others if mean.value is not None and abs(mean.value - best) <= error]


def _first(names: Sequence[str]) -> str:
    """`a, b, c, d and 3 more`."""
    text = ", ".join(names[:FEW])
    return text if len(names) <= FEW else f"{text} and {len(names) - FEW} more"


def _show_warned(console: Console, rows: Sequence[Row]) -> None:
    """Print how many jobs have warnings, and the kinds of each choice."""
    warned = [row for row in rows if row.warnings]
    if not warned:
        return
    console.print(f"{len(warned)} of {len(rows)} jobs have warnings, told in full in their metrics.json:")
    counts = Counter((row.short_choice, kind) for row in warned for kind in row.kinds)
    for (name, kind), count in list(counts.items())[:ROWS]:
        jobs = "1 job" if count == 1 else f"{count} jobs"
        console.print(f"  {name}: {kind} ({jobs})", soft_wrap=True, markup=False)
    if len(counts) > ROWS:
        console.print(f"  ... {len(counts) - ROWS} more")


def comparison(console: Console, rows: Sequence[Row], by: str, *, plots: bool) -> None:
    """Compare the runs of a sweep as `hepclf compare` does, if each choice was trained once."""
    ranked = [choice for choice in choices(rows, by) if choice.mean(by) is not None]
    if sum(len(choice.rows) for choice in ranked) < 2:
        return
    if any(len(choice.rows) > 1 for choice in ranked):
        console.print("each choice was repeated; for a p-value of two runs say hepclf compare DIR DIR")
        return
    best = ranked[:MOST]
    if len(best) < len(ranked):
        console.print(f"the {MOST} best of {len(ranked)} on validation are compared")

    from hepclf.comparison.compared import compare_runs
    from hepclf.comparison.selection import LeftOut
    from hepclf.run import Run

    left_out = [LeftOut(row.short_name, reason) for row in rows if (reason := _left_out(row, best, by))]
    console.print()
    try:
        runs = compare_runs(
            [Run.open(_run(choice)) for choice in best], [choice.short_name for choice in best], left_out
        )
    except ValueError as reason:
        console.print(f"no comparison: {reason}", soft_wrap=True, markup=False)
        return
    show_comparison(console, runs)
    folder = save_comparison(runs, plots=plots)
    console.print(f"comparison in {short_path(folder)}", soft_wrap=True, markup=False)
    console.print(f"report     {short_path(folder / 'report.html')}", soft_wrap=True, markup=False)


def _run(choice: Choice) -> str:
    return str(choice.rows[0].folder)


def _left_out(row: Row, best: Sequence[Choice], by: str) -> str | None:
    """Why a job is not compared with the best ones; None if it is."""
    if not row.is_finished:
        return ": ".join(filter(None, (row.status, row.error)))
    if row.measure(by).value is None:
        return f"it has no {MEASURES[by]} on validation"
    if row.choice in {choice.name for choice in best}:
        return None
    return f"not among the {MOST} best on validation"


def _spread(values: Sequence[Value]) -> str:
    return number(*_mean(values))


def _mean(values: Sequence[Value]) -> Value:
    """Mean and standard deviation over the jobs of a choice; for a single job, its own value and error."""
    if len(values) == 1:
        return values[0]
    numbers = [value.value for value in values if value.value is not None]
    if len(numbers) < 2:
        return NOTHING
    return Value(statistics.mean(numbers), statistics.stdev(numbers))
