"""The history of a study, read from its folder: the contents of its tables and its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hepclf.run import Run
from hepclf.search.folder import StudyFolder
from hepclf.search.optimism import Optimism, optimism
from hepclf.search.space import Space
from hepclf.search.trial import Trial
from hepclf.search.tuning import Tuning, loss_sign
from hepclf.workflow.history import read_history

Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class StudyHistory:
    """The trials of a study and their results.

    trials    by number, with those that are running
    curves    by number of the trial: the epochs of its first repeat with their validation losses
    best      number of the best complete trial; None without one, or with two objectives
    front     numbers of the complete trials that no other one beats in all objectives, sorted by the first objective
    default   number of the complete trial with the default settings; None without one
    optimism  of the best trial; None with one repeat or one trial, which have no noise, or with two objectives
    """

    folder: Path
    tuning: Tuning
    space: Space
    trials: tuple[Trial, ...]
    curves: dict[int, Curve]
    best: int | None
    front: tuple[int, ...]
    default: int | None
    optimism: Optimism | None

    @property
    def complete(self) -> tuple[Trial, ...]:
        """The trials whose objective is known."""
        return tuple(trial for trial in self.trials if trial.state == "complete")

    @property
    def final(self) -> Run:
        """The run of the final training, which may not be there yet."""
        return StudyFolder(self.folder).final

    def trial(self, number: int) -> Trial:
        """The trial of this number."""
        return next(trial for trial in self.trials if trial.number == number)


def study_history(folder: StudyFolder) -> StudyHistory:
    """The history of a study, finished or not."""
    trials = folder.trials()
    complete = [trial for trial in trials if trial.state == "complete"]
    maximised = folder.tuning.maximised
    front = _front(complete, maximised)
    default = next((trial.number for trial in complete if trial.is_default), None)
    best, judged = None, None
    if front and len(maximised) == 1:
        best, judged = front[0], _optimism(complete, folder.tuning, default)
    return StudyHistory(
        folder=folder.path,
        tuning=folder.tuning,
        space=folder.space,
        trials=trials,
        curves={trial.number: _curve(folder.run(trial.number, 0)) for trial in trials},
        best=best,
        front=front,
        default=default,
        optimism=judged,
    )


def _optimism(complete: Sequence[Trial], tuning: Tuning, default: int | None) -> Optimism | None:
    rows = [trial for trial in complete if len(trial.repeats) == tuning.repeats]
    if not rows:
        return None
    place = next((place for place, trial in enumerate(rows) if trial.number == default), None)
    values = np.array([[objectives[0] for objectives in trial.repeats] for trial in rows])
    judged = optimism(values, maximised=tuning.maximised[0], default=place)
    if judged is None:
        return None
    # The trials share validation events, so the spread of the repeats has little of the events' statistical error.
    statistical = float(np.mean([error[0] or 0.0 for trial in rows for error in trial.errors]))
    if rows[0].drawn == "seed":  # the same events in each repeat
        return replace(judged, error=float(np.hypot(judged.error, statistical)))
    return replace(judged, error=max(judged.error, statistical / np.sqrt(tuning.repeats)))


def _front(complete: Sequence[Trial], maximised: Sequence[bool]) -> tuple[int, ...]:
    """The trials that no other one beats, sorted by the first objective; of equal trials, the earliest."""
    signs = [loss_sign(is_maximised) for is_maximised in maximised]
    points = {
        trial.number: tuple(sign * value for sign, value in zip(signs, trial.objectives, strict=True))
        for trial in complete
    }
    front: list[int] = []
    for number in sorted(points, key=lambda number: (points[number], number)):
        if not front or points[number][-1] < points[front[-1]][-1] and len(signs) > 1:
            front.append(number)
    return tuple(front)


def _curve(run: Run) -> Curve:
    try:
        return tuple((epoch.epoch, epoch.valid_loss) for epoch in read_history(run.history))
    except (OSError, ValueError, KeyError, TypeError):  # not there yet, or its worker was killed
        return ()
