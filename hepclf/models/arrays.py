"""Shared by models outside PyTorch: they learn from a matrix of events and give a tagger of plain arrays."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from hepclf.disk import mapped
from hepclf.events import Events, Sentinels
from hepclf.models.event_checks import check_finite, check_scorable, slices
from hepclf.models.model import Uninterrupted, score_shape
from hepclf.models.quantiles import quantiles
from hepclf.models.tagger import read_sentinels, read_tagger, write_tagger, written_sentinels
from hepclf.training.epoch import Epoch
from hepclf.training.trainer import Trainer

FILE = "arrays.safetensors"
ROWS = 1 << 16  # events scored at once
SMALLEST = 1e-15  # a probability that a loss can take the logarithm of


class Matrix(NamedTuple):
    """Events in the form that libraries use: features float32 [n, d], class indices [n], training weights [n]."""

    features: NDArray[np.float32]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    sentinels: Sentinels


def matrix(events: Events, trainer: Trainer, model: str, *, keeps: bool = False) -> Matrix:
    """The events with weight, and their training weights; `keeps` allows negative ones. `model` is named in errors."""
    if mapped(events.features) is not None:
        raise ValueError(f"{model} holds its table in memory, where {len(events):,} events do not fit; use model=mlp")
    rule = trainer.negative_weights
    if rule == "keep" and not keeps and (events.weights < 0).any():
        raise ValueError(
            f"trainer.negative_weights must be zero or abs, not keep: {model} cannot learn from negative weights"
        )
    if trainer.decorrelate is not None:
        raise ValueError(
            f"{model} descends no loss that trainer.decorrelate could be added to; use a network such as model=mlp, or "
            "trainer.planing"
        )
    events = trainer.weighing(events)
    weights = trainer.weights(events)
    return Matrix(np.asarray(events.features), events.labels, weights, events.names, events.classes, events.sentinels)


def matrices(
    train: Events, valid: Events, trainer: Trainer, model: str, *, keeps: bool = False
) -> tuple[Matrix, Matrix]:
    """Training and validation events as matrices."""
    return matrix(train, trainer, model, keeps=keeps), matrix(valid, trainer, model, keeps=keeps)


class ArrayTagger(ABC):
    """A tagger made of arrays. A subclass adds its kind, and how features become probabilities.

    arrays     everything that it learnt; `fill` [d], if present, replaces missing values
    settings   plain data besides the arrays
    sentinels  declared missing values of each input, which are read as NaN
    """

    kind: ClassVar[str]

    def __init__(
        self,
        *,
        inputs: tuple[str, ...],
        classes: tuple[str, ...],
        arrays: Mapping[str, NDArray[Any]],
        settings: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
        sentinels: Sentinels | None = None,
    ) -> None:
        self.inputs, self.classes = inputs, classes
        # In the order of memory that a stored tagger has, by which sums round: it then gives the same scores.
        self.arrays: dict[str, NDArray[Any]] = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        self.settings = dict(settings or {})
        self.summary: Mapping[str, Any] = dict(summary or {})
        self.sentinels: Sentinels = dict(sentinels or {})
        if "fill" in self.arrays:
            self._shaped("fill", (len(inputs),))
        _check_positions(self.settings.get("missing"), len(inputs))
        self.check()

    @abstractmethod
    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of class 1 [n] for two classes, otherwise of each class [n, k]; features [n, d] in the order of inputs."""

    @abstractmethod
    def check(self) -> None:
        """Refuse arrays that no fit could give; a file of unknown origin must neither hang nor crash."""

    @property
    def device(self) -> str:
        """Always the CPU."""
        return "cpu"

    def to(self, device: str) -> Self:
        """Itself: arrays are evaluated on the CPU only."""
        if device not in ("auto", "cpu"):
            raise ValueError(
                f"device must be auto or cpu, not {device}: a tagger of kind {self.kind} scores on the cpu alone; "
                "use device=auto"
            )
        return self

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n], or of each class [n, k]."""
        check_scorable(events, self.inputs, self.settings.get("missing"), self.sentinels)
        probabilities = np.empty(score_shape(len(events), len(self.classes)))
        for number, part in enumerate(slices(events, self.inputs, self.sentinels, ROWS)):
            with np.errstate(over="ignore", invalid="ignore"):  # checked below
                probabilities[number * ROWS : number * ROWS + len(part)] = self.probabilities(self._filled(part))
        check_finite(probabilities, events, self.inputs, self.sentinels)
        return probabilities

    def loss(self, part: Matrix) -> float:
        """The weighted mean cross-entropy of these events."""
        return mean_cross_entropy(self.probabilities(self._filled(part.features)), part)

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and its arrays in safetensors."""
        contents = {
            "kind": self.kind,
            "inputs": self.inputs,
            "classes": self.classes,
            "settings": self.settings,
            "summary": self.summary,
            **written_sentinels(self.sentinels),
        }
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}
        write_tagger(Path(folder), {FILE: save_arrays(arrays)}, contents)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read a saved tagger of this kind."""
        head, files = read_tagger(Path(folder), cls.kind)
        try:
            arrays, settings = load_arrays(files[FILE]), head.get("settings")
            if not isinstance(settings, dict):
                raise ValueError("settings must be a mapping")
            for name, array in arrays.items():
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise ValueError(f"the array {name!r} holds values that are not finite")
            return cls(
                inputs=tuple(head["inputs"]),
                classes=tuple(head["classes"]),
                arrays=arrays,
                settings=settings,
                summary=head["summary"],
                sentinels=read_sentinels(head),
            )
        except (ValueError, KeyError, TypeError, IndexError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{folder}/tagger.json and its arrays do not fit together: {reason}") from error

    def _filled(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        if "fill" not in self.arrays:
            return features
        return np.where(np.isnan(features), self.arrays["fill"].astype(np.float32), features)

    def _shaped(self, name: str, shape: tuple[int, ...], kind: str = "f") -> NDArray[Any]:
        """The array of this name; a ValueError if it has another shape or kind of numbers."""
        array = self.arrays[name]
        if array.shape != shape or array.dtype.kind not in kind:
            raise ValueError(f"the array {name!r} must have shape {shape}, not {array.dtype} {array.shape}")
        return array


def _check_positions(missing: Any, inputs: int) -> None:
    """Refuse what are no positions of the inputs that had missing values in training."""
    is_list = isinstance(missing, (list, tuple)) and all(type(position) is int for position in missing)
    if missing is not None and not (is_list and set(missing) <= set(range(inputs))):
        raise ValueError(f"settings.missing must be positions of the {inputs} inputs, or null, not {missing!r}")


class ArrayFit(Uninterrupted):
    """A fit in one step: a single Epoch."""

    def __init__(self, train: Matrix, valid: Matrix, make: Callable[[Matrix], ArrayTagger]) -> None:
        self._train, self._valid, self._make = train, valid, make
        self._tagger: ArrayTagger | None = None

    @property
    def epochs(self) -> int:
        """One."""
        return 1

    @property
    def patience(self) -> int | None:
        """None: the fit ends by itself."""
        return None

    def __iter__(self) -> Iterator[Epoch]:
        started = time.perf_counter()
        self._tagger = tagger = self._make(self._train)
        tagger.sentinels = self._train.sentinels
        train_loss, valid_loss = (tagger.loss(part) for part in (self._train, self._valid))
        tagger.summary = {**tagger.summary, "valid_loss": valid_loss}
        yield Epoch(1, train_loss, valid_loss, 1.0, time.perf_counter() - started)

    def tagger(self) -> ArrayTagger:
        """The tagger."""
        if self._tagger is None:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        return self._tagger


def mean_cross_entropy(probabilities: NDArray[np.float64], part: Matrix) -> float:
    """The weighted mean cross-entropy."""
    if probabilities.ndim == 1:
        true_class = np.where(part.targets == 1, probabilities, 1 - probabilities)
    else:
        true_class = probabilities[np.arange(len(part.targets)), part.targets]
    return float(part.weights @ -np.log(np.maximum(true_class, SMALLEST)) / part.weights.sum())


def medians(train: Matrix) -> tuple[NDArray[np.float32], list[int]]:
    """The weighted median of each feature, which replaces missing values, and the columns with missing values."""
    absent = np.isnan(train.features)
    missing = np.flatnonzero(absent.any(axis=0)).tolist()
    if empty := [train.names[column] for column in missing if absent[:, column].all()]:
        raise ValueError(f"feature {empty[0]!r} is missing in every training event; leave it out of data.features")
    columns = zip(train.features.T, ~absent.T, strict=True)
    sizes = np.abs(train.weights)
    middles = [quantiles(values[present], sizes[present], (0.5,)) for values, present in columns]
    return np.concatenate(middles).astype(np.float32), missing
