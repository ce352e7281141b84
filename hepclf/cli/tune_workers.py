"""The workers of a search on this machine, and the results of their trials."""

from __future__ import annotations

from collections.abc import Callable

from hepclf.cli.workers import STOPPED_WORKERS, Workers, worker_command
from hepclf.run import Stopped
from hepclf.search.folder import StudyFolder
from hepclf.search.trial import Trial
from hepclf.search.worker import resume_command
from hepclf.workflow.stop import Stop


def search_in_processes(folder: StudyFolder, stop: Stop, tell: Callable[[Trial], None]) -> None:
    """Run the trials that lack a result, in as many processes as the study says; `tell` receives each result."""
    total, ended = folder.tuning.trials, {trial.number for trial in folder.trials() if trial.is_final}

    def look() -> None:
        for number in sorted(set(range(total)) - ended):
            trial = Trial.read(folder.trial(number))
            if trial is not None and trial.is_final:
                ended.add(number)
                tell(trial)

    workers = Workers(
        folder.path, folder.tuning.workers, lambda number: worker_command("study", folder.path, str(number))
    )
    advice = resume_command(folder)
    try:
        was_stopped = workers.work(stop, look)
    except Stopped as stopped:
        raise Stopped(stopped.reason, advice, is_interrupt=stopped.is_interrupt) from stopped
    if len(ended) < total and was_stopped:
        raise Stopped(STOPPED_WORKERS, advice)
    if len(ended) < total:
        raise ValueError(f"the workers have ended with a result for {len(ended)} of {total} trials; {advice}")
