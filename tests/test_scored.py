from __future__ import annotations

import numpy as np
import pytest

from hepclf.scored import Scored

PLAIN = {
    "labels": [0, 0, 1, 1, 1, 0],
    "weights": [1, 2, 3, 4, 5, 6.0],
    "scores": [0.1, 0.2, 0.7, 0.8, 0.9, 0.3],
    "split": [0, 1, 2, 0, 1, 2],
    "classes": ("background", "signal"),
    "processes": [0, 1, 2, 2, 2, 1],
    "process_names": ("qcd", "top", "higgs"),
}


def scored(**columns):
    return Scored(**(PLAIN | columns))


def test_a_split_keeps_its_events_and_the_totals_of_all():
    mass = np.arange(6) * 10.0
    test = scored(spectators={"mass": mass}).of("test")
    np.testing.assert_array_equal(test.labels, [1, 0])
    np.testing.assert_array_equal(test.weights, [3, 6])
    np.testing.assert_array_equal(test.scores, [0.7, 0.3])
    np.testing.assert_array_equal(test.processes, [2, 1])
    np.testing.assert_array_equal(test.spectators["mass"], [20, 50])
    np.testing.assert_array_equal(test.totals, [1, 8, 12])
    assert len(test) == 2


def test_weights_are_scaled_process_by_process():
    """By hand: top sums to 8 over all and to 6 on test, higgs to 12 and to 3; qcd has nothing on test."""
    of = scored(weights=[0, 2, 3, 4, 5, 6.0])
    np.testing.assert_allclose(of.scaled_weights("test"), [3 * 12 / 3, 6 * 8 / 6])
    np.testing.assert_allclose(of.scaled_weights("valid"), [2 * 8 / 2, 5 * 12 / 5])
    # A common factor would give 20/9 to both.
    assert of.scaled_weights("test").sum() == pytest.approx(20)


def test_every_split_stands_for_the_whole_sample():
    rng = np.random.default_rng(0)
    n = 3000
    labels = rng.integers(0, 2, n)
    of = scored(
        labels=labels,
        weights=rng.normal(0.8, 1, n),
        scores=rng.random(n),
        split=rng.integers(0, 3, n),
        processes=labels + rng.integers(0, 2, n),
    )
    for split in ("train", "valid", "test"):
        sums = np.bincount(of.of(split).processes, of.scaled_weights(split))
        np.testing.assert_allclose(sums, of.totals, rtol=1e-12)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, r"process 'qcd' has weights that sum to 1 over all events, but to 0 in the test split"),
        ({"weights": [0, 2, 3, 4, 5, -1.0]}, r"process 'top' .* sum to 1 over all events, but to -1 in the test"),
        (
            {"weights": [0, 0, 3, 4, 5, 0.0], "totals": [0, 7.0, 12]},
            r"process 'top' .* sum to 7 over all events, but to 0",
        ),
        (
            {"process_names": ("qcd", "top", "higgs", "w"), "weights": [0, 2, 3, 4, 5, 6.0], "totals": [0, 8, 12, 5.0]},
            r"process 'w' .* sum to 5 over all events, but to 0 in the test split",
        ),
    ],
)
def test_a_process_that_the_split_cannot_stand_for_is_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        scored(**columns).scaled_weights("test")


def test_joined_events_of_one_process_take_the_yield_of_the_others():
    first = scored(spectators={"mass": np.arange(6.0), "own": np.ones(6)})
    second = Scored(
        labels=[1, 0],
        weights=[0.5, 2.0],
        scores=[0.6, 0.4],
        split=[2, 2],
        classes=first.classes,
        processes=[1, 0],
        process_names=("w", "higgs"),
        spectators={"mass": np.array([7.0, 8.0])},
    )
    both = first.of("valid").joined(second)
    assert both.process_names == ("qcd", "top", "higgs", "w")
    np.testing.assert_array_equal(both.totals, [1, 8, 0.5, 2])
    np.testing.assert_array_equal(both.processes, [1, 2, 2, 3])
    np.testing.assert_array_equal(both.spectators["mass"], [1, 4, 7, 8])
    assert list(both.spectators) == ["mass"]
    with pytest.raises(ValueError, match=r"must have the classes \['background', 'signal'\], not \['b', 's'\]"):
        first.joined(scored(classes=("b", "s")))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"classes": ("signal",)}, r"two classes or more, not \['signal'\]"),
        ({"scores": np.zeros((6, 2))}, r"2 classes need scores of shape \(6,\), .* not \(6, 2\)"),
        ({"classes": ("a", "b", "c")}, r"3 classes need scores of shape \(6, 3\)"),
        ({"weights": [1.0]}, r"weights must be one value an event, shape \(6,\), not \(1,\)"),
        ({"spectators": {"mass": [1.0]}}, r"mass must be one value an event"),
        ({"scores": [0.1, np.nan, 0.7, np.inf, 0.9, 0.3]}, r"scores must be finite, and 2 of 6 are not"),
        ({"weights": [0, 0, 0, 0, 0, np.nan]}, r"weights must be finite, and 1 of 6 are not"),
        ({"scores": [0, 0, 0, 0, 0, 1.5]}, r"probabilities in 0\.\.1, not 0\.\.1\.5"),
        ({"scores": [0, 0, 0, 0, 0, -0.5]}, r"probabilities in 0\.\.1, not -0\.5\.\.0"),
        ({"labels": [0, 0, 1, 1, 1, 2]}, r"labels must lie in 0\.\.1 .*, not 0\.\.2"),
        ({"split": [0, 1, 2, 0, 1, 3]}, r"split must lie in 0\.\.2 .*, not 0\.\.3"),
        ({"processes": [0, 1, 2, 2, 2, -1]}, r"processes must lie in 0\.\.2 .*, not -1\.\.2"),
        ({"totals": [1.0]}, r"totals must be a finite number a process, shape \(3,\)"),
        ({"totals": [1.0, np.nan, 1.0]}, r"totals must be a finite number a process"),
    ],
)
def test_what_cannot_be_judged_is_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        scored(**columns)


def test_the_scores_of_an_event_sum_to_one():
    three = np.full((6, 3), 1 / 3)
    assert len(scored(scores=three, classes=("a", "b", "c"))) == 6
    three[2, 0] += 0.01
    with pytest.raises(ValueError, match=r"must sum to 1, and one event is off by 0\.01"):
        scored(scores=three, classes=("a", "b", "c"))


def test_an_unknown_split_is_named_with_the_nearest():
    for act in (scored().of, scored().scaled_weights):
        with pytest.raises(ValueError, match="split 'vaild' is unknown; nearest: 'valid'"):
            act("vaild")


def test_columns_cannot_be_written_to():
    of = scored(spectators={"mass": np.zeros(6)})
    for column in (of.labels, of.weights, of.scores, of.totals, of.spectators["mass"]):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_its_repr_counts_the_splits():
    assert repr(scored()) == "Scored: 6 events (train 2, valid 2, test 2), classes background, signal"
