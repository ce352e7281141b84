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
        ({"batch": "automatic"}, "batch must be a whole number or auto, not 'automatic'"),
        ({"precision": "bf8"}, "precision must be one of auto, float32, bf16, not 'bf8'"),
        ({"residency": "moon"}, "residency must be one of auto, device, pinned, disk, not 'moon'"),
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


@pytest.mark.parametrize(
    ("events", "batch"),
    [
        (1, 256),
        (100_000, 256),
        (204_799, 256),
        (204_800, 512),
        (600_000, 1024),
        (2_400_000, 4096),
        (3_276_799, 4096),
        (3_276_800, 8192),
        (10**9, 8192),
    ],
)
def test_an_automatic_batch_grows_with_the_events_and_the_rate_with_its_root(events, batch):
    trainer = Trainer(batch="auto")
    assert trainer.batch_size(events) == batch
    assert trainer.largest_rate(events, 0.005) == pytest.approx(0.005 * math.sqrt(batch / 256))
    assert Trainer(batch="auto", learning_rate=0.01).largest_rate(events, 0.005) == 0.01
    assert (Trainer(batch=64).batch_size(events), Trainer(batch=64).largest_rate(events, 0.005)) == (64, 0.005)
