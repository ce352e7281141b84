"""Which member of a tagger trains on an event, validates on it, and tests it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.data.split import TEST, TRAIN, VALID, check_parts
from hepclf.events import Events

NOBODY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldSets:
    """The fold of each event, and the member that validates on it. Member k trains and validates without fold k.

    count       number of folds, and of members
    folds       from 0 to count - 1, int64 [n]: the member that tests the event, as it has not seen it
    validators  int64 [n]: the member that validates on the event; NOBODY where all that see it train on it
    """

    count: int
    folds: NDArray[np.int64]
    validators: NDArray[np.int64]

    def split(self, member: int) -> NDArray[np.int8]:
        """The set of each event in the training of a member: 0 training, 1 validation, 2 test [n]."""
        parts = np.full(len(self.folds), TRAIN, dtype=np.int8)
        parts[self.validators == member] = VALID
        parts[self.folds == member] = TEST
        return parts

    @property
    def learners(self) -> NDArray[np.int64]:
        """A member that trained on each event [n]: the first after its fold; NOBODY where none did."""
        first = (self.folds + 1) % self.count
        second = (self.folds + 2) % self.count
        learners = np.where(self.validators == first, second, first)
        return np.where(learners == self.folds, NOBODY, learners)  # of two members, the only other one validates

    def check(self, events: Events, hint: str) -> None:
        """Refuse a fold in which a set has no events, or none of a class."""
        for member in range(self.count):
            try:
                check_parts(self.split(member), events, hint)
            except ValueError as error:
                raise ValueError(f"without fold {member} of {self.count}, {error}") from error


def fold_sets(count: int, folds: NDArray[np.int64], positions: NDArray[np.float64], share: float) -> FoldSets:
    """The sets of `count` members; `positions` [n], from 0 to 1, draw the validation events.

    A position u gives the number j = floor(u / share): the j-th member after the fold validates on the event. So every
    member validates on this share of the events that it sees, and no event validates two members.
    """
    steps = np.floor(positions / share).astype(np.int64)
    validators = np.where(steps < count - 1, (folds + 1 + steps) % count, NOBODY)
    return FoldSets(count=count, folds=folds, validators=validators)
