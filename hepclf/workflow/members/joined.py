"""The fits of all folds as one, whose tagger is one tagger of members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hepclf.models.members import MembersTagger
from hepclf.workflow.fit import Fitted
from hepclf.workflow.job import Job
from hepclf.workflow.members.kfold import KFold
from hepclf.workflow.members.sets import NOBODY
from hepclf.workflow.prepare import Prepared


def joined_fits(fits: Sequence[Fitted], prepared: Prepared, job: Job) -> Fitted:
    """The tagger of all members; `valid_weights` are in the order of the events that validate a member."""
    folds, sets = job.folds, prepared.folds
    if folds is None or sets is None:
        raise ValueError("only trainings in folds can be joined")
    weights = np.zeros(len(prepared.events))
    for number, fitted in enumerate(fits):
        weights[sets.validators == number] = fitted.valid_weights
    seconds = [fitted.valid_seconds for fitted in fits if fitted.valid_seconds is not None]
    return Fitted(
        tagger=MembersTagger([fitted.tagger for fitted in fits], folds=folds.key, summary=_summary(fits, folds)),
        history=tuple(epoch for fitted in fits for epoch in fitted.history),
        valid_weights=weights[sets.validators != NOBODY],
        valid_seconds=sum(seconds) if len(seconds) == len(fits) else None,
        members=tuple(fits),
    )


def _summary(fits: Sequence[Fitted], folds: KFold) -> dict[str, Any]:
    """What tagger.json and metrics.json say of the folds, and the epoch of each member if it has one."""
    summary: dict[str, Any] = {"folds": {**folds.key.to_dict(), "valid": folds.share, "seed": folds.seed}}
    epochs = [fitted.tagger.summary.get("kept_epoch") for fitted in fits]
    return summary if None in epochs else {**summary, "kept_epochs": epochs}
