"""The gate: an export is written only if it gives the scores of the tagger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, missing_as_nan, single_precision
from hepclf.export.formats import Score, uncalibrated
from hepclf.export.hard_events import Features, hard_events, infinite_events
from hepclf.export.lines import straight_lines
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.statistics.calibration import Isotonic

TOLERANCE, NETWORK_TOLERANCE = 1e-6, 1e-5  # of probabilities; a network is summed in float32, in an order of its own
STEEP = 40.0  # of a map of logits: it makes 1e-6 of rounding the 1e-5 of a probability near 1/2 that is allowed
ROWS = 1 << 12  # events scored at once

Scores = NDArray[np.float64]


class Trial(NamedTuple):
    """Events and the tagger's scores of them.

    features    real events first, then edge cases [n, d]
    expected    the tagger's scores [n] or [n, k]
    real_count  number of real events
    refused     number of edge cases left out, because the tagger has no score for them
    infinite    events with an infinite feature, which no tagger scores
    allowed     the largest allowed difference between scores
    steepest    the largest slope of an isotonic calibration of a network, whose logits are float32; otherwise 1
    """

    features: Features
    expected: Scores
    real_count: int
    refused: int
    infinite: Features
    allowed: float
    steepest: float = 1.0

    @property
    def hard_count(self) -> int:
        """The number of edge cases."""
        return len(self.features) - self.real_count


def trial(tagger: Tagger, real: Features) -> Trial:
    """The events for the test of an export: these real ones [n, d] and edge cases, in the form that files store."""
    with_nan = missing_as_nan(real, tagger.inputs, tagger.sentinels)
    with _quiet():
        real, difficult = _raw(tagger, with_nan), _raw(tagger, hard_events(tagger, with_nan))
        parts = [(real, _scores(tagger, real)), *_scorable(tagger, difficult)]
    features, expected = (np.concatenate(column) for column in zip(*parts, strict=True))
    refused = len(real) + len(difficult) - len(features)
    inner, calibration = uncalibrated(tagger)
    rounded = isinstance(inner, NetworkTagger)
    allowed, steepest = TOLERANCE, 1.0
    if rounded:
        allowed = NETWORK_TOLERANCE
        if isinstance(calibration, Isotonic):
            # A rounding of the logit grows by the slope of the calibration.
            steepest = float(straight_lines(calibration).slopes.max())
    return Trial(features, expected, len(real), refused, infinite_events(tagger, with_nan), allowed, steepest)


def _raw(tagger: Tagger, features: Features) -> Features:
    """Features [n, d] as files store them: a missing value is in turn each sentinel of the feature, and NaN."""
    raw, declared = features.copy(), tagger.sentinels
    for column, name in enumerate(tagger.inputs):
        choices = np.array([*single_precision(declared.get(name, ())), np.nan], dtype=np.float32)
        missing = np.flatnonzero(np.isnan(features[:, column]))
        raw[missing, column] = np.resize(choices, len(missing))
    return raw


def largest_difference(kind: str, score: Score, trial: Trial, *, refuses: bool) -> float:
    """The largest difference of an export's scores from the tagger's; a ValueError if it is more than allowed.

    refuses  whether infinite features must give nan
    """
    parts = [trial.features[start : start + ROWS] for start in range(0, len(trial.features), ROWS)]
    scores, empty = np.concatenate([score(part) for part in parts]), score(trial.features[:0])
    for array, expected in ((scores, trial.expected), (empty, trial.expected[:0])):
        if array.shape != expected.shape:
            raise ValueError(f"format={kind} gives scores of shape {array.shape}, not {expected.shape}; {_REFUSED}")
    first = score(trial.features[:1])
    differences = np.abs(np.concatenate([scores, first]) - np.concatenate([trial.expected, trial.expected[:1]]))
    differences[np.isnan(differences)] = np.inf
    if (differences > trial.allowed).any():
        raise ValueError(_message(kind, differences.reshape(len(differences), -1).max(axis=1), scores, trial))
    if refuses and len(trial.infinite) and not np.isnan(score(trial.infinite)).all():
        raise ValueError(f"format={kind} gives a score to an infinite feature, which the tagger refuses; {_REFUSED}")
    return float(differences.max(initial=0))


_REFUSED = "nothing was written; use another format"
_STEEP = (
    "its isotonic calibration is up to {:,.0f} times as steep as the diagonal, which magnifies rounding to float32; "
    "nothing was written; use trainer.calibrate=temperature"
)


def _message(kind: str, differences: Scores, scores: Scores, trial: Trial) -> str:
    advice = _STEEP.format(trial.steepest) if trial.steepest > STEEP else _REFUSED
    failures = int((differences > trial.allowed).sum())
    event = int(differences.argmax()) % len(trial.features)
    return (
        f"format={kind} differs from the tagger by {differences.max():.3g}, at most {trial.allowed:g} is allowed "
        f"({failures} of {len(trial.features)} events; {scores[event]} for {trial.expected[event]} "
        f"where the features are {trial.features[event].tolist()}); {advice}"
    )


def _scores(tagger: Tagger, features: Features) -> Scores:
    parts = [features[start : start + ROWS] for start in range(0, len(features), ROWS)] or [features]
    return np.concatenate([tagger.scores(Events(features=part, names=tagger.inputs)) for part in parts])


def _scorable(tagger: Tagger, features: Features) -> list[tuple[Features, Scores]]:
    """The events with a score: a network has none if a feature makes it overflow."""
    try:
        return [(features, _scores(tagger, features))]
    except ValueError:
        if len(features) == 1:
            return []
        middle = len(features) // 2
        return _scorable(tagger, features[:middle]) + _scorable(tagger, features[middle:])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings: edge cases lack features that were never missing in training, which is expected here."""
    logger = logging.getLogger("hepclf.models.event_checks")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
