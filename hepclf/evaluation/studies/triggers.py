"""False alarms of a search with a live time: rates, the efficiency at a rate, the loudest background."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

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
from hepclf.words import Grid, number

LIVE_TIME = "live_time_s"
DAY = 86_400.0
UNITS = (("yr", 365.25 * DAY), ("d", DAY), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
Array = NDArray[np.float64]


@recipe
class Triggers:
    """False alarms: the background events of `live_time_s` are the triggers of a search without a signal.

    The live time is that of the whole sample; the test split stands for the part that its background events are.
    Where it is not given, the data's spectator `live_time_s` is it. `observed_s` is how long the search for a signal
    lasts, for false-alarm probabilities.
    """

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
                    raise ValueError(f"{name} must be above 0, however it is {value:g}")
        if self.loudest < 0:
            raise ValueError(f"loudest must be 0 events or more, however loudest={self.loudest}")

    def study(self, case: Case) -> FalseAlarms | None:
        """Rates on test; None without a live time, or without events of both kinds."""
        if "test" not in case.parts or not case.curves["test"].defined:
            return None
        whole = self._live_time(case)
        if whole is None:
            return None
        share = _share(case)
        if isinstance(share, str):
            return FalseAlarms(reason=share)
        alarms, live_time = _alarms(case), whole * share
        return FalseAlarms(
            live_time_s=live_time,
            observed_s=self.observed_s,
            background=float(alarms.background[-1]),
            quiet=tuple(quiet_search(alarms, live_time, rate / DAY) for rate in self.false_alarms_per_day),
            curve=_line(alarms, live_time),
            loudest=tuple(_loudest(case, alarms, live_time, self.observed_s, self.loudest)),
        )

    def _live_time(self, case: Case) -> float | None:
        if self.live_time_s is not None or LIVE_TIME not in case.parts["test"].spectators:
            return self.live_time_s
        column = case.parts["test"].spectators[LIVE_TIME]
        first = float(column[0])
        if not 0 < first < math.inf or (column != column[0]).any():
            raise ValueError(
                f"spectator {LIVE_TIME!r} must be one positive number, the live time of the whole sample, however it "
                f"spans {np.min(column)}..{np.max(column)}; give evaluation.triggers.live_time_s"
            )
        return first


@dataclass(frozen=True, eq=False)
class Line:
    """The efficiency against the false-alarm rate (1/s), with its error, [m] each."""

    rate: Array
    efficiency: Array
    error: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Loud:
    """A background event: its score, the rate (1/s) and probability of another one as loud, and what it is."""

    score: float
    weight: float
    rate: float
    probability: float | None
    process: str
    spectators: Mapping[str, Any]
    features: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        found = {**vars(self), "far_per_s": self.rate, "ifar_s": 1 / self.rate}
        return {name: value for name, value in found.items() if name != "rate"}


@dataclass(frozen=True, kw_only=True, eq=False)
class FalseAlarms:
    """The live time of test, the efficiency at each rate, the curve, and the loudest background events.

    background  sum of the background's weights on test
    reason      why there are no rates, if so
    """

    live_time_s: float = math.nan
    observed_s: float | None = None
    background: float = math.nan
    quiet: tuple[QuietSearch, ...] = ()
    curve: Line | None = None
    loudest: tuple[Loud, ...] = ()
    reason: str | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The efficiency at the lowest rate that is known, and rates that are not."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.reason is not None:
            yield f"There are no false-alarm rates: {self.reason}."
        known = [each for each in self.quiet if each.efficiency.value is not None]
        if known:
            least = min(known, key=lambda each: each.target_rate)
            score = "nothing" if least.cut is None else f"score ≥ {least.cut:.7g}"
            yield (
                f"With no more false alarms than {_rate(least.target_rate)} the search takes {score} and keeps "
                f"{number(*least.efficiency)} of the signal."
            )
        if len(known) < len(self.quiet):
            short = max(each.target_rate for each in self.quiet if each not in known)
            yield (
                f"A rate of {_rate(short)} or less cannot be known from a live time of {duration(self.live_time_s)} "
                f"on test; it takes {duration(1 / short)} or more."
            )

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The efficiency at each rate, and the loudest events."""
        header = ("false alarms", "IFAR", "louder events", "score", "signal eff.")
        rows = [
            (
                _rate(each.target_rate),
                duration(1 / each.target_rate),
                "-" if each.louder is None else f"{each.louder:.6g}",
                "-" if each.cut is None else f"{each.cut:.7g}",
                number(*each.efficiency),
            )
            for each in self.quiet
        ]
        made = [Grid(f"efficiency at a false-alarm rate, test: live time {duration(self.live_time_s)}", header, rows)]
        return (*made[: len(rows)], *self._loudest())

    def _loudest(self) -> Iterator[Grid]:
        """As many spectators and features as 80 columns hold."""
        if not self.loudest:
            return
        columns = {
            "score": [f"{each.score:.7g}" for each in self.loudest],
            "IFAR": [duration(1 / each.rate) for each in self.loudest],
            "process": [each.process for each in self.loudest],
        }
        if any(each.weight != 1 for each in self.loudest):
            columns["weight"] = [f"{each.weight:.4g}" for each in self.loudest]
        for kind in ("spectators", "features"):
            for name in getattr(self.loudest[0], kind):
                columns.setdefault(name, [_text(getattr(each, kind)[name]) for each in self.loudest])
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
                    "asked_per_s": each.target_rate,
                    "far_per_s": each.rate.to_dict(),
                    "louder": each.louder,
                    "cut": each.cut,
                    "signal_efficiency": each.efficiency.to_dict(),
                }
                for each in self.quiet
            ],
            "loudest": [each.to_dict() for each in self.loudest],
        }


