"""The optimism of simulated studies, whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.search.optimism import optimism


def simulated(truth, repeats, rng, spread=1.0):
    """Objectives [t, r] of trials with these true ones: noise of unit size beside a shift that all share."""
    noise = rng.normal(size=(len(truth), repeats))
    return truth[:, None] + spread * rng.normal(size=repeats) + noise


TRUTHS = {
    "equal": lambda trials, _: np.zeros(trials),
    "equal but for poor corners": lambda trials, rng: np.where(
        (np.arange(trials) > 0) & (rng.random(trials) < 0.3), -rng.exponential(10, trials), 0.0
    ),
}


@pytest.mark.parametrize(
    ("trials", "repeats", "studies"),
    [
        (12, 3, 100),
        *(pytest.param(*sizes, 400, marks=pytest.mark.slow) for sizes in ((5, 2), (5, 3), (20, 3), (60, 2))),
    ],
)
@pytest.mark.parametrize("name", TRUTHS)
def test_where_nothing_is_better_than_the_defaults_hardly_any_study_claims_it(name, trials, repeats, studies):
    rng, claims = np.random.default_rng(3), 0
    for _ in range(studies):
        rows = simulated(TRUTHS[name](trials, rng), repeats, rng)
        claims += optimism(rows, maximised=True, default=0).improves
    assert claims / studies <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / studies)


@pytest.mark.parametrize(("trials", "studies"), [(20, 60), pytest.param(60, 300, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "truth",
    [
        lambda trials, _: np.zeros(trials),
        lambda trials, rng: rng.normal(0, 0.5, trials),
        lambda trials, rng: rng.normal(0, 2, trials),
        lambda trials, rng: -(rng.uniform(-2, 2, (trials, 3)) ** 2).sum(axis=1),
        lambda trials, rng: -rng.exponential(2, trials),
    ],
    ids=["equal", "close", "far apart", "a maximum", "a long tail"],
)
def test_the_optimism_is_on_average_what_the_best_looks_too_good_by(truth, trials, studies):
    rng, estimates, true = np.random.default_rng(4), [], []
    for _ in range(studies):
        values = truth(trials, rng)
        rows = simulated(values, 3, rng, spread=0.0)
        best = int(np.argmax(rows.mean(axis=1)))
        estimates.append(optimism(rows, maximised=True).optimism)
        true.append(rows.mean(axis=1)[best] - values[best])
    assert np.mean(estimates) == pytest.approx(np.mean(true), rel=0.35, abs=0.05)


def test_a_large_gain_is_claimed_and_is_close_to_the_truth():
    truth = np.zeros(40)
    truth[7] = 6.0
    judged = optimism(simulated(truth, 3, np.random.default_rng(0)), maximised=True, default=0)
    assert judged.improves
    assert judged.gain == pytest.approx(6.0, abs=3 * judged.gain_error)
    assert judged.noise == pytest.approx(1 / np.sqrt(3), rel=0.3)


def test_what_is_minimised_is_the_mirror_image():
    rows = simulated(np.linspace(0, 2, 12), 3, np.random.default_rng(5))
    more, less = optimism(rows, maximised=True, default=3), optimism(-rows, maximised=False, default=3)
    assert less.best == pytest.approx(-more.best)
    assert (less.optimism, less.gain, less.improves) == pytest.approx((more.optimism, more.gain, more.improves))


def test_a_shift_that_all_trials_share_is_no_noise():
    rows = simulated(np.linspace(0, 2, 12), 3, np.random.default_rng(5))
    shifted = optimism(rows + np.array([0.0, 50.0, -9.0]), maximised=True)
    judged = optimism(rows, maximised=True)
    assert shifted.noise == pytest.approx(judged.noise)
    assert shifted.error > 10 * judged.error


def test_one_repeat_or_one_trial_tells_no_noise():
    assert optimism(np.zeros((20, 1)), maximised=True) is None
    assert optimism(np.zeros((1, 3)), maximised=True) is None


def test_repeats_without_any_noise_are_taken_at_their_word():
    judged = optimism(np.array([[0.5, 0.5], [0.7, 0.7], [0.6, 0.6]]), maximised=True, default=0)
    assert (judged.noise, judged.optimism, judged.improves) == (0.0, 0.0, True)
    assert judged.gain == pytest.approx(0.2)
    same = optimism(np.full((4, 3), 0.1), maximised=False, default=2)
    assert (same.gain, same.improves) == (0.0, False)
