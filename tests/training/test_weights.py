from __future__ import annotations

import numpy as np
import pytest

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
    with pytest.raises(ValueError, match=r"25\.00 % of the training weights are negative.*negative_weights=zero"):
        training_weights(LABELS, signed, CLASSES, "none")
    assert training_weights(LABELS, signed, CLASSES, "none", "zero").tolist() == [1, 0, 3, 0.5]
    assert training_weights(LABELS, signed, CLASSES, "none", "abs").tolist() == [1, 2, 3, 0.5]
    assert training_weights(LABELS, signed, CLASSES, "none", "keep").tolist() == [1, -2, 3, 0.5]


def test_a_class_without_weight_cannot_be_balanced():
    with pytest.raises(ValueError, match="training weights of signal sum to 0"):
        training_weights(LABELS, np.array([1.0, 1.0, 1.0, 0.0]), CLASSES, "classes")
    with pytest.raises(ValueError, match="training weights of all events sum to -1"):
        training_weights(LABELS, np.array([1.0, -2.0, 0.0, 0.0]), CLASSES, "mean", "keep")
