"""What every model is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.training.trainer import Epoch, Trainer


class Tagger(Protocol):
    """What a fit leaves: it scores events by its own inputs, scaling and missing-value rule."""

    inputs: tuple[str, ...]
    classes: tuple[str, ...]
    summary: Mapping[str, Any]

    @property
    def device(self) -> str:
        """Where it scores: cpu, cuda:0..."""
        ...

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n], or of each class [n, k] where there are more than two."""
        ...

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and its files."""
        ...


class Fit(Protocol):
    """A training under way: iterate for its epochs, leave whenever you like, then take the tagger."""

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


class Model(Protocol):
    """A recipe that can be fitted."""

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        ...
