"""Events: the table of events that all parts of hepclf use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.disk import row_blocks, take_rows
from hepclf.nearest import nearest

BINARY = ("background", "signal")
Sentinels = Mapping[str, tuple[float, ...]]  # feature -> the values that stand for a missing one, beside NaN


class Origin(NamedTuple):
    """The origin of the events of a process: the entries read from its files, and those that were selected.

    notes  for readers of the results: files left out, branches that differ
    """

    process: str
    files: int
    entries: int
    selected: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Events:
    """Labelled events with their features, weights and spectators.

    features    float32 [n, d], C order; NaN marks a missing value
    labels      integers 0..k-1 [n], an index into classes
    weights     float64 [n], physical and signed
    processes   integers [n], an index into process_names: the sample each event came from
    spectators  named columns [n], carried along and never trained on
    origins     of each process, if the loader gives them; they describe all events, so a part of them has none
    sentinels   feature -> the values that stand for a missing one in the files, such as -999. Here they are NaN; a
                tagger that is trained on these events keeps them, so that it scores raw values as well
    """

    features: NDArray[np.float32]
    names: tuple[str, ...]
    labels: NDArray[np.int64] = field(default=None)  # type: ignore[arg-type]  # 0: events to score, not to train on
    weights: NDArray[np.float64] = field(default=None)  # type: ignore[arg-type]  # one each
    classes: tuple[str, ...] = BINARY
    processes: NDArray[np.int64] = field(default=None)  # type: ignore[arg-type]  # the labels
    process_names: tuple[str, ...] = ()
    spectators: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    sentinels: Sentinels = field(default_factory=dict)

    def __post_init__(self) -> None:
        features = np.asarray(self.features, dtype=np.float32, order="C")
        if features.ndim != 2:
            raise ValueError(f"features must have 2 dimensions, not {features.ndim}")
        labels = _labels(self.labels, len(features))
        weights = np.ones(len(features)) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        processes = labels if self.processes is None else np.asarray(self.processes, dtype=np.int64)
        spectators = {name: _frozen(np.asarray(column)) for name, column in self.spectators.items()}
        set_field = object.__setattr__
        set_field(self, "features", _frozen(features))
        set_field(self, "labels", _frozen(labels))
        set_field(self, "weights", _frozen(weights))
        set_field(self, "processes", _frozen(processes))
        set_field(self, "names", tuple(self.names))
        set_field(self, "classes", tuple(self.classes))
        set_field(self, "process_names", tuple(self.process_names) or tuple(self.classes))
        set_field(self, "spectators", spectators)
        set_field(self, "sentinels", {name: tuple(values) for name, values in self.sentinels.items() if len(values)})
        self._check_shapes()

    def _check_shapes(self) -> None:
        if self.features.shape[1] != len(self.names):
            raise ValueError(f"names must be {self.features.shape[1]}, one a feature column, not {len(self.names)}")
        columns = {
            "labels": self.labels,
            "weights": self.weights,
            "processes": self.processes,
            **self.spectators,
        }
        for name, column in columns.items():
            if column.shape != (len(self),):
                raise ValueError(f"{name} must be one value an event, shape ({len(self)},), not {column.shape}")

    def check(self) -> Events:
        """These events, or a ValueError that names the first thing no tagger could be trained on."""
        if len(self) == 0:
            raise ValueError("the data holds no events; check its files and selection")
        if len(self.names) == 0:
            raise ValueError("the data holds no features; name at least one in data.features")
        if duplicates := sorted(name for name, count in Counter(self.names).items() if count > 1):
            raise ValueError(f"feature {duplicates[0]!r} is named twice; feature names must differ")
        self._refuse_infinite()
        self._refuse_sentinels()
        if not np.isfinite(self.weights).all():
            row = int(np.argmin(np.isfinite(self.weights)))
            raise ValueError(f"the weight of event {row} is {self.weights[row]}; weights must be finite")
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise ValueError(
                f"labels must lie in 0..{len(self.classes) - 1}, not {self.labels.min()}..{self.labels.max()}"
            )
        if self.processes.min() < 0 or self.processes.max() >= len(self.process_names):
            span = f"{self.processes.min()}..{self.processes.max()}"
            raise ValueError(f"processes must lie in 0..{len(self.process_names) - 1}, not {span}")
        for name, count in self.counts.items():
            if count == 0:
                raise ValueError(
                    f"class {name!r} has no events; a classifier needs events of every class in {list(self.classes)}"
                )
        return self

    def _refuse_infinite(self) -> None:
        counts = [int(np.isinf(self.features[block]).sum()) for block in row_blocks(self.features)]
        if not any(counts):
            return
        first = next(block for block, count in zip(row_blocks(self.features), counts, strict=True) if count)
        row, column = np.argwhere(np.isinf(self.features[first]))[0]
        raise ValueError(
            f"feature {self.names[column]!r} is infinite in event {first.start + row} "
            f"({sum(counts)} infinite values in all); select those events away or declare them missing"
        )

    def _refuse_sentinels(self) -> None:
        for name in self.sentinels:
            if name not in self.names:
                raise ValueError(f"sentinels name {name!r}, which is not a feature{nearest(name, self.names)}")
        if not self.sentinels:
            return
        for block in row_blocks(self.features):
            is_sentinel = stand_ins(self.features[block], self.names, self.sentinels)
            if is_sentinel is None or not is_sentinel.any():
                continue
            row, column = np.argwhere(is_sentinel)[0]
            value = self.features[block][row, column]
            raise ValueError(
                f"feature {self.names[column]!r} is {value:g} in event {block.start + row}, "
                "which sentinels declare missing; put NaN there, as hepclf.events.missing_as_nan does"
            )

    def __len__(self) -> int:
        return len(self.features)

    def take(self, index: NDArray[Any]) -> Events:
        """The events at these positions (or where this mask holds), in this order.

        Features of a memory map that are too large for memory become a memory map again.
        """
        return Events(
            features=take_rows(self.features, index),
            labels=self.labels[index],
            names=self.names,
            weights=self.weights[index],
            classes=self.classes,
            processes=self.processes[index],
            process_names=self.process_names,
            spectators={name: column[index] for name, column in self.spectators.items()},
            sentinels=self.sentinels,
        )

    def select(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """The feature columns of these names, in this order, float32 [n, len(names)]."""
        if names == self.names:
            return self.features
        return np.ascontiguousarray(self.features[:, self._columns(names)])

    def slices(self, names: tuple[str, ...], size: int) -> Iterator[NDArray[np.float32]]:
        """These feature columns, `size` events at a time; without events, one empty slice."""
        columns = None if names == self.names else self._columns(names)
        for start in range(0, max(len(self), 1), size):
            part = self.features[start : start + size]
            yield part if columns is None else np.ascontiguousarray(part[:, columns])

    def _columns(self, names: tuple[str, ...]) -> list[int]:
        for name in names:
            if name not in self.names:
                raise ValueError(f"feature {name!r} is not among the events' features{nearest(name, self.names)}")
        return [self.names.index(name) for name in names]

    @property
    def counts(self) -> dict[str, int]:
        """Number of events of each class."""
        return dict(zip(self.classes, np.bincount(self.labels, minlength=len(self.classes)).tolist(), strict=True))

    @property
    def sums(self) -> dict[str, float]:
        """Sum of weights of each class: the expected yield if weights are physical."""
        sums = np.bincount(self.labels, self.weights, minlength=len(self.classes))
        return dict(zip(self.classes, sums.tolist(), strict=True))

    @property
    def effective(self) -> dict[str, float]:
        """Effective number of events of each class, (sum w)^2 / sum w^2; zero for a class without weight."""
        squares = np.bincount(self.labels, self.weights**2, minlength=len(self.classes))
        effective = dict.fromkeys(self.classes, 0.0)
        for (name, total), square in zip(self.sums.items(), squares.tolist(), strict=True):
            if square > 0:
                effective[name] = total**2 / square
        return effective

    def __repr__(self) -> str:
        lines = [f"Events: {len(self):,} x {len(self.names)} features ({', '.join(self.names)})"]
        for name in self.classes:
            lines.append(
                f"  {name}: {self.counts[name]:,} events, sum of weights {self.sums[name]:.6g}, "
                f"effective {self.effective[name]:.6g}"
            )
        if self.spectators:
            lines.append(f"  spectators: {', '.join(self.spectators)}")
        return "\n".join(lines)


def missing_as_nan(features: NDArray[np.float32], names: tuple[str, ...], sentinels: Sentinels) -> NDArray[np.float32]:
    """Features [n, d] of these names with NaN in place of sentinels; without sentinels, the same array."""
    is_sentinel = stand_ins(features, names, sentinels)
    if is_sentinel is None or not is_sentinel.any():
        return features
    return np.where(is_sentinel, np.float32(np.nan), features)


def stand_ins(features: NDArray[np.float32], names: tuple[str, ...], sentinels: Sentinels) -> NDArray[np.bool_] | None:
    """Where features [n, d] of these names are sentinels [n, d]; None if no sentinel is declared for any of them.

    They are compared in single precision, in which features are kept: -999.99 is found wherever it was rounded.
    """
    columns = by_value(names, sentinels)
    if not columns:
        return None
    is_sentinel = np.zeros(features.shape, dtype=bool)
    for value, positions in columns.items():
        if len(positions) == len(names):
            is_sentinel |= features == np.float32(value)
        else:
            is_sentinel[:, positions] |= features[:, positions] == np.float32(value)
    return is_sentinel


def by_value(names: tuple[str, ...], sentinels: Sentinels) -> dict[float, list[int]]:
    """The positions of the features that each sentinel, in single precision, is declared for."""
    columns: dict[float, list[int]] = {}
    for column, name in enumerate(names):
        for value in single_precision(sentinels.get(name, ())):
            columns.setdefault(value, []).append(column)
    return columns


def single_precision(values: tuple[float, ...]) -> list[float]:
    """The distinct numbers after rounding to single precision; infinite beyond its range."""
    with np.errstate(over="ignore"):
        rounded: list[float] = np.asarray(values, dtype=np.float64).astype(np.float32).astype(np.float64).tolist()
    return list(dict.fromkeys(rounded))


def shortest_text(value: float) -> str:
    """A number of single precision in as few digits as identify it: -999.99, not -999.98999."""
    return str(np.float32(value)).removesuffix(".0")


def _labels(values: Any, events: int) -> NDArray[np.int64]:
    """Whole numbers; 0 for all events if there are no labels."""
    if values is None:
        return np.zeros(events, dtype=np.int64)
    labels = np.asarray(values)
    if labels.dtype.kind not in "iub" and not (labels.dtype.kind == "f" and (labels == np.floor(labels)).all()):
        raise ValueError(f"labels must be whole numbers from 0 on, not {labels.ravel()[:3].tolist()}...")
    return labels.astype(np.int64)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
