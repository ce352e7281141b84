from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.statistics.curves.chosen import Wish, check_shares, chosen_cut, granted_cuts, wishes
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import curve


def of(labels, scores, weights):
    return curve(Ranking(np.asarray(scores, dtype=float)), np.asarray(labels) == 1, np.asarray(weights, dtype=float))


def kept(labels, scores, weights, cut, label):
    own = labels == label
    return weights[own & (scores >= cut)].sum() / weights[own].sum()


@pytest.mark.parametrize("target", [0.001, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("ties", [None, 15])
def test_a_cut_keeps_the_signal_at_least_and_the_background_at_most(drawn, target, ties):
    labels, scores, weights = drawn(2000, seed=1, ties=ties)
    curves = of(labels, scores, weights)
    below = np.append(-np.inf, np.unique(scores))
    cut = chosen_cut(Wish("signal_efficiency", target), curves, "")
    assert kept(labels, scores, weights, cut, 1) >= target - 1e-12
    above = below[np.searchsorted(below, cut) + 1 :]
    assert not len(above) or kept(labels, scores, weights, above[0], 1) < target
    cut = chosen_cut(Wish("background_efficiency", target), curves, "")
    if isinstance(cut, str):
        assert cut == f"{100 * target:g} % of background is less than one event there"
        return
    assert kept(labels, scores, weights, cut, 0) <= target + 1e-12
    lower = below[np.searchsorted(below, cut) - 1]
    assert kept(labels, scores, weights, lower, 0) > target or lower == -np.inf


def test_a_number_of_background_events_is_one_of_expected_yields(drawn):
    labels, scores, weights = drawn(2000, seed=2, weights="unit")
    expected = of(labels, scores, 3 * weights)
    cut = chosen_cut(Wish("background", 30.0), of(labels, scores, weights), expected)
    assert (scores[labels == 0] >= cut).sum() == 10
    assert chosen_cut(Wish("background", 2.9), expected, expected) == "too few background events in the validation set"
    assert chosen_cut(Wish("background", 30.0), expected, "no yields") == "no yields"


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(-2, 4)), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_looser_cut_grants_the_wish_whatever_the_weights(events):
    labels, scores, weights = (np.array(column, dtype=float) for column in zip(*events, strict=True))
    curves = of(labels, scores, weights)
    cut = chosen_cut(Wish("background", 3.0), curves, curves)
    down_to = [weights[(labels == 0) & (scores >= score)].sum() for score in np.unique(scores)[::-1]]
    good = np.cumprod(np.array(down_to) <= 3.0).sum()  # how many thresholds from the top
    if isinstance(cut, str):
        assert not good or max(down_to[:good]) <= 0
    else:
        lowest = np.unique(scores)[::-1][good - 1]
        assert cut == scores[(weights != 0) & (scores >= lowest)].min()  # an event of weight zero sets no cut


def test_a_class_without_weight_has_no_efficiencies(drawn):
    labels, scores, weights = drawn(50)
    nothing = of(labels, scores, np.where(labels == 0, 0.0, weights))
    assert (
        chosen_cut(Wish("signal_efficiency", 0.5), nothing, "")
        == "a class has no positive sum of weights in the validation set"
    )


def test_a_first_step_that_keeps_too_much_is_no_lack_of_events():
    many = of(np.arange(1000) % 2, np.where(np.arange(1000) < 300, 1.0, 0.5), np.ones(1000))
    said = "even the highest score in the validation set keeps more"
    assert chosen_cut(Wish("background_efficiency", 0.1), many, "") == said
    few = of([1, 0, 0], [0.9, 0.8, 0.1], np.ones(3))
    assert chosen_cut(Wish("background_efficiency", 0.1), few, "") == "too few background events in the validation set"


def test_what_can_be_granted_is_parted_from_what_cannot(drawn):
    asked = wishes(signal_efficiency=(0.5,), background=(1.0,))
    cuts, refused = granted_cuts(asked, of(*drawn(100)), "the yields are unknown")
    assert list(cuts) == [Wish("signal_efficiency", 0.5)]
    assert refused == {Wish("background", 1.0): "the yields are unknown"}
    assert [str(wish) for wish in asked] == ["50 % of signal", "B = 1"]


def test_efficiencies_that_no_cut_has_are_refused():
    check_shares(signal_efficiencies=None, background_efficiencies=(0.1, 1.0))
    with pytest.raises(ValueError, match="background_efficiencies must lie above 0 and up to 1, not 0"):
        check_shares(background_efficiencies=(0.1, 0.0))
