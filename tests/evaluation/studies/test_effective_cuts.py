from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepclf.evaluation.studies.effective_cuts import EffectiveCuts
from hepclf.statistics.quantile import quantile


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.sampled_from([0.05, 0.5, 0.95]))
@settings(max_examples=100, deadline=None)
def test_a_quantile_without_weights_is_numpys_inverted_distribution(values, share):
    found = quantile(np.sort(values).astype(float), np.ones(len(values)), share)
    assert found.value == np.quantile(values, share, method="inverted_cdf")


def test_a_quantile_counts_weights_and_knows_its_error():
    values, weights = np.array([1.0, 2, 3]), np.array([5.0, 2, 1])
    assert quantile(values, weights, 0.5).value == 1
    assert quantile(values, weights, 0.7).value == 2
    assert quantile(values, np.array([-3.0, 1, 1]), 0.5) == (None, None)
    rng = np.random.default_rng(0)
    found = np.array([quantile(np.sort(rng.normal(size=1000)), rng.lognormal(0, 0.5, 1000), 0.95) for _ in range(200)])
    # The spread of 200 is known to 5 %.
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(ddof=1), rel=0.2)


@pytest.fixture
def passed(case):
    """A function judging scores that are a cut at x > 1, on uniform x and y in 0..2."""

    def judge(n=4000, weights=None, **settings):
        rng = np.random.default_rng(1)
        labels = np.arange(n) % 2
        x = np.stack([rng.uniform(0, 2, n), rng.uniform(0, 2, n), np.full(n, 3.0)], axis=1)
        made = case(labels, np.where(x[:, 0] > 1, 0.8, 0.2), x, ("x", "y", "constant"), weights)
        return EffectiveCuts(**settings).study(made)

    return judge


@pytest.mark.parametrize("weights", [None, lambda rng, n: np.where(rng.random(n) < 0.1, -1.0, 1.0)])
def test_a_cut_on_a_feature_is_found(passed, weights):
    found = passed(weights=weights)
    assert found.ranked == ["x", "y"]
    x, y = found.features["x"], found.features["y"]
    for kind in (0, 1):
        assert x.before[kind].low.value == pytest.approx(0.1, abs=0.05)
        assert x.after[kind].low.value == pytest.approx(1.05, abs=0.05)
        assert y.after[kind].low.value == pytest.approx(0.1, abs=0.05)
        # What is kept is what is above one, and nothing else.
        middle = (x.edges[1:] + x.edges[:-1]) / 2
        inside = np.abs(middle - 1) > 0.1
        kept = (x.shapes_after[kind].sums / x.shapes_before[kind].sums)[inside]
        assert kept == pytest.approx((middle > 1)[inside].astype(float), abs=1e-12)
    assert x.divergence.bits.value == pytest.approx(1, abs=0.01)
    assert abs(y.divergence.bits.value) < 4 * y.divergence.bits.error


def test_words_name_the_sharpest_cut(passed):
    found = passed()
    assert found.sentences[0].startswith("The background changes most in x: its central 90 % is 0.")
    assert found.sentences[0].endswith(" after the cut (score ≥ 0.5000).")
    (table,) = found.tables
    assert table.rows[0][0] == "x"
    assert max(len(" ".join(row)) for row in table.rows) < 80
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["features"]["x"]["evidence"]["answer"] == "clear"
    assert plain["features"]["y"]["evidence"] == {"answer": "none", "p": found.evidence["y"].p, "tests": 2}
    assert plain["features"]["x"]["background_after"]["q05"]["value"] == pytest.approx(1.05, abs=0.05)


def test_some_of_many_events_say_the_same(passed):
    some, every = passed(events=1000), passed()
    assert some.events == 1000
    assert some.features["x"].before[0].high.value == pytest.approx(every.features["x"].before[0].high.value, abs=0.05)


def test_a_gap_is_in_no_range(case):
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 2, (2000, 1))
    x[::5] = np.nan
    found = EffectiveCuts().study(case(np.arange(2000) % 2, np.full(2000, 0.7), x, ("x",)))
    assert found.features["x"].before[0].high.value == pytest.approx(1.9, abs=0.05)
    # All is kept: there is nothing that was removed to compare it with.
    assert "an effective count of 0 " in found.features["x"].divergence.reason


@pytest.mark.parametrize(("passing", "is_ranked"), [(29, False), (31, True)])
def test_few_events_are_compared_in_fewer_bins_and_fewer_still_are_not_ranked(case, passing, is_ranked):
    y = np.arange(400.0)
    scores = np.where(y < 2 * passing, 0.8, 0.2)
    found = EffectiveCuts().study(case(np.arange(400) % 2, scores, np.stack([-y % 7, y], axis=1), ("week", "y")))
    assert found.is_ranked is is_ranked
    if is_ranked:
        assert found.ranked == ["y", "week"]
        assert "changes most in y: its central 90 % is" in found.sentences[0]
    else:
        assert found.ranked == ["week", "y"]
        assert found.sentences == (
            "Effective cuts: the features are not ranked, since too few background events are on one side of the cut "
            "(29 effective; 30 are needed).",
        )


def test_stored_scores_hold_no_features(case):
    assert EffectiveCuts().study(case(np.array([0, 1]), np.array([0.2, 0.7]))) is None
    with pytest.raises(ValueError, match="events must be at least 2"):
        EffectiveCuts(events=1)


def test_a_score_without_a_feature_shows_no_sign(case):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    found = EffectiveCuts().study(case(np.arange(4000) % 2, rng.random(4000), x, ("x", "y")))
    assert {evidence.answer for evidence in found.evidence.values()} == {"none"}
    assert found.sentences[0].startswith("No sign that score ≥ 0.5000 changes the background in a feature (p = ")
    assert "corrected for 2 tests); the largest change is in" in found.sentences[0]


def test_whole_numbers_lie_in_the_middle_of_their_bins(case):
    labels = np.arange(3000) % 2
    jets = np.arange(3000) // 2 % 6
    scored = case(labels, np.where(jets > 2, 0.8, 0.2), np.stack([jets, 1000.0 * jets], axis=1), ("jets", "thousands"))
    features = EffectiveCuts().study(scored).features
    np.testing.assert_array_equal(features["jets"].edges, np.arange(7) - 0.5)
    np.testing.assert_array_equal(features["jets"].shapes_before[0].sums, np.full(6, 250))
    steps = np.diff(features["thousands"].edges)
    assert (steps == 167).all()
    assert len(steps) <= 30
