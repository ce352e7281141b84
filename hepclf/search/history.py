"""The history of a study: all that a table or a page says of it, read from its folder alone."""

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
from hepclf.search.tuning import Tuning
from hepclf.workflow.record import read_history

Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class StudyHistory:
    """The trials of a study and what they come to.

    trials    by number, those that are running too; what a trial holds is said in hepclf.search.trial
    curves    of each trial by its number, the epochs of its first repeat with their validation losses
    best      number of the best complete trial; None: there is none, or there are two objectives
    front     numbers of the complete trials that no other one beats in all objectives, by the first objective
    default   number of the trial with the settings of the configuration; None: it is not among them
    optimism  of the best; None where one repeat or one trial tells no noise, or there are two objectives
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
    return StudyHistory(
        folder=folder.path,
        tuning=folder.tuning,
        space=folder.space,
        trials=trials,
        curves={trial.number: _curve(folder.run(trial.number, 0)) for trial in trials},
        best=front[0] if front and len(maximised) == 1 else None,
        front=front,
        default=default,
        optimism=_optimism(complete, folder.tuning, default) if len(maximised) == 1 else None,
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
    # All trials share their validation events, so how far the repeats differ tells little of what those say by chance.
    statistical = float(np.mean([error[0] or 0.0 for trial in rows for error in trial.errors]))
    if rows[0].drawn == "seed":  # the same events in each repeat
        return replace(judged, error=float(np.hypot(judged.error, statistical)))
    return replace(judged, error=max(judged.error, statistical / np.sqrt(tuning.repeats)))


def _front(complete: Sequence[Trial], maximised: Sequence[bool]) -> tuple[int, ...]:
    """The trials that no other one beats, the best of the first objective first; of equal ones, the earliest."""
    signs = [-1.0 if more else 1.0 for more in maximised]
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
