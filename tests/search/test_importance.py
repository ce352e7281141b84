"""The importance of settings whose influence is known."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.search.importance import MIN_TRIALS, forest_importance, trial_ranks
from hepclf.search.space import Choice, Float, Integer, Space
from hepclf.search.trial import Trial

SPACE = Space(
    (
        Choice(name="model", options=("a", "b")),
        Float(name="rate", low=1e-4, high=1.0, log=True),
        Float(name="noise", low=0.0, high=1.0),
        Integer(name="depth", low=1, high=9, where={"model": ("b",)}),
    )
)


def made(count, loss, seed=0, pruned=False):
    """Trials at random points with this loss; if asked, those with a loss above 0.5 are pruned."""
    rng = np.random.default_rng(seed)
    trials = []
    for i in range(count):
        values = {"model": "ab"[rng.integers(2)], "rate": float(10 ** rng.uniform(-4, 0)), "noise": float(rng.random())}
        if values["model"] == "b":
            values["depth"] = int(rng.integers(1, 10))
        trials.append(Trial(number=i, values=values, state="complete", objectives=(float(loss(values)),)))
    if not pruned:
        return trials
    middle = 0.5
    poor = [trial.objectives[0] > middle for trial in trials]
    cut = [Trial(number=trial.number, values=trial.values, state="pruned") for trial in trials]
    return [short if flag else trial for trial, short, flag in zip(trials, cut, poor, strict=True)]


def rate_alone(values):
    return (np.log10(values["rate"]) + 2) ** 2


# Which end of the ranks is good decides nothing about the importance, so one of both is enough here.
@pytest.mark.parametrize("maximised", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_one_setting_that_decides_has_all_the_importance(maximised):
    sign = -1 if maximised else 1
    judged = forest_importance(SPACE, made(80, lambda values: sign * rate_alone(values)), 0, maximised=maximised)
    assert judged.settings["rate"].value > 0.5
    assert judged.settings["rate"].value > 3 * judged.settings["rate"].error
    assert all(abs(judged.settings[name].value) < 0.03 for name in ("model", "noise", "depth"))
    assert judged.explained > 0.7


def test_a_conditional_setting_matters_where_it_is_there():
    judged = forest_importance(SPACE, made(120, lambda values: 5 - values.get("depth", 5)), 0, maximised=False)
    ordered = sorted(judged.settings, key=lambda name: -judged.settings[name].value)
    assert ordered[0] == "depth"
    assert judged.settings["depth"].value > 3 * judged.settings["depth"].error
    assert abs(judged.settings["noise"].value) < 0.03


@pytest.mark.parametrize(("count", "expected"), [(1, 1), pytest.param(3, 1, marks=pytest.mark.slow)])
def test_of_pure_noise_nothing_is_explained(count, expected):
    significant = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        judged = forest_importance(SPACE, made(60, lambda _, rng=rng: rng.normal(), seed), 0, maximised=False)
        assert judged.explained < 0.1
        significant += sum(value > 2 * error for value, error in judged.settings.values())
    assert significant <= expected, f"of {4 * count}"


def test_pruned_trials_count_as_poor():
    trials = made(60, lambda values: (values["model"] == "b") + 1e-3 * values["noise"], pruned=True)
    assert {trial.values["model"] for trial in trials if trial.state == "complete"} == {"a"}, "else nothing is tested"
    judged = forest_importance(SPACE, trials, 0, maximised=False)
    assert judged.settings["model"].value > 3 * judged.settings["model"].error


@pytest.mark.parametrize(
    ("maximised", "ranks"), [(False, [0.4, 0.2, 0.9, 0.6, 0.9]), (True, [0.4, 0.6, 0.9, 0.2, 0.9])]
)
def test_the_best_trial_has_the_first_rank_and_pruned_ones_share_the_last(maximised, ranks):
    objectives = [(0.5,), (0.1,), (), (0.7,), ()]
    trials = [Trial(number=i, objectives=row) for i, row in enumerate(objectives)]
    assert trial_ranks(trials, 0, maximised=maximised) == pytest.approx(ranks)


def test_too_few_trials_or_equal_ones_have_no_importance():
    assert forest_importance(SPACE, made(MIN_TRIALS - 1, rate_alone), 0, maximised=False) is None
    assert forest_importance(SPACE, made(MIN_TRIALS, lambda _: 0.5), 0, maximised=False) is None
    assert forest_importance(SPACE, made(MIN_TRIALS, rate_alone), 0, maximised=False) is not None