def duration(seconds: float) -> str:
    """A time in the largest unit that it has one of; a year is 365.25 days."""
    name, unit = next((each for each in UNITS if seconds >= each[1]), UNITS[-1])
    return f"{seconds / unit:.4g} {name}"


def _rate(per_second: float) -> str:
    return f"{per_second * DAY:.3g} / d"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _share(case: Case) -> float | str:
    """The share of the background's whole weight that is in test, or why it cannot be told."""
    test = case.parts["test"]
    of = test.labels != case.signal
    try:
        whole = case.scored.scaled_weights("test")[of]
    except ValueError as reason:
        return str(reason)
    if not has_positive_sum(float(whole.sum()), float(whole @ whole)):
        return f"the background's weights sum to {whole.sum():.6g} over all splits"
    return float(test.weights[of].sum() / whole.sum())


def _alarms(case: Case) -> Curve:
    """The curve of test with the background as it was seen in the live time, whatever yields make of it."""
    part, mixture = case.parts["test"], case.curves["test"]
    if case.weights("test").within is part.weights:
        return mixture
    counted = curve(case.rankings["test"], part.labels == case.signal, part.weights)
    return replace(counted, signal=mixture.signal, signal_squares=mixture.signal_squares)


def _line(of: Curve, live_time_s: float) -> Line:
    index = thinned(of.signal_efficiency, of.background_efficiency)
    rate = false_alarm_rate(np.maximum.accumulate(of.background)[index], live_time_s)
    return Line(rate, of.signal_efficiency[index], quiet_efficiency_error(of, index))


def _loudest(case: Case, of: Curve, live_time_s: float, observed_s: float | None, most: int) -> Iterator[Loud]:
    part, scores = case.parts["test"], case.discriminant("test")
    background = np.flatnonzero((part.labels != case.signal) & (part.weights != 0))
    most = min(most, len(background))
    # The most loudest in any order, then those in theirs.
    some = background[np.argpartition(-scores[background], most - 1)[:most]] if most else background[:0]
    some = some[np.argsort(-scores[some], kind="stable")]
    features = case.inside.read(some) if case.inside is not None and most else None
    for place, event in enumerate(some):
        above = case.rankings["test"].last(float(scores[event]))
        louder = float(of.background[above]) - float(part.weights[event])
        chance = false_alarm_probability(louder, live_time_s, observed_s) if observed_s is not None else None
        yield Loud(
            score=float(scores[event]),
            weight=float(part.weights[event]),
            rate=float(false_alarm_rate(louder, live_time_s)),
            probability=None if chance is None else float(chance),
            process=part.process_names[part.processes[event]],
            spectators={name: of[event].item() for name, of in part.spectators.items() if name != LIVE_TIME},
            features={}
            if features is None or case.inside is None
            else dict(zip(case.inside.names, map(float, features[place]), strict=True)),
        )
