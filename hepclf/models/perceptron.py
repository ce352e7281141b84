"""Rosenblatt's perceptron, which learns from its mistakes alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import Matrix, matrices
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Fit, Uninterrupted
from hepclf.models.scales import Scales, scales
from hepclf.recipe import recipe
from hepclf.training.epoch import Best, Epoch
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]
AHEAD = 64  # events that are looked at together for the next mistake


@recipe
class Perceptron:
    """A linear function for each class; a misclassified event is added to its own and subtracted from the largest.

    On separable classes it makes a finite number of mistakes and then ends (Novikoff 1962); on others it never comes
    to rest, and the epoch with the fewest mistakes on the validation set is kept. The loss of an epoch is the fraction
    of its mistakes. Scores are the softmax of the distances from the borders, in widths of the features: no
    probabilities.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"epochs", "patience", "keep", "seed"}

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        first, second = matrices(train, valid, trainer, "model=perceptron")
        return PerceptronFit(first, second, trainer)


class PerceptronFit(Uninterrupted):
    """Passes over the training set in random order, each an Epoch; it ends after one without a mistake."""

    def __init__(self, train: Matrix, valid: Matrix, trainer: Trainer) -> None:
        self._train, self._valid, self._trainer = train, valid, trainer
        self._scale = scales(train)
        self._functions = np.zeros((len(train.classes), len(train.names) + 1))
        self._kept = self._functions
        self._best = Best(trainer.keep)

    @property
    def epochs(self) -> int:
        """The trainer's number of epochs."""
        return self._trainer.passes(len(self._train.targets))

    @property
    def patience(self) -> int | None:
        """The trainer's patience."""
        return self._trainer.patience

    def __iter__(self) -> Iterator[Epoch]:
        x, valid_x = (_design(part, self._scale) for part in (self._train, self._valid))
        sizes = self._train.weights / self._train.weights.mean()
        for number in range(1, self.epochs + 1):
            started = time.perf_counter()
            order = np.random.default_rng([self._trainer.seed, number]).permutation(len(x))
            mistakes = _learn(self._functions, x[order], self._train.targets[order], sizes[order])
            valid_loss = _mistakes(self._functions, valid_x, self._valid)
            if self._best.take(number, valid_loss):
                self._kept = self._functions.copy()
            train_loss = _mistakes(self._functions, x, self._train)
            yield Epoch(number, train_loss, valid_loss, 1.0, time.perf_counter() - started)
            if not mistakes:
                return

    def tagger(self) -> FisherTagger:
        """The tagger of the epoch that trainer.keep names."""
        if not self._best.epoch:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        width = self._scale.width
        functions = self._kept / _steepness(self._kept)
        return FisherTagger(
            inputs=self._train.names,
            classes=self._train.classes,
            arrays={
                "coefficients": functions[:, 1:] / width,
                "intercepts": functions[:, 0],
                "centre": self._scale.centre,
                "fill": self._scale.fill,
            },
            settings={"missing": self._scale.missing},
            summary={"kept_epoch": self._best.epoch, "valid_loss": self._best.loss},
            sentinels=self._train.sentinels,
        )


def _design(part: Matrix, scale: Scales) -> Array:
    """A column of ones and the standardised features."""
    return np.column_stack([np.ones(len(part.targets)), scale.standardised(part.features)])


def _learn(functions: Array, x: Array, targets: NDArray[np.int64], sizes: Array) -> int:
    """Go through the events [n, d + 1] in their order, and correct the functions [k, d + 1]; the number of mistakes."""
    mistakes = start = 0
    while start < len(x):
        block = slice(start, start + AHEAD)
        decisions = np.argmax(x[block] @ functions.T, axis=1)
        wrong = decisions != targets[block]
        if not wrong.any():
            start += AHEAD
            continue
        place = int(np.argmax(wrong))
        event = start + place
        functions[targets[event]] += sizes[event] * x[event]
        functions[decisions[place]] -= sizes[event] * x[event]
        mistakes, start = mistakes + 1, event + 1
    return mistakes


def _mistakes(functions: Array, x: Array, part: Matrix) -> float:
    """The weighted fraction of misclassified events."""
    wrong = np.argmax(x @ functions.T, axis=1) != part.targets
    return float(part.weights @ wrong / part.weights.sum())


def _steepness(functions: Array) -> float:
    """The mean slope of the differences between two functions, along their gradients."""
    slopes = np.linalg.norm(functions[:, None, 1:] - functions[None, :, 1:], axis=2)
    mean = slopes.sum() / max(len(functions) * (len(functions) - 1), 1)
    return float(mean) or 1.0
