"""The gate: an export is written only where it gives the scores of the tagger."""

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
    real_count  how many of the events are real
    refused     how many edge cases were left out, as the tagger has no score for them
    infinite    events with an infinite feature, which no tagger scores
    allowed     the largest difference between scores
    steepest    the largest slope of an isotonic calibration of a network, whose logits are float32; else 1
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
        """How many of the events are edge cases."""
        return len(self.features) - self.real_count


def trial(tagger: Tagger, real: Features) -> Trial:
    """The events that an export is tested on: these real ones [n, d] and edge cases, as files hold them."""
    with_nan = missing_as_nan(real, tagger.inputs, tagger.sentinels)
    with _quiet():
        real, difficult = _raw(tagger, with_nan), _raw(tagger, hard_events(tagger, with_nan))
        parts = [(real, _scores(tagger, real)), *_scorable(tagger, difficult)]
    features, expected = (np.concatenate(column) for column in zip(*parts, strict=True))
    refused = len(real) + len(difficult) - len(features)
    inner, calibration = uncalibrated(tagger)
    rounded = isinstance(inner, NetworkTagger)
    steepest = float(straight_lines(calibration).slopes.max()) if rounded and isinstance(calibration, Isotonic) else 1.0
    allowed = NETWORK_TOLERANCE if rounded else TOLERANCE
    return Trial(features, expected, len(real), refused, infinite_events(tagger, with_nan), allowed, steepest)


def _raw(tagger: Tagger, features: Features) -> Features:
    """Features [n, d] as files hold them: where values are missing, each sentinel of the feature in turn, and NaN."""
    raw, declared = features.copy(), tagger.sentinels
    for column, name in enumerate(tagger.inputs):
        choices = np.array([*single_precision(declared.get(name, ())), np.nan], dtype=np.float32)
        missing = np.flatnonzero(np.isnan(features[:, column]))
        raw[missing, column] = np.resize(choices, len(missing))
    return raw


def largest_difference(kind: str, score: Score, trial: Trial, *, refuses: bool) -> float:
    """The largest difference of an export's scores from the tagger's; ValueError where it is more than is allowed.

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
    """The events that the tagger has scores for: a network has none where a feature makes it overflow."""
    try:
        return [(features, _scores(tagger, features))]
    except ValueError:
        if len(features) == 1:
            return []
        middle = len(features) // 2
        return _scorable(tagger, features[:middle]) + _scorable(tagger, features[middle:])


@contextmanager
def _quiet() -> Iterator[None]:
    """Edge cases miss features that training never missed, which is no news here."""
    logger = logging.getLogger("hepclf.models.event_checks")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
