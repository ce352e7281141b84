"""Scored events: everything that an evaluation sees of a tagger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import BINARY
from hepclf.nearest import nearest

Array = NDArray[np.float64]

SPLITS = ("train", "valid", "test")
COLUMNS = ("labels", "weights", "scores", "split")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scored:
    """Labels, weights and scores of events, and the split of each event.

    labels      integers 0..k-1 [n], an index into classes
    weights     float64 [n], physical and signed
    scores      float64: the probability of class 1 [n], or, for several classes, of each class [n, k]
    split       int8 [n], an index into SPLITS
    processes   integers [n], an index into process_names: the sample each event came from
    spectators  named columns [n], carried along; `llr` is the exact log-likelihood ratio of two classes
    totals      float64 [process]: the yield of each process in the whole sample, by default its sum of weights
    folds       integers [n], the fold of each event where the tagger was trained in folds, else None. Its test events
                are then all events, each scored by the member that has not seen it; training and validation events are
                the same events again, scored by a member that saw them
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    weights: NDArray[np.float64] = field(default=None)  # type: ignore[arg-type]  # one each
    split: NDArray[np.int8] = field(default=None)  # type: ignore[arg-type]  # all test
    classes: tuple[str, ...] = BINARY
    processes: NDArray[np.int64] = field(default=None)  # type: ignore[arg-type]  # the labels
    process_names: tuple[str, ...] = ()
    spectators: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    totals: NDArray[np.float64] = field(default=None)  # type: ignore[arg-type]  # the sums of weights
    folds: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "classes", tuple(self.classes))
        put(self, "process_names", tuple(self.process_names) or self.classes)
        n = len(self.labels)
        defaults = {"weights": np.ones(n), "split": np.full(n, SPLITS.index("test")), "processes": self.labels}
        for name, default in defaults.items():
            if getattr(self, name) is None:
                put(self, name, default)
        put(self, "labels", _frozen(np.asarray(self.labels, dtype=np.int64)))
        put(self, "weights", _frozen(np.asarray(self.weights, dtype=np.float64)))
        put(self, "scores", _frozen(np.asarray(self.scores, dtype=np.float64)))
        put(self, "split", _frozen(np.asarray(self.split, dtype=np.int8)))
        put(self, "processes", _frozen(np.asarray(self.processes, dtype=np.int64)))
        put(self, "spectators", {name: _frozen(np.asarray(column)) for name, column in self.spectators.items()})
        if self.folds is not None:
            put(self, "folds", _frozen(np.asarray(self.folds, dtype=np.int64)))
        self._check_shapes()
        self._check_scores()
        self._check_indices()
        self._total()

    def _check_shapes(self) -> None:
        if len(self.classes) < 2:
            raise ValueError(f"scores need two classes or more, not {list(self.classes)}")
        n, k = len(self.labels), len(self.classes)
        shape: tuple[int, ...] = (n, k)
        meaning = "a probability a class"
        if k == 2:
            shape, meaning = (n,), "the probability of class 1"
        if self.scores.shape != shape:
            raise ValueError(f"{k} classes need scores of shape {shape}, {meaning}, not {self.scores.shape}")
        columns = {name: getattr(self, name) for name in ("labels", "weights", "split", "processes")}
        if self.folds is not None:
            columns["folds"] = self.folds
        for name, column in {**columns, **self.spectators}.items():
            if column.shape != (n,):
                raise ValueError(f"{name} must be one value an event, shape ({n},), not {column.shape}")

    def _check_scores(self) -> None:
        for name in ("scores", "weights"):
            values = getattr(self, name)
            if bad := int(np.size(values) - np.isfinite(values).sum()):
                raise ValueError(
                    f"{name} must be finite, and {bad:,} of {np.size(values):,} are not; "
                    "look for infinite features or a training that diverged"
                )
        if len(self) and (self.scores.min() < 0 or self.scores.max() > 1):
            low, high = self.scores.min(), self.scores.max()
            raise ValueError(f"scores must be probabilities in 0..1, not {low:.6g}..{high:.6g}")
        if self.scores.ndim == 2 and len(self):
            worst = float(np.abs(self.scores.sum(axis=1) - 1).max())
            if worst > 1e-3:
                raise ValueError(f"the scores of each event must sum to 1, and one event is off by {worst:.3g}")

    def _check_indices(self) -> None:
        for name, names in (("labels", self.classes), ("split", SPLITS), ("processes", self.process_names)):
            index = getattr(self, name)
            if len(index) and (index.min() < 0 or index.max() >= len(names)):
                span = f"{index.min()}..{index.max()}"
                raise ValueError(f"{name} must lie in 0..{len(names) - 1} ({list(names)}), not {span}")

    def _total(self) -> None:
        k = len(self.process_names)
        sums = self.totals
        if sums is None:
            sums = np.bincount(self.processes, self.weights, minlength=k)
        totals = np.asarray(sums, dtype=np.float64)
        if totals.shape != (k,) or not np.isfinite(totals).all():
            raise ValueError(f"totals must be a finite number a process, shape ({k},), not {totals}")
        object.__setattr__(self, "totals", _frozen(totals))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        counts = np.bincount(self.split, minlength=len(SPLITS))
        parts = ", ".join(f"{name} {count:,}" for name, count in zip(SPLITS, counts, strict=True))
        return f"Scored: {len(self):,} events ({parts}), classes {', '.join(self.classes)}"

    def of(self, split_name: str) -> Scored:
        """The events of one split, `train`, `valid` or `test`; the totals stay those of the whole sample."""
        mask = self._mask(split_name)
        if mask.all():
            return self
        return Scored(
            labels=self.labels[mask],
            weights=self.weights[mask],
            scores=self.scores[mask],
            split=self.split[mask],
            classes=self.classes,
            processes=self.processes[mask],
            process_names=self.process_names,
            spectators={name: column[mask] for name, column in self.spectators.items()},
            totals=self.totals,
            folds=None if self.folds is None else self.folds[mask],
        )

    def joined(self, added: Scored) -> Scored:
        """These events and the added ones, of the same classes; a process in both has the total of the added events.

        Processes are matched by name; spectators that only one side has are left out, and so are folds.
        """
        if added.classes != self.classes:
            raise ValueError(f"joined events must have the classes {list(self.classes)}, not {list(added.classes)}")
        names = (*self.process_names, *(name for name in added.process_names if name not in self.process_names))
        place = np.array([names.index(name) for name in added.process_names], dtype=np.int64)
        totals = np.append(self.totals, np.zeros(len(names) - len(self.totals)))
        used = np.bincount(added.processes, minlength=len(place)) > 0
        totals[place[used]] = added.totals[used]
        shared = [name for name in self.spectators if name in added.spectators]
        columns = {name: np.concatenate([getattr(self, name), getattr(added, name)]) for name in COLUMNS}
        return Scored(
            **columns,
            processes=np.concatenate([self.processes, place[added.processes]]),
            classes=self.classes,
            process_names=names,
            spectators={name: np.concatenate([self.spectators[name], added.spectators[name]]) for name in shared},
            totals=totals,
        )

    def scaled_weights(self, split_name: str) -> NDArray[np.float64]:
        """Weights of one split, scaled process by process to the yield of the whole sample, [n of split].

        The factor is total / (sum over the split). A process is refused if its weights in the split sum to zero or to
        the opposite sign, or if it has a yield and no events: its events cannot stand for its yield.
        """
        mask = self._mask(split_name)
        k = len(self.process_names)
        absolute = np.bincount(self.processes, np.abs(self.weights), minlength=k)
        part = np.bincount(self.processes[mask], self.weights[mask], minlength=k)
        factors = np.ones(k)
        for process in np.flatnonzero((absolute > 0) | (self.totals != 0)):
            total, split_sum = float(self.totals[process]), float(part[process])
            # A sum as small as the rounding of its terms counts as zero.
            if abs(split_sum) <= 1e-12 * absolute[process] or total / split_sum < 0:
                raise ValueError(
                    f"process {self.process_names[process]!r} has weights that sum to {total:.6g} over all events, but "
                    f"to {split_sum:.6g} in the {split_name} split, which cannot stand for them; give it more of its "
                    "events"
                )
            factors[process] = total / split_sum
        return self.weights[mask] * factors[self.processes[mask]]

    def _mask(self, split_name: str) -> NDArray[np.bool_]:
        if split_name not in SPLITS:
            raise ValueError(f"split {split_name!r} is unknown{nearest(split_name, SPLITS)}")
        return np.asarray(self.split == SPLITS.index(split_name))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def discriminant(scored: Scored, signal: int) -> Array:
    """The probability of the signal class, [n]."""
    return signal_scores(scored.scores, signal)


def signal_scores(scores: Array, signal: int) -> Array:
    """The probability of the signal class from scores alone, [n] or [n, k]."""
    if scores.ndim == 2:
        return np.ascontiguousarray(scores[:, signal])
    return scores if signal == 1 else 1 - scores
