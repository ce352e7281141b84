"""The digits are those of scikit-learn, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hepclf.data.digits import Digits


def test_all_digits_are_there_with_their_pixels():
    events, bunch = Digits().load().check(), load_digits()
    assert len(events) == 1797
    assert events.classes == tuple("0123456789")
    assert (events.labels == bunch.target).all()
    assert (events.features.reshape(-1, 8, 8) == bunch.images).all()
    assert events.names[8 * 3 + 5] == "pixel_3_5"
    assert list(events.counts.values()) == np.bincount(bunch.target).tolist()


def test_some_digits_are_classes_in_the_order_given():
    events = Digits(digits=(7, 1)).load()
    assert events.classes == ("7", "1")
    every = Digits().load()
    assert (events.features[events.labels == 0] == every.features[every.labels == 7]).all()
    assert (events.features[events.labels == 1] == every.features[every.labels == 1]).all()
    assert Digits(digits=(7, 1)).outline().classes == ("7", "1")


@pytest.mark.parametrize("digits", [(), (3,), (3, 3), (1, 10)])
def test_other_classes_are_refused(digits):
    with pytest.raises(ValueError, match=r"^digits must be two or more different ones of 0\.\.9"):
        Digits(digits=digits)
