"""A worker of a study: it takes one trial after another until each has its result."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hepclf.lock import Lock
from hepclf.run import Stopped
from hepclf.search.attempt import Attempt, JobOf, claimed
from hepclf.search.folder import StudyFolder
from hepclf.search.repeats import TrialData
from hepclf.search.trial import Trial
from hepclf.training.epoch import Progress, Quiet
from hepclf.workflow.stop import Stop, Stoppable

if TYPE_CHECKING:
    from hepclf.search.ledger import Ledger

WAIT_S = 0.5  # between two looks whether the trials of others have ended
MOST_FAILURES = 5  # failed trials at the beginning of a study, after which it stops: its settings are wrong

OnTrial = Callable[[Trial], None]


def work(
    folder: StudyFolder,
    job_of: JobOf,
    *,
    number: int = 0,
    progress: Progress | None = None,
    stop: Stop | None = None,
    on_trial: OnTrial | None = None,
) -> None:
    """Make trials until each has its result; each of several workers has its own `number`.

    While other workers have trials, this one waits; it continues the trial of a lost worker.
    """
    stop = stop or Stop()
    leave = partial(_leave, folder, stop)
    attempt = Attempt(
        folder=folder,
        ledger=require_engine()(folder, number),
        job_of=job_of,
        data=TrialData(folder.tuning),
        progress=Stoppable(progress or Quiet(), leave),
        stop=stop,
    )
    final = {trial.number for trial in folder.trials() if trial.is_final}
    if len(final) < folder.tuning.trials:
        attempt.read()
    while len(final) < folder.tuning.trials:
        leave()
        if (hold := claimed(folder, final)) is None:
            if len(final) < folder.tuning.trials:
                time.sleep(WAIT_S)
            continue
        trial = _attempted(attempt, folder, *hold)
        final.add(trial.number)
        if on_trial is not None:
            on_trial(trial)
        _refuse_failures(folder, trial)
    attempt.ledger.close()


def require_engine() -> type[Ledger]:
    """The class for the engine's side of a study, the only one that needs Optuna."""
    try:
        from hepclf.search.ledger import Ledger
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise ValueError("hepclf tune needs optuna; pip install 'hepclf[tune]'") from None
    return Ledger


def resume_command(folder: StudyFolder) -> str:
    """The advice how to continue a study that was stopped."""
    return f"continue with: hepclf tune resume {shlex.join((str(folder.path), *folder.code_words))}"


def _attempted(attempt: Attempt, folder: StudyFolder, number: int, lock: Lock) -> Trial:
    try:
        return attempt.make(number, lock)
    except Stopped as stopped:
        raise Stopped(
            f"{stopped.reason}, in trial {number}", resume_command(folder), is_interrupt=stopped.is_interrupt
        ) from stopped


def _leave(folder: StudyFolder, stop: Stop) -> None:
    if stop.reason is not None:
        raise Stopped(f"stopped by {stop.reason}", resume_command(folder), is_interrupt=stop.is_interrupt)


def _refuse_failures(folder: StudyFolder, trial: Trial) -> None:
    """End a study whose first trials all failed: the reason is then not their values."""
    if trial.state != "failed" or trial.number >= MOST_FAILURES + folder.tuning.workers:
        return
    trials = [row for row in folder.trials() if row.is_final]
    if len(trials) >= MOST_FAILURES and all(row.state == "failed" for row in trials):
        raise ValueError(f"the first {len(trials)} trials failed, the last one with {trial.error}; check the settings")
