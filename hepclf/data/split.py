"""Split: which events are for training, which for validation, and which for testing."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.nearest import nearest
from hepclf.recipe import recipe

TRAIN, VALID, TEST = range(3)
HINTS = {  # the way out where a set is empty
    "random": "take more events or a larger fraction",
    "tail": "the end of the table holds none; use split.by=random",
    "column": "no value of split.column falls there; choose another column, modulo or fraction",
}


@recipe
class Split:
    """Disjoint training, validation and test sets of one table.

    Each event has a position on a ring of m places: its rank in a shuffle after which every stretch of the ring
    has the classes in their proportions (random), its distance from the end of the table (tail), or the value of
    a column modulo `modulo` (column). The test set is slice number `fold` of that ring, the validation set is the
    slice after it, and the rest is the training set.

    Below 1, `valid` and `test` are fractions; from 1 on, numbers of events. With test=0.2 the folds 0..4
    test each event exactly once.
    """

    by: Literal["random", "tail", "column"] = "random"
    valid: float = 0.2
    test: float = 0.2
    column: str | None = None
    modulo: int = 10
    fold: int = 0
    tail_from: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, size in (("valid", self.valid), ("test", self.test)):
            if not size > 0 or size == np.inf or (size >= 1 and size != round(size)):
                raise ValueError(
                    f"split.{name} must be a fraction between 0 and 1 or a whole number of events, not {size}"
                )
        if self.valid < 1 and self.test < 1 and self.valid + self.test >= 1:
            raise ValueError(
                f"split.valid + split.test must be below 1, not {self.valid} + {self.test} = "
                f"{self.valid + self.test:g}, to leave events to train on; lower one of them"
            )
        if self.fold < 0:
            raise ValueError(f"split.fold must be at least 0, not {self.fold}")
        if self.seed < 0:
            raise ValueError(f"split.seed must be at least 0, not {self.seed}")
        if self.tail_from is not None and self.tail_from < 1:
            raise ValueError(f"split.tail_from must be at least 1, not {self.tail_from}")
        self._check_column()

    def _check_column(self) -> None:
        if self.by != "column":
            if self.column is not None:
                raise ValueError(f"split.by must be column where split.column={self.column!r} is given, not {self.by}")
            return
        if self.column is None:
            raise ValueError("split.by=column needs split.column, the name of a spectator such as the event number")
        if self.tail_from is not None:
            raise ValueError("split.tail_from must be null with split.by=column; choose one of the two")
        if self.modulo < 3:
            raise ValueError(f"split.modulo must be at least 3, one for each part, not {self.modulo}")
        for name, size in (("valid", self.valid), ("test", self.test)):
            slices = size * self.modulo
            if size >= 1 or abs(slices - round(slices)) > 1e-9 or round(slices) == 0:
                raise ValueError(
                    f"with split.by=column, split.{name} must be a whole multiple of 1/split.modulo "
                    f"= 1/{self.modulo}, not {size:g}"
                )

    def check(self, spectators: tuple[str, ...] | None) -> None:
        """Refuse a column that is not a spectator of the data; None if the spectators are not yet known."""
        if self.by == "column" and spectators is not None and self.column not in spectators:
            raise ValueError(
                f"split.column={self.column!r} is not a spectator of the data{nearest(str(self.column), spectators)}"
            )

    def parts(self, events: Events) -> NDArray[np.int8]:
        """The set of each event: 0 training, 1 validation, 2 test."""
        method = self.by
        if self.tail_from is not None and len(events) >= self.tail_from:
            method = "tail"
        places = self.modulo if method == "column" else len(events)
        start, middle, stop = self._edges(places)
        if method == "column":
            position = self._residues(events)
        elif method == "tail":
            position = np.arange(places)[::-1]
        else:
            position = shuffled_ranks(events.labels, len(events.classes), self.seed)
        part_of_place = np.zeros(places, dtype=np.int8)
        # The last fold has its validation slice at the beginning of the ring.
        part_of_place[np.arange(middle, stop) % max(places, 1)] = VALID
        part_of_place[start:middle] = TEST
        parts: NDArray[np.int8] = part_of_place[position]
        check_parts(parts, events, HINTS[method])
        return parts

    def _edges(self, places: int) -> tuple[int, int, int]:
        """The edges of the slices: start of the test slice, its end (start of validation), end of validation."""
        test, valid = (share * places if share < 1 else share for share in (self.test, self.valid))
        if test + valid > places:
            raise ValueError(
                f"the data holds {places} events, fewer than split.valid={self.valid:g} and split.test={self.test:g} "
                "ask for; lower them"
            )
        # 1 / 0.2 must give 5 folds, although floating point may fall just below.
        folds = int(places / test + 1e-9) if places else 1
        if self.fold >= folds:
            raise ValueError(
                f"split.fold must be below {folds}, the number of test folds at split.test={self.test:g}, "
                f"not {self.fold}"
            )
        middle = (self.fold + 1) * test
        return round(self.fold * test), round(middle), round(middle + valid)

    def _residues(self, events: Events) -> NDArray[np.intp]:
        name = str(self.column)
        self.check(tuple(events.spectators))
        values = events.spectators[name]
        if values.dtype.kind not in "iufb":
            raise ValueError(f"split.column={name!r} must hold whole numbers, not text")
        bad = ~(values >= 0) | (values != np.floor(values)) | (values == np.inf)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"split.column={name!r} must hold whole numbers of at least 0, not {values[row]} in event {row}"
            )
        return np.asarray(values % self.modulo).astype(np.intp)


def redrawn(parts: NDArray[np.int8], labels: NDArray[Any], classes: int, seed: tuple[int, ...]) -> NDArray[np.int8]:
    """The parts [n] with training and validation set drawn again, in the same sizes; the test set stays."""
    rows = np.flatnonzero(parts != TEST)
    ranks = shuffled_ranks(labels[rows], classes, seed)
    drawn = parts.copy()
    drawn[rows] = np.where(ranks < np.count_nonzero(parts == VALID), VALID, TRAIN)
    return drawn


def shuffled_ranks(labels: NDArray[Any], classes: int, seed: int | tuple[int, ...]) -> NDArray[np.intp]:
    """A seeded rank of each event, such that every stretch of ranks has the classes in their proportions.

    After a shuffle within the class, the r-th of m events has the position (r + 1/2) / m; ranks follow the positions.
    """
    rng = np.random.default_rng(seed)
    position = np.empty(len(labels))
    for label in range(classes):
        members = np.flatnonzero(labels == label)
        position[members] = (rng.permutation(len(members)) + 0.5) / max(len(members), 1)
    rank = np.empty(len(labels), dtype=np.intp)
    rank[np.argsort(position, kind="stable")] = np.arange(len(labels))
    return rank


def check_parts(parts: NDArray[np.int8], events: Events, hint: str) -> None:
    """Refuse a set without events, or without events of a class that the data have; `hint` is the way out."""
    classes = len(events.classes)
    table = np.bincount(parts.astype(np.int64) * classes + events.labels, minlength=3 * classes).reshape(3, classes)
    for part, name in enumerate(("training", "validation", "test")):
        if table[part].sum() == 0:
            raise ValueError(f"the {name} set of {len(events)} events is empty; {hint}")
        for label, total in enumerate(table.sum(axis=0)):
            if total > 0 and table[part, label] == 0:
                raise ValueError(
                    f"the {name} set has no events of class {events.classes[label]!r} ({total} in all); {hint}"
                )
