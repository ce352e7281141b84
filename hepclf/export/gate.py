"""The gate: an export is written only if it gives the scores of the tagger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, missing_as_nan
from hepclf.export.cases import Columns, file_key, hard_cases, joined, real_cases
from hepclf.export.components import components, event_folds
from hepclf.export.formats import Score, uncalibrated
from hepclf.export.hard_events import Features, infinite_events
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
    key         the event number of each event, or of hashed folds the fold [n]; None for a tagger without folds
    """

    features: Features
    expected: Scores
    real_count: int
    refused: int
    infinite: Features
    allowed: float
    steepest: float = 1.0
    key: NDArray[np.uint64] | None = None

    @property
    def hard_count(self) -> int:
        """The number of edge cases."""
        return len(self.features) - self.real_count


def trial(tagger: Tagger, real: Features, columns: Columns | None = None) -> Trial:
    """The events for the test of an export: these real ones [n, d] and edge cases, in the form that files store.

    columns  the fold columns of the real events; without them, real events are spread over the folds
    """
    with_nan = missing_as_nan(real, tagger.inputs, tagger.sentinels)
    with _quiet():
        cases, difficult = real_cases(tagger, with_nan, columns), hard_cases(tagger, with_nan)
        parts = [(cases, _scores(tagger, cases)), *_scorable(tagger, difficult)]
    events = joined([part for part, _ in parts])
    allowed, steepest = _bounds(tagger)
    return Trial(
        features=events.features,
        expected=np.concatenate([scores for _, scores in parts]),
        real_count=len(cases),
        refused=len(cases) + len(difficult) - len(events),
        infinite=infinite_events(tagger, with_nan),
        allowed=allowed,
        steepest=steepest,
        key=file_key(event_folds(tagger), events),
    )


def _bounds(tagger: Tagger) -> tuple[float, float]:
    """The largest allowed difference, and the largest slope of a calibration that magnifies rounding."""
    allowed, steepest = TOLERANCE, 1.0
    for component in components(tagger):
        inner, calibration = uncalibrated(component.tagger)
        if not isinstance(inner, NetworkTagger):
            continue
        allowed = NETWORK_TOLERANCE
        if isinstance(calibration, Isotonic):
            # A rounding of the logit grows by the slope of the calibration.
            steepest = max(steepest, float(straight_lines(calibration).slopes.max()))
    return allowed, steepest


def largest_difference(kind: str, score: Score, trial: Trial, *, refuses: bool) -> float:
    """The largest difference of an export's scores from the tagger's; a ValueError if it is more than allowed.

    refuses  whether infinite features must give nan
    """
    parts = [slice(start, start + ROWS) for start in range(0, len(trial.features), ROWS)]
    scores, empty = (
        np.concatenate([_file_scores(score, trial, part) for part in parts]),
        _file_scores(score, trial, slice(0)),
    )
    for array, expected in ((scores, trial.expected), (empty, trial.expected[:0])):
        if array.shape != expected.shape:
            raise ValueError(f"format={kind} gives scores of shape {array.shape}, not {expected.shape}; {_REFUSED}")
    first = _file_scores(score, trial, slice(1))
    differences = np.abs(np.concatenate([scores, first]) - np.concatenate([trial.expected, trial.expected[:1]]))
    differences[np.isnan(differences)] = np.inf
    if (differences > trial.allowed).any():
        raise ValueError(_message(kind, differences.reshape(len(differences), -1).max(axis=1), scores, trial))
    if refuses and len(trial.infinite) and not np.isnan(_infinite_scores(score, trial)).all():
        raise ValueError(f"format={kind} gives a score to an infinite feature, which the tagger refuses; {_REFUSED}")
    return float(differences.max(initial=0))


def _file_scores(score: Score, trial: Trial, part: slice) -> Scores:
    """The file's scores of this part of the events."""
    if trial.key is None:
        return score(trial.features[part])
    return score(trial.features[part], trial.key[part])


def _infinite_scores(score: Score, trial: Trial) -> Scores:
    if trial.key is None:
        return score(trial.infinite)
    return score(trial.infinite, np.resize(trial.key, len(trial.infinite)))


_REFUSED = "nothing was written; use another format"
_STEEP = (
    "its isotonic calibration is up to {:,.0f} times as steep as the diagonal, which magnifies rounding to float32; "
    "nothing was written; use trainer.calibrate=temperature"
)


def _message(kind: str, differences: Scores, scores: Scores, trial: Trial) -> str:
    advice = _STEEP.format(trial.steepest) if trial.steepest > STEEP else _REFUSED
    failures = int((differences > trial.allowed).sum())
    event = int(differences.argmax()) % len(trial.features)
    where = "" if trial.key is None else f" and the event number is {trial.key[event]}"
    return (
        f"format={kind} differs from the tagger by {differences.max():.3g}, at most {trial.allowed:g} is allowed "
        f"({failures} of {len(trial.features)} events; {scores[event]} for {trial.expected[event]} "
        f"where the features are {trial.features[event].tolist()}{where}); {advice}"
    )


def _scores(tagger: Tagger, events: Events) -> Scores:
    starts = range(0, max(len(events), 1), ROWS)
    return np.concatenate(
        [tagger.scores(events.take(np.arange(start, min(start + ROWS, len(events))))) for start in starts]
    )


def _scorable(tagger: Tagger, events: Events) -> list[tuple[Events, Scores]]:
    """The events with a score: a network has none if a feature makes it overflow."""
    try:
        return [(events, _scores(tagger, events))]
    except ValueError:
        if len(events) == 1:
            return []
        middle = len(events) // 2
        halves = (events.take(np.arange(middle)), events.take(np.arange(middle, len(events))))
        return [part for half in halves for part in _scorable(tagger, half)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings: edge cases lack features that were never missing in training, which is expected here."""
    logger = logging.getLogger("hepclf.models.event_checks")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
