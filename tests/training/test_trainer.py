from __future__ import annotations

import math

import pytest

from hepclf.training.trainer import Trainer


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"batch": -5}, "batch must be at least 1, not -5"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"learning_rate": math.inf}, "learning_rate must be positive and finite"),
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0, not -1"),
        ({"clip": 0.0}, "clip must be positive"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        Trainer(**setting)


@pytest.mark.parametrize(
    ("events", "passes"), [(1, 30), (13_000, 30), (20_000, 20), (50_000, 8), (80_000, 5), (5_000_000, 5)]
)
def test_many_events_are_passed_fewer_times_unless_epochs_says_how_often(events, passes):
    assert Trainer().passes(events) == passes
    assert Trainer(epochs=12).passes(events) == 12
