"""Finds values of a sweep that no job can be trained with, before the first job starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hepclf.cli.errors import WRONG, explain
from hepclf.workflow.sweep import SweepJob

MOST = 100  # jobs that are composed, at up to a tenth of a second each


def check_values(jobs: Sequence[SweepJob], compose: Callable[[SweepJob], object]) -> None:
    """Raise the error of a value with which no job can be composed.

    Each value is composed once, not each combination: a combination that is wrong fails as its own job.
    """
    composable = _surplus(jobs)
    errors: dict[tuple[str, str], Exception] = {}
    tries = 0
    for job in jobs:
        values = job.varied.items() or {("", "")}
        if values <= composable:
            continue
        tries += 1
        if tries > MOST:
            break
        try:
            compose(job)
        except Exception as error:
            if explain(error)[1] == WRONG:  # else it may be another one when the job is trained
                errors |= {value: error for value in values if value not in errors}
                continue
        composable |= values
    refusals = [errors[value] for value in errors if value not in composable]
    if refusals:
        raise refusals[0]


def _surplus(jobs: Sequence[SweepJob]) -> set[tuple[str, str]]:
    """The values that are not checked, as their setting has too many: thousands of seeds hide no other setting."""
    values = dict.fromkeys(value for job in jobs for value in job.varied.items())
    keys = {key for key, _ in values}
    share = MOST // max(1, len(keys))
    return {value for key in keys for value in [pair for pair in values if pair[0] == key][share:]}
