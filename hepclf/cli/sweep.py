"""The jobs of a sweep, a line each, and what they come to together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from hepclf.cli.compare import save_comparison, show_comparison
from hepclf.cli.terminal import section, short_path
from hepclf.statistics.value import NOTHING, Value
from hepclf.words import number

MOST = 8  # choices that are compared with each other, the best on validation
REPEATS = ("seed", "data.split.fold")  # what only repeats a choice: jobs that differ in these alone belong together


class SweepJob(NamedTuple):
    """One job: what is special to it, its run's folder, or why it failed, and what its results say.

    valid, test  AUC on these splits
    loss         log-loss on validation
    warnings     how many there are
    """

    named: str
    where: str
    valid: Value = NOTHING
    test: Value = NOTHING
    failed: bool = False
    loss: Value = NOTHING
    warnings: int = 0

    def line(self) -> str:
        """What to print of it."""
        if self.failed:
            return f"{self.named}: failed  {self.where}"
        warned = f", {self.warnings} warning{'s' if self.warnings > 1 else ''}" if self.warnings else ""
        return f"{self.named}: AUC {number(*self.test)}{warned}  {self.where}"

    @property
    def choice(self) -> str:
        """What was chosen, without seeds and folds."""
        choices = [word for word in self.named.split(" ") if word.split("=", 1)[0] not in REPEATS]
        return " ".join(choices) or "all"


def summary(console: Console, jobs: Sequence[SweepJob]) -> None:
    """Print the mean and spread of each choice, and the one to take: the best on validation, quoted on test."""
    groups: dict[str, list[SweepJob]] = {}
    for job in jobs:
        if job.valid.value is not None and job.test.value is not None:
            groups.setdefault(job.choice, []).append(job)
    console.print()
    if sum(map(len, groups.values())) > 1:
        rows = [
            [
                name,
                str(len(group)),
                *(_spread([getattr(job, key) for job in group]) for key in ("loss", "valid", "test")),
            ]
            for name, group in groups.items()
        ]
        section(console, "the sweep", ("choice", "jobs", "validation loss", "validation AUC", "test AUC"), rows)
    if len(groups) > 1:
        best = max(groups, key=lambda name: _mean(groups[name]))
        console.print(f"best on validation: {best}", markup=False)
    if with_warnings := sum(job.warnings > 0 for job in jobs):
        console.print(f"{with_warnings} of {len(jobs)} jobs have warnings; they stand at the top of their reports")
    if failed := sum(job.failed for job in jobs):
        console.print(f"{failed} of {len(jobs)} jobs failed")


def comparison(console: Console, jobs: Sequence[SweepJob]) -> None:
    """Compare the runs of a sweep as `hepclf compare` does, where each choice was trained once."""
    done = [job for job in jobs if job.valid.value is not None and not job.failed]
    if len(done) < 2:
        return
    if len({job.choice for job in done}) < len(done):
        console.print("each choice was repeated; for a p-value of two runs say hepclf compare DIR DIR")
        return
    best = sorted(done, key=lambda job: -(job.valid.value or 0.0))[:MOST]
    if len(best) < len(done):
        console.print(f"the {MOST} best of {len(done)} on validation are compared")

    from hepclf.comparison.compared import compare_runs
    from hepclf.comparison.selection import LeftOut
    from hepclf.run import Run

    left_out = [LeftOut(job.named, reason) for job in jobs if (reason := _left_out(job, best))]
    console.print()
    try:
        runs = compare_runs([Run.open(job.where) for job in best], [job.choice for job in best], left_out)
    except ValueError as reason:
        console.print(f"no comparison: {reason}", soft_wrap=True, markup=False)
        return
    show_comparison(console, runs)
    plots = any(entry.evaluation.get("plots") for entry in runs.entries.values())
    console.print(f"comparison in {short_path(save_comparison(runs, plots=plots))}", soft_wrap=True, markup=False)


def _left_out(job: SweepJob, best: Sequence[SweepJob]) -> str | None:
    """Why a job is not compared with the best ones; None where it is."""
    if job.failed:
        return f"failed: {job.where}"
    if job.valid.value is None:
        return "it has no AUC on validation"
    return None if job in best else f"not among the {MOST} best on validation"


def _mean(group: Sequence[SweepJob]) -> float:
    return statistics.mean(job.valid.value or 0.0 for job in group)


def _spread(areas: Sequence[Value]) -> str:
    """Mean and standard deviation over the jobs of a choice; of one job, its own error."""
    if len(areas) == 1:
        return number(*areas[0])
    values = [area.value for area in areas if area.value is not None]
    if len(values) < 2:
        return "-"
    return number(statistics.mean(values), statistics.stdev(values))
