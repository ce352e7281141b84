"""False alarms of a search with a live time: rates, the efficiency at a rate, the loudest background."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.recipe import recipe
from hepclf.statistics.curves.alarms import (
    QuietSearch,
    false_alarm_probability,
    false_alarm_rate,
    quiet_efficiency_error,
    quiet_search,
)
from hepclf.statistics.curves.roc import Curve, curve, thinned
from hepclf.statistics.value import has_positive_sum
from hepclf.words import Grid, formatted, number

LIVE_TIME = "live_time_s"
DAY = 86_400.0
UNITS = (("yr", 365.25 * DAY), ("d", DAY), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
Array = NDArray[np.float64]


@recipe
class Triggers:
    """False alarms: the background events are the triggers of a search without signal during `live_time_s`.

    The live time is that of the whole sample; the test split has a fraction of it, that of its background events. By
    default it is the data's spectator `live_time_s`. `observed_s` is the duration of the search for a signal, for
    false-alarm probabilities.
    """

    question: ClassVar[str] = "How efficient is a search at a given rate of false alarms?"
    page_title: ClassVar[str] = "False alarms"
    page_section: ClassVar[str] = "cut"

    live_time_s: float | None = None
    observed_s: float | None = None
    false_alarms_per_day: tuple[float, ...] = (1.0, 10.0, 100.0)
    loudest: int = 10

    def __post_init__(self) -> None:
        for name, values in (
            ("live_time_s", (self.live_time_s,)),
            ("observed_s", (self.observed_s,)),
            ("false_alarms_per_day", self.false_alarms_per_day),
        ):
            for value in values:
                if value is not None and not 0 < value < math.inf:
                    raise ValueError(f"{name} must be above 0, not {value:g}")
        if self.loudest < 0:
            raise ValueError(f"loudest must be 0 events or more, not {self.loudest}")

    def study(self, case: Case) -> FalseAlarms | None:
        """Rates on test; None without a live time, or without test events of both classes."""
        if "test" not in case.parts or not case.curves["test"].defined:
            return None
        sample_time_s = self._live_time(case)
        if sample_time_s is None:
            return None
        share = _share(case)
        if isinstance(share, str):
            return FalseAlarms(reason=share)
        alarms, live_time_s = _alarms(case), sample_time_s * share
        return FalseAlarms(
            live_time_s=live_time_s,
            observed_s=self.observed_s,
            background=float(alarms.background[-1]),
            quiet=tuple(quiet_search(alarms, live_time_s, rate / DAY) for rate in self.false_alarms_per_day),
            curve=_rate_curve(alarms, live_time_s),
            loudest=tuple(_loudest(case, alarms, live_time_s, self.observed_s, self.loudest)),
        )

    def _live_time(self, case: Case) -> float | None:
        if self.live_time_s is not None or LIVE_TIME not in case.parts["test"].spectators:
            return self.live_time_s
        column = case.parts["test"].spectators[LIVE_TIME]
        first = float(column[0])
        if not 0 < first < math.inf or (column != column[0]).any():
            raise ValueError(
                f"spectator {LIVE_TIME!r} must be one positive number, the live time of the whole sample, not "
                f"{np.min(column)}..{np.max(column)}; give evaluation.triggers.live_time_s"
            )
        return first


@dataclass(frozen=True, eq=False)
class RateCurve:
    """The efficiency against the false-alarm rate (1/s), with its error, [m] each."""

    rate: Array
    efficiency: Array
    error: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Loud:
    """A loud background event: its score, the rate (1/s) and probability of background as loud, and its properties."""

    score: float
    weight: float
    rate: float
    probability: float | None
    process: str
    spectators: Mapping[str, Any]
    features: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        values = {**vars(self), "far_per_s": self.rate, "ifar_s": 1 / self.rate}
        return {name: value for name, value in values.items() if name != "rate"}


@dataclass(frozen=True, kw_only=True, eq=False)
class FalseAlarms:
    """The live time of test, the efficiency at each rate, the curve, and the loudest background events.

    background  sum of the background's weights on test
    reason      why there are no rates, None where there are
    """

    live_time_s: float = math.nan
    observed_s: float | None = None
    background: float = math.nan
    quiet: tuple[QuietSearch, ...] = ()
    curve: RateCurve | None = None
    loudest: tuple[Loud, ...] = ()
    reason: str | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The efficiency at the lowest measurable rate, and the rates that cannot be measured."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.reason is not None:
            yield f"There are no false-alarm rates: {self.reason}."
        defined = [point for point in self.quiet if point.efficiency.value is not None]
        if defined:
            lowest = min(defined, key=lambda point: point.target_rate)
            cut = "no event passes"
            if lowest.cut is not None:
                cut = f"score ≥ {number(lowest.cut)}"
            yield (
                f"At a false-alarm rate of at most {_rate(lowest.target_rate)} ({cut}) the signal efficiency is "
                f"{number(*lowest.efficiency)}."
            )
        if len(defined) < len(self.quiet):
            short = max(point.target_rate for point in self.quiet if point not in defined)
            yield (
                f"False-alarm rates of {_rate(short)} or less cannot be measured in a live time of "
                f"{duration(self.live_time_s)} on test; that needs {duration(1 / short)} or more."
            )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The efficiency at each rate, and the loudest events."""
        header = ("false alarms", "IFAR", "louder events", "score", "signal eff.")
        rows = [
            (
                _rate(point.target_rate),
                duration(1 / point.target_rate),
                formatted(point.louder, ".6g"),
                formatted(point.cut, ".7g"),
                number(*point.efficiency),
            )
            for point in self.quiet
        ]
        grids = [Grid(f"efficiency at a false-alarm rate, test: live time {duration(self.live_time_s)}", header, rows)]
        return (*grids[: len(rows)], *self._loudest())

    def _loudest(self) -> Iterator[Grid]:
        """The loudest events with as many spectators and features as fit into 80 columns."""
        if not self.loudest:
            return
        columns = {
            "score": [f"{event.score:.7g}" for event in self.loudest],
            "IFAR": [duration(1 / event.rate) for event in self.loudest],
            "process": [event.process for event in self.loudest],
        }
        if any(event.weight != 1 for event in self.loudest):
            columns["weight"] = [f"{event.weight:.4g}" for event in self.loudest]
        for kind in ("spectators", "features"):
            for name in getattr(self.loudest[0], kind):
                columns.setdefault(name, [_text(getattr(event, kind)[name]) for event in self.loudest])
        header, width = [], 0
        for name, cells in columns.items():
            width += max(len(name), *map(len, cells)) + 2
            if width <= 82:
                header.append(name)
        yield Grid(
            "loudest background events, test", header, list(zip(*(columns[name] for name in header), strict=True))
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them; rates are per second."""
        return {
            "reason": self.reason,
            "live_time_s": self.live_time_s,
            "observed_s": self.observed_s,
            "quiet": [
                {
                    "asked_per_s": point.target_rate,
                    "far_per_s": point.rate.to_dict(),
                    "louder": point.louder,
                    "cut": point.cut,
                    "signal_efficiency": point.efficiency.to_dict(),
                }
                for point in self.quiet
            ],
            "loudest": [event.to_dict() for event in self.loudest],
        }


def duration(seconds: float) -> str:
    """A time in the largest unit of which it has at least one; a year is 365.25 days."""
    name, unit = next((entry for entry in UNITS if seconds >= entry[1]), UNITS[-1])
    return f"{seconds / unit:.4g} {name}"


def _rate(per_second: float) -> str:
    return f"{per_second * DAY:.3g} per day"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _share(case: Case) -> float | str:
    """The fraction of the background's total weight in the test split, or why it is unknown."""
    test = case.parts["test"]
    background = test.labels != case.signal
    try:
        total = case.scored.scaled_weights("test")[background]
    except ValueError as reason:
        return str(reason)
    if not has_positive_sum(float(total.sum()), float(total @ total)):
        return f"the background's weights sum to {total.sum():.6g} over all splits"
    return float(test.weights[background].sum() / total.sum())


def _alarms(case: Case) -> Curve:
    """The curve of test with the background's own weights, which count triggers; expected yields do not scale them."""
    part, mixture = case.parts["test"], case.curves["test"]
    if case.weights("test").within is part.weights:
        return mixture
    counted = curve(case.rankings["test"], part.labels == case.signal, part.weights)
    return replace(counted, signal=mixture.signal, signal_squares=mixture.signal_squares)


def _rate_curve(curve: Curve, live_time_s: float) -> RateCurve:
    index = thinned(curve.signal_efficiency, curve.background_efficiency)
    rate = false_alarm_rate(np.maximum.accumulate(curve.background)[index], live_time_s)
    return RateCurve(rate, curve.signal_efficiency[index], quiet_efficiency_error(curve, index))


def _loudest(case: Case, curve: Curve, live_time_s: float, observed_s: float | None, count: int) -> Iterator[Loud]:
    part, scores = case.parts["test"], case.discriminant("test")
    background = np.flatnonzero((part.labels != case.signal) & (part.weights != 0))
    count = min(count, len(background))
    if not count:
        return
    # A partition, then a sort of the few loudest: sorting all events would take longer.
    loudest = background[np.argpartition(-scores[background], count - 1)[:count]]
    loudest = loudest[np.argsort(-scores[loudest], kind="stable")]
    for event, features in zip(loudest, _features(case, loudest), strict=True):
        above = case.rankings["test"].last(float(scores[event]))
        louder = float(curve.background[above]) - float(part.weights[event])
        probability = None
        if observed_s is not None:
            probability = float(false_alarm_probability(louder, live_time_s, observed_s))
        yield Loud(
            score=float(scores[event]),
            weight=float(part.weights[event]),
            rate=float(false_alarm_rate(louder, live_time_s)),
            probability=probability,
            process=part.process_names[part.processes[event]],
            spectators={name: column[event].item() for name, column in part.spectators.items() if name != LIVE_TIME},
            features=features,
        )


def _features(case: Case, events: NDArray[np.intp]) -> list[dict[str, float]]:
    """The features of each event by name, empty where the caller has no features."""
    if case.inside is None:
        return [{} for _ in events]
    rows = case.inside.read(events)
    return [dict(zip(case.inside.names, map(float, row), strict=True)) for row in rows]
