"""One training of a trial: a run folder without tagger and pictures, from which a continued trial reads its outcome."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hepclf.files import read_json, write_yaml
from hepclf.run import Run
from hepclf.search.objective import objectives
from hepclf.search.tuning import PLACES, Tuning, loss_sign
from hepclf.statistics.value import Value
from hepclf.training.epoch import Epoch, Progress
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.fit import fit
from hepclf.workflow.history import History
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.resume import opened
from hepclf.workflow.stop import Stop, Stoppable

BOOSTING_RATE = "learning_rate"  # a setting of boosted models; networks have the trainer's
BOOSTING_PLACE = 3.0  # rounds times learning rate; a boosting ends at 10 to 50, and small trees catch up late
FACTS = "trial"  # the key of environment.json
IsPoor = Callable[[int, float], bool]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a training, which environment.json records for its trial.

    values    the objectives, empty where it was stopped early
    errors    their statistical errors
    reported  the values reported to the pruning, by their place in the training
    drawn     what differs between repeats: split, or seed where the data define their split
    """

    values: tuple[float, ...] = ()
    errors: tuple[float | None, ...] = ()
    reported: Mapping[int, float] = field(default_factory=dict)
    drawn: str = "split"
    seconds: float = 0.0

    @property
    def is_pruned(self) -> bool:
        """Whether it was stopped early."""
        return not self.values

    def to_dict(self) -> dict[str, Any]:
        """As environment.json has it."""
        return vars(self) | {"reported": {str(place): value for place, value in self.reported.items()}}


def stored_outcome(run: Run) -> Outcome | None:
    """The outcome of a finished training; None where it is still to be trained."""
    try:
        record = read_json(run.environment)
        if record["status"] != "finished":
            return None
        facts = record[FACTS]
        return Outcome(
            values=tuple(facts["values"]),
            errors=tuple(facts["errors"]),
            reported={int(place): value for place, value in facts["reported"].items()},
            drawn=str(facts["drawn"]),
            seconds=facts["seconds"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class Pruning:
    """Reports the validation loss at a few places of a training to the engine, and stops a poor training."""

    def __init__(self, is_poor: IsPoor | None, *, maximised: bool, is_boosting: bool = False) -> None:
        # Where the engine maximises the objective, it gets minus the loss.
        self._is_poor, self._sign, self._is_boosting = is_poor, loss_sign(maximised), is_boosting
        self.reported: dict[int, float] = {}
        self.is_over = False
        self.epochs = 0  # largest number of epochs of this training

    def __call__(self, epoch: Epoch) -> bool:
        """Whether to stop after this epoch."""
        place = self._place(epoch)
        is_new = place > max(self.reported, default=0) and epoch.epoch < self.epochs
        if self._is_poor is None or not is_new or not math.isfinite(epoch.valid_loss):
            return False
        self.reported[place] = self._sign * epoch.valid_loss
        self.is_over = self._is_poor(place, self.reported[place])
        return self.is_over

    def _place(self, epoch: Epoch) -> int:
        """The progress of a training, at which trials are compared.

        A boosting with a third of the learning rate needs three times the rounds, so their product counts.
        """
        if self._is_boosting:
            return int(epoch.epoch * epoch.learning_rate / BOOSTING_PLACE + 1e-9)
        return epoch.epoch // max(1, math.ceil(self.epochs / PLACES))


class EpochCount:
    """Progress that also tells the pruning the number of epochs of a training."""

    def __init__(self, progress: Progress, pruning: Pruning) -> None:
        self._progress, self._pruning = progress, pruning
        self.stage, self.read = progress.stage, progress.read

    def epoch(self, epoch: Epoch, total: int, events: int | None) -> None:
        """An epoch over `events` training events is done."""
        self._pruning.epochs = total
        self._progress.epoch(epoch, total, events)


def trained(
    run: Run, job: Job, prepared: Prepared, tuning: Tuning, is_poor: IsPoor | None, progress: Progress, stop: Stop
) -> Outcome:
    """Train in a folder, from its last checkpoint on, and measure the objectives; no tagger is kept."""
    run = opened(run.folder, job, resume=True)
    with run.recorded() as environment:
        started = time.perf_counter()
        write_yaml(run.config, job.describe())
        checkpoints = Checkpoints(run, job, stop)
        is_boosting = BOOSTING_RATE in {field.name for field in fields(job.model)}  # type: ignore[arg-type]
        pruning = Pruning(is_poor, maximised=tuning.maximised[0], is_boosting=is_boosting)
        history = History(run.history)

        def on_epoch(epoch: Epoch) -> bool:
            history(epoch)
            return pruning(epoch)

        checkpoints.check(prepared)
        heard = Stoppable(EpochCount(progress, pruning), checkpoints.leave)
        fitted = fit(prepared, job, on_epoch, heard, checkpoints)
        history.write()
        values: tuple[Value, ...] = ()
        if not pruning.is_over:
            values = objectives(fitted, prepared, job.evaluation, tuning.objectives)
        outcome = Outcome(
            values=tuple(value.value for value in values if value.value is not None),
            errors=tuple(value.error for value in values),
            reported=pruning.reported,
            drawn=tuning.repeat_by,
            seconds=time.perf_counter() - started,
        )
        environment[FACTS] = outcome.to_dict()
        checkpoints.remove()
    return outcome
