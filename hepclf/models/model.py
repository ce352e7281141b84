"""The interfaces of all models: Model, Fit and Tagger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, Sentinels, missing_as_nan, stand_ins
from hepclf.training.epoch import Epoch
from hepclf.training.trainer import Trainer

ROWS = 1 << 16  # events looked at together


class Tagger(Protocol):
    """The result of a fit: it scores events with its own inputs, scaling and rule for missing values.

    sentinels  declared missing values of each input, which are read as NaN
    """

    inputs: tuple[str, ...]
    classes: tuple[str, ...]
    summary: Mapping[str, Any]
    sentinels: Sentinels

    @property
    def device(self) -> str:
        """The device on which it scores: cpu, cuda:0..."""
        ...

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n] for two classes, otherwise of each class [n, k]."""
        ...

    def to(self, device: str) -> Self:
        """The same tagger on this device (auto, cpu, cuda, cuda:N); a ValueError if it cannot score there."""
        ...

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and its files."""
        ...


def class_probabilities(every_class: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities [n, k] in the shape of scores: the signal's [n] for two classes, otherwise unchanged."""
    return every_class[:, 1] if every_class.shape[1] == 2 else every_class


def score_shape(events: int, classes: int) -> tuple[int, ...]:
    """The shape of scores: [n] for two classes, otherwise [n, k]."""
    return (events,) if classes == 2 else (events, classes)


def raw_inputs(tagger: Tagger, events: Events) -> NDArray[np.float32]:
    """The inputs of a tagger [n, d], with NaN in place of its declared missing values."""
    return missing_as_nan(events.select(tagger.inputs), tagger.inputs, tagger.sentinels)


def undeclared(tagger: Tagger, events: Events) -> bool:
    """Whether the events hold values that the tagger reads as missing but that their loader did not declare."""
    if not tagger.sentinels:
        return False
    parts = (stand_ins(part, tagger.inputs, tagger.sentinels) for part in events.slices(tagger.inputs, ROWS))
    return any(standing is not None and bool(standing.any()) for standing in parts)


class Fit(Protocol):
    """A running training: iterate over its epochs, stop at any time, then take the tagger.

    A fit that can also be stopped and stored within an epoch has a method `edges`, which yields an Epoch at the end
    of one and None at the edges within one. A fit that measures the time spent on the validation set has an attribute
    `valid_seconds`.
    """

    @property
    def epochs(self) -> int:
        """The maximum number of epochs."""
        ...

    @property
    def patience(self) -> int | None:
        """Epochs without a better validation loss after which to stop; None if the fit ends by itself."""
        ...

    def __iter__(self) -> Iterator[Epoch]:
        """Train; yields an Epoch after each pass."""
        ...

    def tagger(self) -> Tagger:
        """The tagger of the epoch that the trainer keeps."""
        ...

    def state(self) -> dict[str, Any] | None:
        """A copy of everything that the next epochs depend on: nested mappings of tensors and plain values.

        It may be called between two epochs or at an edge. None if the library behind the model cannot resume from it.
        """
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from the stored state of a fit with the same recipe, events and trainer."""
        ...


def edges(fit: Fit) -> Iterator[Epoch | None]:
    """The places where a fit can be stopped: an Epoch at the end of an epoch, None within one."""
    within: Callable[[], Iterator[Epoch | None]] | None = getattr(fit, "edges", None)
    return iter(fit) if within is None else within()


class Uninterrupted:
    """A fit whose library cannot resume in the middle of a training: it starts again."""

    def state(self) -> None:
        """None: there is no state to resume from."""

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Refused."""
        raise ValueError(f"{type(self).__name__} cannot go on from a stored state; begin the training again")


class Model(Protocol):
    """A recipe that can be fitted.

    Its `trainer_settings`, a frozenset, may name the trainer's settings that a fit uses; a change of another setting
    then gives a warning. A model without this attribute gives none.
    """

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        ...


def trainer_settings(model: Model) -> frozenset[str] | None:
    """The trainer's settings that a model uses; None if a user's own model does not state them."""
    names: frozenset[str] | None = getattr(model, "trainer_settings", None)
    return names
