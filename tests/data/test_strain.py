"""A chirp in noise: the exact likelihood ratio, its known AUC, and what colour and arrival change."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from hepclf.data.strain import Strain, matched

SMALL = {"samples": 64, "chirp": 32, "rate_hz": 64.0, "frequencies": (4.0, 16.0)}


def load(**settings):
    return Strain(**{**SMALL, "segments": 20_000, **settings}).load()


@pytest.mark.parametrize(("snr", "slope"), [(1.0, 0.0), (2.5, 1.5)])
def test_with_a_known_arrival_the_best_auc_is_a_formula(snr, slope):
    events = load(snr=(snr,), arrival="known", slope=slope, low_hz=2.0)
    exact = norm.cdf(snr / np.sqrt(2))
    for name in ("llr", "matched_filter"):
        assert roc_auc_score(events.labels, events.spectators[name]) == pytest.approx(exact, abs=0.012)
    noise = events.spectators["matched_filter"][events.labels == 0]
    assert (noise.mean(), noise.std()) == pytest.approx((0, 1), abs=0.03)
    assert events.spectators["matched_filter"][events.labels == 1].mean() == pytest.approx(snr, abs=0.03)


@pytest.mark.parametrize("settings", [{}, {"slope": 1.0, "low_hz": 4.0}, {"snr": (1.0, 3.0)}, {"arrival": "known"}])
def test_the_llr_turns_noise_into_signal_and_back(settings):
    """E_noise[f(r) r] = E_signal[f(r)] for every f: here sqrt(1/r), 1/(1+r) and r in a band."""
    events = load(**{"snr": (2.0,), "seed": 1, **settings})
    llr = events.spectators["llr"]
    noise, signal = llr[events.labels == 0], llr[events.labels == 1]
    for on_noise, on_signal in (
        (np.exp(noise / 2), np.exp(-signal / 2)),
        (expit(noise), expit(-signal)),
        (np.where(np.abs(noise) < 2, np.exp(noise), 0), np.abs(signal) < 2),
    ):
        error = np.hypot(on_noise.std() / np.sqrt(len(noise)), on_signal.std() / np.sqrt(len(signal)))
        assert abs(on_noise.mean() - on_signal.mean()) < 4 * error


def test_the_llr_is_that_of_the_density_of_the_features():
    """From the features alone: a Gaussian density with the covariance that the colour says."""
    data = Strain(**SMALL, segments=50, snr=(3.0,), arrival="known", slope=1.0, low_hz=4.0)
    events = data.load()
    white = np.fft.irfft(np.fft.rfft(events.features.astype(float)) / data.colour, 64)
    signal = 3.0 * np.roll(data.template(), int(data.arrivals[0]))
    log_ratio = norm.logpdf(white - signal).sum(axis=1) - norm.logpdf(white).sum(axis=1)
    assert events.spectators["llr"] == pytest.approx(log_ratio, abs=1e-3)


def test_the_filter_alone_may_be_the_feature():
    events = load(features="matched_filter")
    assert events.names == Strain(features="matched_filter").outline().features == ("matched_filter",)
    assert events.features[:, 0] == pytest.approx(events.spectators["matched_filter"], abs=1e-5)


def test_the_largest_filter_is_close_to_the_optimum_but_below():
    events = load(snr=(3.0,))
    areas = {name: roc_auc_score(events.labels, events.spectators[name]) for name in ("llr", "matched_filter")}
    assert 0 < areas["llr"] - areas["matched_filter"] < 0.02


def test_coloured_noise_has_its_spectrum_and_unit_variance():
    data = Strain(**SMALL, segments=4000, slope=1.0, low_hz=4.0)
    events = data.load()
    noise = events.features[events.labels == 0]
    power = np.mean(np.abs(np.fft.rfft(noise)) ** 2, axis=0) / 64
    assert power == pytest.approx(data.colour**2, rel=0.15)
    assert noise.std() == pytest.approx(np.sqrt(np.mean(np.abs(np.fft.fft(noise)) ** 2) / 64), rel=1e-3)
    assert np.ptp(Strain(slope=0.0).colour) == 0


def test_the_chirp_has_its_frequencies_and_fits():
    data = Strain(chirp=128)
    template = data.template()
    assert np.linalg.norm(template) == pytest.approx(1)
    assert (template[128:] ** 2).max() < 1e-20
    crossings = np.flatnonzero(np.diff(np.sign(template[1:128])))
    periods = 2 * np.diff(crossings) / data.rate_hz
    assert 1 / periods[0] == pytest.approx(16, rel=0.15)
    assert 1 / periods[-1] == pytest.approx(64, rel=0.35)
    assert (data.arrivals.min(), data.arrivals.max()) == (0, 128)
    assert Strain(chirp=128, arrival="known").arrivals.tolist() == [64]


def test_the_filter_is_the_product_with_each_shift():
    rng = np.random.default_rng(0)
    segments, template = rng.normal(size=(3, 8)), rng.normal(size=8)
    expected = [[segment @ np.roll(template, shift) for shift in range(8)] for segment in segments]
    assert matched(segments, template) == pytest.approx(np.array(expected))


def test_segments_are_seeded_and_their_spectators_describe_them():
    data = Strain(**SMALL, segments=101, snr=(2.0, 5.0))
    events = data.load()
    assert events.check() is events
    assert (data.load().features == events.features).all()
    assert set(events.spectators["snr"][events.labels == 1]) == {2.0, 5.0}
    assert set(events.spectators["snr"][events.labels == 0]) == {0.0}
    assert (events.spectators["arrival"] == -1).tolist() == (events.labels == 0).tolist()
    assert events.spectators["live_time_s"][0] == (events.labels == 0).sum()  # segments of a second
    outline = data.outline()
    assert (outline.features, outline.spectators) == (events.names, tuple(events.spectators))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"segments": 1}, "segments must be at least 2"),
        ({"chirp": 257}, "chirp must be 4 to samples=256, not 257"),
        ({"frequencies": (16.0, 200.0)}, "frequencies must rise, above 0 and at most rate_hz / 2"),
        ({"snr": ()}, "snr must be one number above 0 or more"),
        ({"slope": -1.0}, "slope must be 0..4"),
    ],
)
def test_what_cannot_be_generated_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Strain(**settings)
