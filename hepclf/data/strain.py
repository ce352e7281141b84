"""Strain: noise of a gravitational-wave detector, with or without a chirp of known shape, and the exact optimum."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from hepclf.data.loader import Outline
from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events
from hepclf.recipe import recipe

CLASSES = ("noise", "signal")
SPECTATORS = ("llr", "matched_filter", "snr", "arrival", "live_time_s")
Array = NDArray[np.float64]


@recipe
class Strain:
    """Segments of Gaussian noise, half of which hold a chirp of known shape.

    The features are the samples, strain_0, strain_1..., or the matched filter. The chirp is that of an inspiral to
    lowest order: its frequency grows as (t_c - t)^(-3/8) and its amplitude as (t_c - t)^(-1/4). SNR is the optimal
    signal-to-noise ratio, sqrt(<h, h>), with the product that weights frequencies by the noise.

    segments     number of segments
    samples      of a segment, at rate_hz
    chirp        samples of the chirp
    frequencies  of the chirp at its start and end, in Hz
    snr          SNRs of the signals, each as frequent as the others
    arrival      known: the chirp is in the middle; uniform: it begins anywhere where it fits
    slope        of the noise's amplitude spectrum, f^-slope; 0: white noise
    low_hz       frequency below which that spectrum is flat

    Spectators: `llr` is the exact ln p(x|signal)/p(x|noise), averaged over what is unknown, which no classifier can
    beat; `matched_filter` the largest SNR in the data over all arrivals; `snr` and `arrival` (its first sample) those
    of the signal, 0 and -1 without one; `live_time_s` the duration of all segments of noise.
    With one SNR and a known arrival, the best AUC is Phi(snr / sqrt 2).
    """

    segments: int = 20_000
    samples: int = 256
    rate_hz: float = 256.0
    chirp: int = 64
    frequencies: tuple[float, float] = (16.0, 64.0)
    snr: tuple[float, ...] = (4.0,)
    arrival: Literal["known", "uniform"] = "uniform"
    slope: float = 0.0
    low_hz: float = 8.0
    features: Literal["samples", "matched_filter"] = "samples"
    seed: int = 0
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        if self.segments < 2 or self.seed < 0:
            raise ValueError(f"segments must be at least 2 and seed at least 0, not {self.segments} and {self.seed}")
        if not 4 <= self.chirp <= self.samples:
            raise ValueError(f"chirp must be 4 to samples={self.samples}, not {self.chirp}")
        low, high = self.frequencies
        if not 0 < low < high <= self.rate_hz / 2 < np.inf:
            raise ValueError(f"frequencies must rise, above 0 and at most rate_hz / 2, not be {[low, high]}")
        if not self.snr or not 0 < min(self.snr) <= max(self.snr) < np.inf:
            raise ValueError(f"snr must be one number above 0 or more, not {list(self.snr)}")
        if not (0 <= self.slope <= 4 and 0 < self.low_hz < np.inf):
            raise ValueError(f"slope must be 0..4 and low_hz above 0, not {self.slope:g} and {self.low_hz:g}")

    @property
    def _names(self) -> tuple[str, ...]:
        if self.features == "matched_filter":
            return ("matched_filter",)
        return tuple(f"strain_{i}" for i in range(self.samples))

    def outline(self) -> Outline:
        """Everything is known in advance."""
        return Outline(CLASSES, CLASSES, self._names, SPECTATORS)

    @property
    def arrivals(self) -> NDArray[np.int64]:
        """The samples at which the chirp may begin."""
        last = self.samples - self.chirp
        return np.array([last // 2]) if self.arrival == "known" else np.arange(last + 1)

    @property
    def colour(self) -> Array:
        """The amplitude of the noise at each frequency of the discrete Fourier transform, 1 for white noise."""
        frequencies = np.fft.rfftfreq(self.samples, 1 / self.rate_hz)
        spectrum: Array = np.maximum(frequencies, self.low_hz) ** -self.slope
        amplitude: Array = spectrum / np.sqrt(np.mean(spectrum**2))
        return amplitude

    def template(self) -> Array:
        """The chirp that begins at sample 0, whitened, with SNR 1."""
        times = np.arange(self.chirp) / self.rate_hz
        low, high = self.frequencies
        merger = times[-1] / (1 - (low / high) ** (8 / 3))
        left = 1 - times / merger  # the share of the time to the merger that is left
        phase = 2 * np.pi * low * merger * 8 / 5 * (1 - left ** (5 / 8))
        shape = np.zeros(self.samples)
        shape[: self.chirp] = left**-0.25 * np.sin(phase)
        white: Array = np.fft.irfft(np.fft.rfft(shape) / self.colour, self.samples)
        return white / np.linalg.norm(white)

    def load(self) -> Events:
        """Segments in random order; the same seed gives the same segments."""
        rng = np.random.default_rng(self.seed)
        labels = rng.permutation(np.arange(self.segments) % 2)
        snr = labels * rng.choice(np.array(self.snr), self.segments)
        arrival = rng.choice(self.arrivals, self.segments)
        template = self.template()
        white = rng.standard_normal((self.segments, self.samples))
        white += snr[:, None] * template[(np.arange(self.samples) - arrival[:, None]) % self.samples]
        filtered = matched(white, template)[:, self.arrivals]
        features = np.fft.irfft(np.fft.rfft(white) * self.colour, self.samples)
        if self.features == "matched_filter":
            features = filtered.max(axis=1, keepdims=True)
        live_time_s = np.count_nonzero(labels == 0) * self.samples / self.rate_hz
        return Events(
            features=features.astype(np.float32),
            labels=labels,
            names=self._names,
            classes=CLASSES,
            spectators={
                "llr": self.llr(filtered),
                "matched_filter": filtered.max(axis=1),
                "snr": snr,
                "arrival": np.where(labels == 1, arrival, -1),
                "live_time_s": np.broadcast_to(np.float64(live_time_s), (self.segments,)),
            },
        )

    def llr(self, filtered: Array) -> Array:
        """ln p(x|signal)/p(x|noise) from the matched filter at each arrival [n, arrivals].

        At a given SNR rho and arrival it is rho (filter) - rho^2 / 2; all of them are equally likely.
        """
        terms = [logsumexp(rho * filtered, axis=1) - rho**2 / 2 for rho in self.snr]
        log_mean: Array = logsumexp(terms, axis=0) - np.log(len(self.snr) * filtered.shape[1])
        return log_mean


def matched(white: Array, template: Array) -> Array:
    """The product of whitened segments [n, samples] with the template that begins at each sample."""
    spectrum: NDArray[Any] = np.fft.rfft(white) * np.conj(np.fft.rfft(template))
    products: Array = np.fft.irfft(spectrum, white.shape[1])
    return products
