"""The work of the other ranks of a training: they read and fit; rank 0 writes everything."""

from __future__ import annotations

from hepclf.training.epoch import Quiet
from hepclf.training.ranks import group
from hepclf.training.threads import thread_limit
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.fit import fit
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare
from hepclf.workflow.stop import Stop, Stoppable


def follow(job: Job, stop: Stop) -> None:
    """Take part in the training of a job that rank 0 records; it meets the other ranks at the same places as rank 0."""
    ranks, checkpoints = group(), Checkpoints(None, job, stop)
    with thread_limit(job.trainer.threads):
        with ranks.together():
            pass  # rank 0 opens the folder
        with ranks.together():
            prepared = prepare(job, Stoppable(Quiet(), checkpoints.leave))
        with ranks.together():
            checkpoints.check(prepared)
        if ranks.spread_value(None):
            fit(prepared, job, checkpoints=checkpoints)
