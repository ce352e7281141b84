from __future__ import annotations

import numpy as np
import pytest

from hepclf.presentation.plots.search.table import scatter


def test_an_axis_ends_at_the_last_trial_that_is_near_enough(goal):
    low, high = goal([0.40, 0.41, 0.42, 0.43, 9.0]).limits
    assert low < 0.40
    assert 0.43 < high < 0.44
    assert goal([0.40, 0.41, 0.42, 0.43, 9.0]).is_beyond.tolist() == [False] * 4 + [True]
    low, high = goal([0.9, 0.8, 0.7, -5.0], maximised=True).limits
    assert low < 0.7 < 0.9 < high
    assert low > 0.6


def test_an_axis_without_a_tail_holds_all_trials(goal):
    column = goal([0.5, 0.6, 0.7, 0.8])
    assert not column.is_beyond.any()
    assert np.array_equal(column.clipped, column.values)


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5], [np.nan, 0.5], [np.nan], []])
def test_an_axis_has_a_width_whatever_the_trials(goal, values):
    low, high = goal(values).limits
    assert low < high


@pytest.mark.parametrize(("maximised", "best"), [(False, 2), (True, 1)])
def test_the_best_is_the_least_or_the_greatest(goal, maximised, best):
    assert goal([0.5, 0.9, 0.1, np.nan], maximised=maximised).best == best
    assert goal([np.nan, np.nan], maximised=maximised).best is None


def test_settings_stand_in_the_order_of_their_importance(table):
    trials = table()
    assert [setting.name for setting in trials.ranked(trials.goals[0])] == ["model", "rate", "depth"]
    unknown = table(importance=False)
    assert [setting.name for setting in unknown.ranked(unknown.goals[0])] == ["rate", "model", "depth"]


def test_points_of_an_option_are_apart_and_always_at_the_same_place():
    offsets = scatter(50, 0.5)
    assert offsets[0] == 0
    assert np.abs(offsets).max() <= 0.25
    assert np.diff(np.sort(offsets)).min() > 0.002
    assert np.array_equal(offsets, scatter(50, 0.5))
