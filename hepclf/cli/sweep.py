"""The jobs of a sweep, a line each, and what they come to together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from hepclf.cli.terminal import number
from hepclf.evaluation.value import Value


class Job(NamedTuple):
    """One job: what is special to it, its test AUC (None where it failed), and its run's folder or its error."""

    named: str
    auc: Value | None
    where: str

    def line(self) -> str:
        """What to print of it."""
        return f"{self.named}: {'failed' if self.auc is None else 'AUC ' + number(*self.auc)}  {self.where}"


def summary(console: Console, jobs: Sequence[Job]) -> None:
    """Print the best job, and the mean and spread of all: of the folds, where folds were swept."""
    found = [(job.auc.value, job) for job in jobs if job.auc is not None and job.auc.value is not None]
    console.print()
    if len(found) > 1:
        values = [value for value, _ in found]
        best = max(found, key=lambda pair: pair[0])[1]
        mean, spread = statistics.mean(values), statistics.stdev(values)
        console.print(f"{len(found)} jobs: mean test AUC {mean:.4f}, spread {spread:.4f}", markup=False)
        console.print(f"best   {best.line()}", soft_wrap=True, markup=False)
    if failed := len([job for job in jobs if job.auc is None]):
        console.print(f"{failed} of {len(jobs)} jobs failed")
