"""Densities in closed form: each draws values and gives the logarithm of their density.

Every method takes `snr`, the network SNR of each trigger, because a louder trigger is measured better. A density
that does not depend on the SNR uses only its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hepclf.recipe import recipe

Array = NDArray[np.float64]
Rng = np.random.Generator

REFERENCE_SNR = 5.0  # measurement errors are quoted here and fall as 1/snr


class Density(Protocol):
    """The density of one variable, as a population uses it."""

    def draw(self, rng: Rng, snr: Array, /) -> Array:
        """One value per trigger."""

    def log(self, x: Array, snr: Array, /) -> Array:
        """Logarithm of the density at x."""


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """Proportional to x^-index above start."""

    start: float
    index: float

    def draw(self, rng: Rng, snr: Array) -> Array:
        """By inversion of the survival function (start/x)^(index-1)."""
        return self.start * (1 - rng.random(len(snr))) ** (-1 / (self.index - 1))

    def log(self, x: Array, _snr: Array) -> Array:
        """ln[(index-1)/start (x/start)^-index]."""
        log: Array = np.log((self.index - 1) / self.start) - self.index * np.log(x / self.start)
        return log


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """Proportional to exp(-slope x) above start."""

    start: float
    slope: float

    def draw(self, rng: Rng, snr: Array) -> Array:
        """The start plus an exponential waiting time."""
        return self.start + rng.standard_exponential(len(snr)) / self.slope

    def log(self, x: Array, _snr: Array) -> Array:
        """ln slope - slope (x - start)."""
        log: Array = np.log(self.slope) - self.slope * (x - self.start)
        return log


@dataclass(frozen=True, kw_only=True)
class Uniform:
    """Constant between low and high."""

    low: float
    high: float

    def draw(self, rng: Rng, snr: Array) -> Array:
        """Uniform numbers."""
        return rng.uniform(self.low, self.high, len(snr))

    def log(self, x: Array, _snr: Array) -> Array:
        """-ln(high - low)."""
        return np.full(len(x), -np.log(self.high - self.low))


@recipe
class LogNormal:
    """A variable whose logarithm is normal: `width` is the standard deviation of ln x."""

    median: float
    width: float

    def __post_init__(self) -> None:
        for name, value in (("median", self.median), ("width", self.width)):
            if not 0 < value < np.inf:
                raise ValueError(f"{name} of a log-normal must be above 0, not {value}")

    def draw(self, rng: Rng, snr: Array) -> Array:
        """The median times the exponential of a normal number."""
        return self.median * np.exp(self.width * rng.standard_normal(len(snr)))

    def log(self, x: Array, _snr: Array) -> Array:
        """Normal in ln x, with the Jacobian 1/x."""
        z = np.log(x / self.median) / self.width
        log: Array = -0.5 * z**2 - np.log(np.sqrt(2 * np.pi) * self.width * x)
        return log


@dataclass(frozen=True, kw_only=True)
class Balanced:
    """The angle by which a signal's SNR is divided between two detectors: normal about pi/4, cut to (0, pi/2).

    Its width is the spread of the antenna responses and 1/snr, the unit noise of each SNR as an angle, in quadrature.
    """

    spread: float

    def draw(self, rng: Rng, snr: Array) -> Array:
        """By inversion of the truncated normal."""
        from scipy.special import ndtr, ndtri

        width = np.sqrt(self.spread**2 + snr**-2)
        inside = ndtr(np.pi / 4 / width) - 0.5
        x: Array = np.pi / 4 + width * ndtri(0.5 + (2 * rng.random(len(snr)) - 1) * inside)
        return x

    def log(self, x: Array, snr: Array) -> Array:
        """The normal density, divided by the probability inside the range."""
        from scipy.special import ndtr

        width = np.sqrt(self.spread**2 + snr**-2)
        inside = 2 * ndtr(np.pi / 4 / width) - 1
        log: Array = -0.5 * ((x - np.pi / 4) / width) ** 2 - np.log(np.sqrt(2 * np.pi) * width * inside)
        return log


@dataclass(frozen=True, kw_only=True)
class OneSided:
    """The same angle for a glitch, which is loud in one detector: proportional to |x - pi/4|^power in (0, pi/2)."""

    power: float

    def draw(self, rng: Rng, snr: Array) -> Array:
        """The distance from pi/4 by inversion, with a random sign."""
        u = 2 * rng.random(len(snr)) - 1
        return np.pi / 4 * (1 + np.sign(u) * np.abs(u) ** (1 / (self.power + 1)))

    def log(self, x: Array, _snr: Array) -> Array:
        """ln[(power+1)/(pi/2) |x/(pi/4) - 1|^power]."""
        from scipy.special import xlogy

        log: Array = np.log((self.power + 1) / (np.pi / 2)) + xlogy(self.power, np.abs(x / (np.pi / 4) - 1))
        return log


@dataclass(frozen=True, kw_only=True)
class ReducedChiSquared:
    """Chi-squared over its degrees of freedom, times 1 + (mismatch snr)^2 / degrees.

    The mean is that of a chi-squared test against a template that misses a fraction of the power
    (Allen, gr-qc/0405045): a small mismatch for a signal, a large one for a glitch, none for noise.
    """

    degrees: int
    mismatch: float

    def _scale(self, snr: Array) -> Array:
        return (1 + (self.mismatch * snr) ** 2 / self.degrees) / self.degrees

    def draw(self, rng: Rng, snr: Array) -> Array:
        """A scaled chi-squared number."""
        return self._scale(snr) * rng.chisquare(self.degrees, len(snr))

    def log(self, x: Array, snr: Array) -> Array:
        """The density of chi-squared at x/scale, over the scale."""
        from math import lgamma, log

        # ln of z^(k/2 - 1) e^(-z/2) / (2^(k/2) Gamma(k/2)) with k degrees of freedom.
        scale, half = self._scale(snr), self.degrees / 2
        z = x / scale
        return (half - 1) * np.log(z) - z / 2 - half * log(2) - lgamma(half) - np.log(scale)


@dataclass(frozen=True, kw_only=True)
class Smeared:
    """Uniform within +-half (the delay for an isotropic sky), plus a normal error that falls as 1/snr."""

    half: float
    error: float

    def draw(self, rng: Rng, snr: Array) -> Array:
        """A uniform number plus a normal one."""
        width = self.error * REFERENCE_SNR / snr
        return rng.uniform(-self.half, self.half, len(snr)) + width * rng.standard_normal(len(snr))

    def log(self, x: Array, snr: Array) -> Array:
        """ln of the difference of two normal distribution functions over 2 half; stable far outside as well."""
        from scipy.special import log_ndtr

        width = self.error * REFERENCE_SNR / snr
        # ln(Phi(a) - Phi(b)) = ln Phi(a) + ln(1 - Phi(b)/Phi(a)): far outside, Phi underflows and ln Phi does not.
        upper = log_ndtr((self.half - np.abs(x)) / width)
        lower = log_ndtr((-self.half - np.abs(x)) / width)
        log: Array = upper + np.log1p(-np.exp(lower - upper)) - np.log(2 * self.half)
        return log


@dataclass(frozen=True, kw_only=True)
class VonMises:
    """An angle in 0..2 pi about pi; its spread, and an error that falls as 1/snr, add in quadrature."""

    spread: float
    error: float

    def _concentration(self, snr: Array) -> Array:
        return 1 / (self.spread**2 + (self.error * REFERENCE_SNR / snr) ** 2)

    def draw(self, rng: Rng, snr: Array) -> Array:
        """Opposite phases, as two detectors with nearly opposite orientations measure them."""
        return np.pi + rng.vonmises(0.0, self._concentration(snr))

    def log(self, x: Array, snr: Array) -> Array:
        """kappa cos(x - pi) - ln[2 pi I0(kappa)], I0 scaled by exp(-kappa)."""
        from scipy.special import i0e

        kappa = self._concentration(snr)
        log: Array = kappa * (np.cos(x - np.pi) - 1) - np.log(2 * np.pi * i0e(kappa))
        return log
