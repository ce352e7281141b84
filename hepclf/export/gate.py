"""The gate: an export leaves the house only where it gives the scores of the tagger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, missing_as_nan, single
from hepclf.export.form import Score, bare
from hepclf.export.hard import Features, hard, infinite
from hepclf.export.lines import lines
from hepclf.models.model import Tagger, sentinels
from hepclf.models.network import NetworkTagger
from hepclf.statistics.calibration import Isotonic

CLOSE, CLOSE_NETWORK = 1e-6, 1e-5  # of probabilities; a network is summed in float32, in an order of its own
STEEP = 40.0  # of a map of logits: it makes 1e-6 of rounding the 1e-5 of a probability near 1/2 that is allowed
ROWS = 1 << 12  # events scored at once

Scores = NDArray[np.float64]


class Trial(NamedTuple):
    """Events and what the tagger says of them.

    features  real events first, then hard ones [n, d]
    expected  the tagger's scores [n] or [n, k]
    real      how many of the events are real
    refused   hard events that the tagger has no score for, which are left out
    infinite  events with an infinite feature, which no tagger scores
    allowed   the largest difference between scores
    steepest  how steep the calibration of a network is at most, whose logits are float32; 1 where that is no matter
    """

    features: Features
    expected: Scores
    real: int
    refused: int
    infinite: Features
    allowed: float
    steepest: float = 1.0

    @property
    def hard(self) -> int:
        """How many of the events are hard ones."""
        return len(self.features) - self.real


def trial(tagger: Tagger, real: Features) -> Trial:
    """The events that an export is tried on: these real ones [n, d] and hard ones, as files hold them."""
    with_nan = missing_as_nan(real, tagger.inputs, sentinels(tagger))
    with _quiet():
        real, difficult = _raw(tagger, with_nan), _raw(tagger, hard(tagger, with_nan))
        parts = [(real, _scores(tagger, real)), *_scored(tagger, difficult)]
    features, expected = (np.concatenate(column) for column in zip(*parts, strict=True))
    refused = len(real) + len(difficult) - len(features)
    inner, calibration = bare(tagger)
    rounded = isinstance(inner, NetworkTagger)
    steepest = float(lines(calibration).slopes.max()) if rounded and isinstance(calibration, Isotonic) else 1.0
    allowed = CLOSE_NETWORK if rounded else CLOSE
    return Trial(features, expected, len(real), refused, infinite(tagger, with_nan), allowed, steepest)


def _raw(tagger: Tagger, features: Features) -> Features:
    """Features [n, d] as files hold them: where values are missing, each sentinel of the feature in turn, and NaN."""
    raw, declared = features.copy(), sentinels(tagger)
    for column, name in enumerate(tagger.inputs):
        choices = np.array([*single(declared.get(name, ())), np.nan], dtype=np.float32)
        missing = np.flatnonzero(np.isnan(features[:, column]))
        raw[missing, column] = np.resize(choices, len(missing))
    return raw


def worst(kind: str, score: Score, trial: Trial, *, refuses: bool) -> float:
    """The largest difference of an export's scores from the tagger's; ValueError where it is more than is allowed.

    refuses  whether infinite features must give nan
    """
    parts = [trial.features[start : start + ROWS] for start in range(0, len(trial.features), ROWS)]
    found, none = np.concatenate([score(part) for part in parts]), score(trial.features[:0])
    for given, meant in ((found, trial.expected), (none, trial.expected[:0])):
        if given.shape != meant.shape:
            raise ValueError(f"format={kind} gives scores of shape {given.shape}, not {meant.shape}; {_REFUSED}")
    first = score(trial.features[:1])
    differences = np.abs(np.concatenate([found, first]) - np.concatenate([trial.expected, trial.expected[:1]]))
    differences[np.isnan(differences)] = np.inf
    if (differences > trial.allowed).any():
        raise ValueError(_said(kind, differences.reshape(len(differences), -1).max(axis=1), found, trial))
    if refuses and len(trial.infinite) and not np.isnan(score(trial.infinite)).all():
        raise ValueError(f"format={kind} gives a score to an infinite feature, which the tagger refuses; {_REFUSED}")
    return float(differences.max(initial=0))


_REFUSED = "nothing was written; use another format"
_STEEP = (
    "its isotonic calibration is up to {:,.0f} times as steep as the diagonal, which magnifies rounding to float32; "
    "nothing was written; use trainer.calibrate=temperature"
)


def _said(kind: str, differences: Scores, found: Scores, trial: Trial) -> str:
    way = _STEEP.format(trial.steepest) if trial.steepest > STEEP else _REFUSED
    far = int((differences > trial.allowed).sum())
    at = int(differences.argmax()) % len(trial.features)
    return (
        f"format={kind} differs from the tagger by {differences.max():.3g}, at most {trial.allowed:g} is allowed "
        f"({far} of {len(trial.features)} events; {found[at]} for {trial.expected[at]} where the features are "
        f"{trial.features[at].tolist()}); {way}"
    )


def _scores(tagger: Tagger, features: Features) -> Scores:
    parts = [features[start : start + ROWS] for start in range(0, len(features), ROWS)] or [features]
    return np.concatenate([tagger.scores(Events(features=part, names=tagger.inputs)) for part in parts])


def _scored(tagger: Tagger, features: Features) -> list[tuple[Features, Scores]]:
    """The events that the tagger has scores for: a network has none where a feature makes it overflow."""
    try:
        return [(features, _scores(tagger, features))]
    except ValueError:
        if len(features) == 1:
            return []
        middle = len(features) // 2
        return _scored(tagger, features[:middle]) + _scored(tagger, features[middle:])


@contextmanager
def _quiet() -> Iterator[None]:
    """Hard events miss features that training never missed, which is no news here."""
    logger = logging.getLogger("hepclf.models.look")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
