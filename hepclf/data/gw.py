"""GW: synthetic gravitational-wave triggers whose likelihood ratio is known exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from itertools import chain

import numpy as np

from hepclf.data.densities import (
    Array,
    Balanced,
    Density,
    Exponential,
    LogNormal,
    OneSided,
    PowerLaw,
    ReducedChiSquared,
    Rng,
    Smeared,
    Uniform,
    VonMises,
)
from hepclf.data.loader import Outline
from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events
from hepclf.nearest import nearest
from hepclf.recipe import recipe

DEGREES = 30  # of the chi-squared test, 2p - 2 at p = 16 frequency bands

# The drawn variables that each feature depends on; all but snr and mass are drawn given the snr.
FEATURE_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "snr": ("snr",),
    "snr_h1": ("snr", "angle"),
    "snr_l1": ("snr", "angle"),
    "chirp_mass": ("chirp_mass",),
    "chisq": ("snr", "chisq"),
    "dt_ms": ("snr", "dt_ms"),
    "dphi": ("snr", "dphi"),
    "coherence": ("snr", "angle", "dphi"),
    "newsnr": ("snr", "chisq"),
}
CLASSES = ("noise", "signal")
SPECTATORS = ("llr", "event", "live_time_s")
VARIABLES = ("snr", "angle", "chirp_mass", "chisq", "dt_ms", "dphi")
Population = Mapping[str, Density]


@recipe
class GW:
    """Triggers of a search for compact binaries in two detectors: signals, Gaussian noise and glitches.

    snr         network SNR, and its parts snr_h1 and snr_l1 in the two detectors
    chirp_mass  of the template, in solar masses
    chisq       chi-squared of the signal-consistency test over its 30 degrees of freedom
    dt_ms       arrival time at H1 minus that at L1
    dphi        phase difference, 0..2 pi; pi for a signal, as the two detectors are nearly opposite
    coherence   -2 snr_h1 snr_l1 cos(dphi) / snr^2: 1 where both detectors see one wave, equally loud
    newsnr      snr weighed down by chisq, not among the default features

    The spectator `llr` is ln p(x|signal)/p(x|noise) of the variables that the features depend on, noise being the
    mixture of Gaussian noise and glitches; no classifier can do better. The limit is exact if those variables can be
    computed from the features: snr, or both of its parts, with any of the others. Features that hold less, such as
    chisq or newsnr alone, stay below this limit. The spectator `live_time_s` is the time in which the noise occurred.
    The class noise consists of the processes gaussian and glitch.
    With `check`, a training warns about suspicious events; `labels` are titles and units in pictures.
    """

    signals: int = 20_000
    noise: int = 60_000
    live_time_s: float = 2_592_000.0  # 30 days, the month of MLGWSC-1 (arXiv:2209.11146)
    features: tuple[str, ...] = (
        "snr",
        "snr_h1",
        "snr_l1",
        "chirp_mass",
        "chisq",
        "dt_ms",
        "dphi",
        "coherence",
    )
    snr_min: float = 6.0
    noise_slope: float = 2.0
    glitch_fraction: float = 0.2
    glitch_index: float = 5.0
    glitch_power: float = 2.0
    antenna_spread: float = 0.25
    signal_mass: LogNormal = field(default_factory=lambda: LogNormal(median=13.0, width=0.6))
    noise_mass: LogNormal = field(default_factory=lambda: LogNormal(median=5.0, width=0.7))
    glitch_mass: LogNormal = field(default_factory=lambda: LogNormal(median=4.0, width=0.6))
    signal_mismatch: float = 0.15
    glitch_mismatch: float = 0.6
    travel_ms: float = 10.0
    window_ms: float = 15.0
    timing_ms: float = 1.0
    phase_spread: float = 0.6
    phase_error: float = 0.25
    seed: int = 0
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        self._check_ranges()
        for name in self.features:
            if name not in FEATURE_VARIABLES:
                raise ValueError(f"feature {name!r} is not known to the triggers{nearest(name, FEATURE_VARIABLES)}")
        if not self.features:
            raise ValueError(f"features must name at least one; there are: {', '.join(FEATURE_VARIABLES)}")
        reach = self.travel_ms + 6 * self.timing_ms * 5 / self.snr_min
        if self.window_ms < reach:
            raise ValueError(
                f"window_ms must hold every signal, travel_ms plus six errors at snr_min = {reach:g}, "
                f"not {self.window_ms:g}"
            )

    def _check_ranges(self) -> None:
        exclusive_bounds: Mapping[str, tuple[float, float]] = {
            "live_time_s": (self.live_time_s, 0),
            "snr_min": (self.snr_min, 0),
            "noise_slope": (self.noise_slope, 0),
            "glitch_index": (self.glitch_index, 1),
            "antenna_spread": (self.antenna_spread, 0),
            "travel_ms": (self.travel_ms, 0),
            "timing_ms": (self.timing_ms, 0),
            "phase_spread": (self.phase_spread, 0),
        }
        inclusive_bounds: Mapping[str, tuple[float, float]] = {
            "signals": (self.signals, 1),
            "noise": (self.noise, 1),
            "glitch_power": (self.glitch_power, 0),
            "signal_mismatch": (self.signal_mismatch, 0),
            "glitch_mismatch": (self.glitch_mismatch, 0),
            "phase_error": (self.phase_error, 0),
            "seed": (self.seed, 0),
        }
        for name, (value, bound) in exclusive_bounds.items():
            if not bound < value < np.inf:
                raise ValueError(f"{name} must be above {bound}, not {value}")
        for name, (value, bound) in inclusive_bounds.items():
            if not bound <= value < np.inf:
                raise ValueError(f"{name} must be at least {bound}, not {value}")
        if not 0 <= self.glitch_fraction <= 1:
            raise ValueError(f"glitch_fraction must lie in [0, 1], not {self.glitch_fraction}")

    @property
    def populations(self) -> dict[str, Population]:
        """The density of each drawn variable in each population."""
        window = Uniform(low=-self.window_ms, high=self.window_ms)
        phases = Uniform(low=0.0, high=2 * np.pi)
        return {
            "gaussian": {
                "snr": Exponential(start=self.snr_min, slope=self.noise_slope),
                "angle": Uniform(low=0.0, high=np.pi / 2),
                "chirp_mass": self.noise_mass,
                "chisq": ReducedChiSquared(degrees=DEGREES, mismatch=0.0),
                "dt_ms": window,
                "dphi": phases,
            },
            "glitch": {
                "snr": PowerLaw(start=self.snr_min, index=self.glitch_index),
                "angle": OneSided(power=self.glitch_power),
                "chirp_mass": self.glitch_mass,
                "chisq": ReducedChiSquared(degrees=DEGREES, mismatch=self.glitch_mismatch),
                "dt_ms": window,
                "dphi": phases,
            },
            "signal": {
                "snr": PowerLaw(start=self.snr_min, index=4.0),  # sources uniform in volume
                "angle": Balanced(spread=self.antenna_spread),
                "chirp_mass": self.signal_mass,
                "chisq": ReducedChiSquared(degrees=DEGREES, mismatch=self.signal_mismatch),
                "dt_ms": Smeared(half=self.travel_ms, error=self.timing_ms),
                "dphi": VonMises(spread=self.phase_spread, error=self.phase_error),
            },
        }

    def outline(self) -> Outline:
        """Everything is known in advance."""
        return Outline(CLASSES, tuple(self.populations), self.features, SPECTATORS)

    def load(self) -> Events:
        """Triggers in random order; the same seed gives the same events."""
        rng = np.random.default_rng(self.seed)
        glitches = round(self.glitch_fraction * self.noise)
        counts = (self.noise - glitches, glitches, self.signals)
        draws = [
            _draw(rng, population, count) for population, count in zip(self.populations.values(), counts, strict=True)
        ]
        order = rng.permutation(sum(counts))
        triggers = {name: np.concatenate([draw[name] for draw in draws])[order] for name in VARIABLES}
        processes = np.repeat(np.arange(3), counts)[order]
        columns = _columns(triggers)
        return Events(
            features=np.stack([columns[name] for name in self.features], axis=1).astype(np.float32),
            labels=(processes == 2).astype(np.int64),
            names=self.features,
            classes=CLASSES,
            processes=processes,
            process_names=tuple(self.populations),
            spectators={
                "llr": self.llr(triggers),
                "event": np.arange(sum(counts)),
                "live_time_s": np.broadcast_to(np.float64(self.live_time_s), (sum(counts),)),
            },
        )

    def llr(self, triggers: Mapping[str, Array]) -> Array:
        """ln p(x|signal)/p(x|noise) of the variables that the features depend on; `triggers` has VARIABLES as keys."""
        needed = set(chain.from_iterable(FEATURE_VARIABLES[feature] for feature in self.features))
        touched = [name for name in VARIABLES if name in needed]
        snr = triggers["snr"]
        logs = {
            process: sum((population[name].log(triggers[name], snr) for name in touched), np.zeros(len(snr)))
            for process, population in self.populations.items()
        }
        with np.errstate(divide="ignore"):
            shares = np.log([1 - self.glitch_fraction, self.glitch_fraction])
        llr: Array = logs["signal"] - np.logaddexp(shares[0] + logs["gaussian"], shares[1] + logs["glitch"])
        return llr


def newsnr(snr: Array, chisq: Array) -> Array:
    """SNR of a trigger, lowered where its reduced chi-squared is above 1: snr [(1 + chisq^3)/2]^(-1/6).

    Equal to snr for chisq <= 1 (arXiv:1208.3491, eq. 6; PyCBC's ranking.newsnr).
    """
    lowered: Array = snr * ((1 + np.maximum(chisq, 1.0) ** 3) / 2) ** (-1 / 6)
    return lowered


def _draw(rng: Rng, population: Population, events: int) -> dict[str, Array]:
    snr = population["snr"].draw(rng, np.empty(events))
    columns = {"snr": snr}
    for name in VARIABLES:
        if name != "snr":
            columns[name] = population[name].draw(rng, snr)
    return {name: columns[name] for name in VARIABLES}


def _columns(triggers: Mapping[str, Array]) -> dict[str, Array]:
    """All available features, from the drawn variables."""
    snr, angle, dphi = triggers["snr"], triggers["angle"], triggers["dphi"]
    return {
        "snr": snr,
        "snr_h1": snr * np.cos(angle),
        "snr_l1": snr * np.sin(angle),
        "chirp_mass": triggers["chirp_mass"],
        "chisq": triggers["chisq"],
        "dt_ms": triggers["dt_ms"],
        "dphi": dphi,
        "coherence": -np.sin(2 * angle) * np.cos(dphi),
        "newsnr": newsnr(snr, triggers["chisq"]),
    }
