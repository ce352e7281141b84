from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepclf.training.weights import training_weights

LABELS = np.array([0, 0, 0, 1])
WEIGHTS = np.array([1.0, 2.0, 3.0, 0.5])
CLASSES = ("background", "signal")


def test_balanced_classes_sum_to_the_same_with_mean_one():
    made = training_weights(LABELS, WEIGHTS, CLASSES, "classes")
    assert made[LABELS == 0].sum() == pytest.approx(made[LABELS == 1].sum())
    assert made.mean() == pytest.approx(1)
    assert made[1] / made[0] == pytest.approx(2)


def test_mean_keeps_the_proportions_and_none_keeps_everything():
    made = training_weights(LABELS, WEIGHTS, CLASSES, "mean")
    assert made.mean() == pytest.approx(1)
    assert (made / WEIGHTS == pytest.approx(made[0] / WEIGHTS[0])) is True
    assert training_weights(LABELS, WEIGHTS, CLASSES, "none") is WEIGHTS


def test_negative_weights_are_refused_with_their_fraction_unless_a_rule_is_chosen():
    signed = np.array([1.0, -2.0, 3.0, 0.5])
    with pytest.raises(ValueError, match=r"25 % of the training events have a negative weight .*negative_weights=zero"):
        training_weights(LABELS, signed, CLASSES, "none")
    assert training_weights(LABELS, signed, CLASSES, "none", "zero").tolist() == [1, 0, 3, 0.5]
    assert training_weights(LABELS, signed, CLASSES, "none", "abs").tolist() == [1, 2, 3, 0.5]
    assert training_weights(LABELS, signed, CLASSES, "none", "keep").tolist() == [1, -2, 3, 0.5]


def test_the_refusal_gives_the_fraction_of_events_and_that_of_the_weights_of_each_class():
    labels, signed = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([6.0, -3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    told = r"12\.5 % of the training events have a negative weight \(25 % of background, as fractions of the sum"
    with pytest.raises(ValueError, match=told):
        training_weights(labels, signed, CLASSES)
    signed[-1] = -2.0
    with pytest.raises(ValueError, match=r"25 % of .* \(25 % of background, 40 % of signal, as fractions"):
        training_weights(labels, signed, CLASSES)


def test_a_class_without_weight_cannot_be_balanced():
    with pytest.raises(ValueError, match="training weights of signal sum to 0"):
        training_weights(LABELS, np.array([1.0, 1.0, 1.0, 0.0]), CLASSES, "classes")
    with pytest.raises(ValueError, match="training weights of all events sum to -1"):
        training_weights(LABELS, np.array([1.0, -2.0, 0.0, 0.0]), CLASSES, "mean", "keep")


@pytest.mark.parametrize("balance", ["classes", "mean", "none"])
def test_events_of_weight_zero_do_not_change_the_others(balance):
    with_zero = training_weights(LABELS, np.array([0.0, 2.0, 3.0, 0.5]), CLASSES, balance)
    without = training_weights(LABELS[1:], WEIGHTS[1:], CLASSES, balance)
    assert with_zero[0] == 0
    assert with_zero[1:] == pytest.approx(without, rel=1e-15)


@given(st.lists(st.integers(1, 5), min_size=4, max_size=4), st.floats(1e-3, 1e3), st.sampled_from(["classes", "mean"]))
def test_copies_have_the_share_of_the_loss_that_a_weight_has(numbers, factor, balance):
    weights = np.array(numbers, dtype=float)
    weighted = training_weights(LABELS, factor * weights, CLASSES, balance)
    copies = training_weights(np.repeat(LABELS, numbers), np.ones(sum(numbers)), CLASSES, balance)
    shares = np.add.reduceat(copies, np.cumsum([0, *numbers[:-1]])) / copies.sum()
    assert weighted / weighted.sum() == pytest.approx(shares, rel=1e-12)
