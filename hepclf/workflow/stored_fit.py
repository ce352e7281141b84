"""The fit of a run that stopped after its training, from its tagger and its history."""

from __future__ import annotations

import logging

from hepclf.models.loading import load_tagger
from hepclf.models.members import MembersTagger
from hepclf.models.model import Tagger
from hepclf.models.tagger import HEAD
from hepclf.run import Run
from hepclf.workflow.fit import Fitted
from hepclf.workflow.history import read_histories, read_history
from hepclf.workflow.job import Job
from hepclf.workflow.members.joined import joined_fits
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.record import read_rate_test

log = logging.getLogger(__name__)


def stored_fit(job: Job, run: Run, prepared: Prepared) -> Fitted | None:
    """The fit of a run that is trained already; None if it is not."""
    if (tagger := _stored_tagger(job, run)) is None:
        return None
    if job.folds is not None:
        return _stored_folds(tagger, job, run, prepared)
    if not (history := read_history(run.history)):
        return None
    return Fitted(
        tagger=tagger,
        history=history,
        valid_weights=job.trainer.weights(prepared.part("valid")),
        rate_test=read_rate_test(run),
    )


def _stored_tagger(job: Job, run: Run) -> Tagger | None:
    if not (run.tagger / HEAD).is_file() or not run.history.is_file():
        return None
    try:
        return load_tagger(run.tagger, (type(job.model),)).to(job.trainer.device)
    except ValueError as error:
        log.warning("the tagger in %s cannot be used (%s); it is trained again", run.tagger, error)
        return None


def _stored_folds(tagger: Tagger, job: Job, run: Run, prepared: Prepared) -> Fitted | None:
    """The fit of each fold, from one tagger and one history of all."""
    histories = read_histories(run.history)
    if not isinstance(tagger, MembersTagger) or len(histories) < len(tagger.members):
        return None
    fits = []
    for number, member in enumerate(tagger.members):
        weights = job.trainer.weights(prepared.member(number).part("valid"))
        fits.append(Fitted(tagger=member, history=histories[number], valid_weights=weights))
    return joined_fits(fits, prepared, job)
