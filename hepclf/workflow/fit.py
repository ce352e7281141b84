"""The second step of a training: the model is fitted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.models.calibrated import with_calibration
from hepclf.models.model import Tagger, edges
from hepclf.training.epoch import Epoch, Progress, Quiet, Stopping
from hepclf.training.rate_test import RateTest
from hepclf.training.threads import thread_limit
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared

OnEpoch = Callable[[Epoch], bool | None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A trained tagger, its epochs, and the weight of each validation event in the loss, [n].

    valid_seconds  time that this process spent on the validation set, if the fit measures it
    rate_test      the learning-rate range test, where trainer.find_rate asked for one
    members        the fit of each fold, if there are folds; the tagger and the epochs are then those of all
    """

    tagger: Tagger
    history: tuple[Epoch, ...]
    valid_weights: NDArray[np.float64]
    valid_seconds: float | None = None
    rate_test: RateTest | None = None
    members: tuple[Fitted, ...] = ()


def fit(
    prepared: Prepared,
    job: Job,
    on_epoch: OnEpoch | None = None,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
    *,
    announces: bool = True,
) -> Fitted:
    """Train until the last epoch, or until the validation loss no longer improves.

    `on_epoch` receives each epoch, and may end the training by returning True. With `checkpoints` the training resumes
    from the newest one; `on_epoch` then receives the earlier epochs again. With `announces` the warnings of data and
    settings are logged when it starts.
    """
    with thread_limit(job.trainer.threads):
        return _fitted(prepared, job, on_epoch, progress or Quiet(), checkpoints, announces)


def _fitted(
    prepared: Prepared,
    job: Job,
    on_epoch: OnEpoch | None,
    progress: Progress,
    checkpoints: Checkpoints | None,
    announces: bool,
) -> Fitted:
    progress.stage("training")
    train, valid = prepared.part("train"), prepared.part("valid")
    training = job.model.fit(train, valid, job.trainer)
    if announces:
        announce(prepared, job)  # only now: an error that stops the training is reported alone
    history: list[Epoch] = []
    stopping = Stopping(training.patience)

    def ends(epoch: Epoch, events: int | None) -> bool:
        history.append(epoch)
        progress.epoch(epoch, training.epochs, events)
        is_last = on_epoch is not None and bool(on_epoch(epoch))
        return stopping.done(epoch.valid_loss) or is_last

    stored = checkpoints.restore(training) if checkpoints is not None else []
    is_over = [ends(epoch, None) for epoch in stored]
    if not any(is_over):
        for epoch in edges(training):
            if epoch is not None and ends(epoch, len(train)):
                break
            if checkpoints is not None:
                checkpoints.edge(training, history)
    tagger = with_calibration(training.tagger(), valid, job.trainer)
    return Fitted(
        tagger=tagger,
        history=tuple(history),
        valid_weights=job.trainer.weights(valid),
        valid_seconds=getattr(training, "valid_seconds", None),
        rate_test=getattr(training, "rate_test", None),
    )


def announce(prepared: Prepared, job: Job) -> None:
    """List the warnings in one line, early enough to stop a training; their texts stand above its results."""
    complaints = [row.text.partition(";")[0] for row in prepared.warnings]
    if complaints:
        log.warning("what looks wrong in the data, told in full above the results: %s", "; ".join(complaints))
    for caution in job.warnings:
        log.warning(caution.text)
