"""What every model is."""

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
    """What a fit leaves: it scores events by its own inputs, scaling and missing-value rule.

    sentinels  declared missing values of each input, which it takes for NaN
    """

    inputs: tuple[str, ...]
    classes: tuple[str, ...]
    summary: Mapping[str, Any]
    sentinels: Sentinels

    @property
    def device(self) -> str:
        """Where it scores: cpu, cuda:0..."""
        ...

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n], or of each class [n, k] where there are more than two."""
        ...

    def to(self, device: str) -> Self:
        """The same tagger, scoring on this device (auto, cpu, cuda, cuda:N); ValueError where it cannot."""
        ...

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and its files."""
        ...


def raw_inputs(tagger: Tagger, events: Events) -> NDArray[np.float32]:
    """The inputs of a tagger [n, d] as it takes them: NaN in place of its declared missing values."""
    return missing_as_nan(events.select(tagger.inputs), tagger.inputs, tagger.sentinels)


def undeclared(tagger: Tagger, events: Events) -> bool:
    """Whether the events hold values that the tagger takes for missing ones, and that their loader did not declare."""
    if not tagger.sentinels:
        return False
    parts = (stand_ins(part, tagger.inputs, tagger.sentinels) for part in events.slices(tagger.inputs, ROWS))
    return any(standing is not None and bool(standing.any()) for standing in parts)


class Fit(Protocol):
    """A training under way: iterate for its epochs, leave whenever you like, then take the tagger.

    A fit that can also be stopped and stored within an epoch has a method `edges` for it, which yields an Epoch where
    one ends and None at the edges within one. One that knows how long it was busy with the validation set has an
    attribute `valid_seconds`.
    """

    @property
    def epochs(self) -> int:
        """At most so many epochs come."""
        ...

    @property
    def patience(self) -> int | None:
        """Epochs without a better validation loss after which to leave; None where the fit ends by itself."""
        ...

    def __iter__(self) -> Iterator[Epoch]:
        """Train; an Epoch after each pass."""
        ...

    def tagger(self) -> Tagger:
        """The tagger of the epoch that the trainer keeps."""
        ...

    def state(self) -> dict[str, Any] | None:
        """A copy of all that the next epochs depend on: nested mappings of tensors and plain values.

        To be asked between two epochs, or at an edge. None where the library behind the model cannot go on from there.
        """
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a stored state of a fit with the same recipe, events and trainer."""
        ...


def edges(fit: Fit) -> Iterator[Epoch | None]:
    """The places where a fit can be stopped: where an epoch ends, an Epoch; within one, None."""
    within: Callable[[], Iterator[Epoch | None]] | None = getattr(fit, "edges", None)
    return iter(fit) if within is None else within()


class Uninterrupted:
    """A fit whose library cannot go on from the middle of a training: it begins again."""

    def state(self) -> None:
        """None: there is no state to go on from."""

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Refused."""
        raise ValueError(f"{type(self).__name__} cannot go on from a stored state; begin the training again")


class Model(Protocol):
    """A recipe that can be fitted.

    Its `trainer_settings`, a frozenset, may name the settings of the trainer that a fit uses; changing another one
    then warns. A model that has no such attribute is not warned about.
    """

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        ...


def trainer_settings(model: Model) -> frozenset[str] | None:
    """The settings of the trainer that a model uses; None where one of the user's own does not tell."""
    names: frozenset[str] | None = getattr(model, "trainer_settings", None)
    return names
