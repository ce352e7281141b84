"""Whether a training converged, and the usual reason if it did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hepclf.scored import Scored
from hepclf.statistics.losses import log_loss
from hepclf.statistics.value import Value
from hepclf.training.epoch import Epoch
from hepclf.training.trainer import Trainer
from hepclf.words import Caution, number

Array = NDArray[np.float64]

SIGMAS = 2  # standard errors of the loss by which it must be above that of a constant score
GROWN = 1.1  # times its first value, or that of a constant score, from which on a training loss is no fluctuation
RISEN = 1.02  # times its first value from which on a validation loss has risen
EPOCHS = 3  # fewer say nothing of a trend
FALLING = 6  # epochs, of which the second half is long enough to see a trend
LATE = 0.15  # of the fall; a training at a small rate has 0.18 there with a cosine schedule, and 0.5 at a constant rate
NO_PROBABILITIES = ("power", "absolute")  # losses whose best score is no probability


def convergence(
    valid: Scored, weights: Array, history: Sequence[Epoch], kept_epoch: int | None, trainer: Trainer
) -> Iterator[Caution]:
    """At most one warning: the most serious one that the losses give.

    valid       validation events with the scores of the tagger; `weights` [n] are those of the loss
    kept_epoch  the epoch of the tagger; None if the model has none
    """
    if trainer.loss in NO_PROBABILITIES and trainer.calibrate == "none":
        yield _no_probabilities(trainer)
        return
    constant = constant_loss(valid.labels, weights, len(valid.classes))
    if constant is None:
        return
    loss = log_loss(valid.labels, valid.scores, weights)
    reasons = [*_trained(loss, constant, history, kept_epoch, trainer), *_scored(loss, constant, history)]
    yield from reasons[:1]


def constant_loss(labels: NDArray[np.int64], weights: Array, classes: int) -> float | None:
    r"""The log-loss of the best constant score, -sum f ln f with the fractions f of the classes.

    It is ln 2 for two classes of equal weight. None if a class has no positive sum of weights.
    """
    sums = np.bincount(labels, weights, minlength=classes)
    if not (sums > 0).all():
        return None
    shares = sums / sums.sum()
    return float(-(shares * np.log(shares)).sum())


def _trained(
    loss: Value, constant: float, history: Sequence[Epoch], kept_epoch: int | None, trainer: Trainer
) -> Iterator[Caution]:
    """The warning from the losses of the epochs, if these are log-losses without further terms."""
    plain = trainer.loss == "cross_entropy" and trainer.decorrelate is None
    if not plain or len(history) < 2 or kept_epoch is None or not 1 <= kept_epoch <= len(history):
        return
    kept, first, last = history[kept_epoch - 1], history[0], history[-1]
    # A statistical fluctuation of the validation loss must not give a warning.
    least = constant + SIGMAS * (loss.error or 0.0)
    same = f"{constant:.4g}, that of one score for all events"
    if kept.valid_loss > least:
        yield _unconverged(f"its best validation loss, {kept.valid_loss:.4g} in epoch {kept.epoch}, is above {same}")
    elif kept.train_loss > GROWN * constant and kept_epoch > 1:
        yield _unconverged(
            f"the training loss of the epoch that was kept, {kept.train_loss:.4g}, is above {same}, and its validation "
            f"loss of {kept.valid_loss:.4g} a matter of luck"
        )
    elif last.train_loss > GROWN * first.train_loss:
        yield _unconverged(
            f"the training loss grew from {first.train_loss:.4g} in epoch 1 to {last.train_loss:.4g} "
            f"in epoch {last.epoch}"
        )
    elif kept_epoch == 1 and len(history) >= EPOCHS and last.valid_loss > RISEN * first.valid_loss:
        yield Caution(
            "first_epoch",
            (),
            f"the first epoch has the lowest validation loss, which rose from {first.valid_loss:.4g} to "
            f"{last.valid_loss:.4g} in epoch {last.epoch}: usually the learning rate is too high, or the model learns "
            f"the training events by heart at once; lower the learning rate{_rate(kept)}, or take a smaller model",
        )
    elif kept_epoch == len(history) and (share := _late_share(history, constant)) > LATE:
        yield Caution(
            "still_falling",
            (),
            f"the training ended too early: the validation loss fell until the last epoch, and {share:.0%} of "
            f"its fall from {constant:.4g} to {last.valid_loss:.4g} came in the second half of the training; raise "
            "trainer.epochs (model.iterations of boosted trees), or the learning rate if it is small",
        )


def _late_share(history: Sequence[Epoch], constant: float) -> float:
    """Part of the fall of the validation loss, from a constant score on, in the second half of at least six epochs.

    Zero where the loss does not fall in each of these epochs.
    """
    losses = [epoch.valid_loss for epoch in history[len(history) // 2 - 1 :]]
    if len(history) < FALLING or any(after >= before for before, after in pairwise(losses)):
        return 0.0
    fall = constant - losses[-1]
    return (losses[0] - losses[-1]) / fall if fall > 0 else 0.0


def _unconverged(reason: str) -> Caution:
    return Caution(
        "not_converged",
        (),
        f"the training did not converge: {reason}. Usually the learning rate is too high, or labels are swapped in "
        "some events; lower trainer.learning_rate (model.learning_rate of boosted trees), and look at the labels",
    )


def _scored(loss: Value, constant: float, history: Sequence[Epoch]) -> Iterator[Caution]:
    """The warnings from the scores of the validation events."""
    if loss.value is None or loss.value <= constant + SIGMAS * (loss.error or 0.0):
        return
    reason = (
        f"the log-loss on validation, {number(*loss)} with the weights of the training, is above {constant:.4g}, that "
        "of one score for all events"
    )
    if len(history) > 1:
        yield _unconverged(reason)
        return
    yield Caution(
        "no_probabilities",
        (),
        f"{reason}: the scores are no probabilities, though they may rank the events well; map them by "
        "trainer.calibrate=isotonic (temperature for several classes), or take a model that fits less closely",
    )


def _no_probabilities(trainer: Trainer) -> Caution:
    """What the best score of such a loss is."""
    meaning = "they tend to 0 and 1, on the side of the more probable class"
    if trainer.loss == "power":
        meaning = f"ln s/(1 - s) is the logarithm of the odds divided by trainer.power - 1 = {trainer.power - 1:g}"
    return Caution(
        "no_probabilities",
        (),
        f"trainer.loss={trainer.loss} does not give probabilities: {meaning}. Such scores rank the events, and the "
        "calibration shows how far they are from probabilities; trainer.calibrate=temperature maps them",
    )


def _rate(epoch: Epoch) -> str:
    if epoch.learning_rate == 1:
        return ""
    return f" (here {epoch.learning_rate:.3g})"
