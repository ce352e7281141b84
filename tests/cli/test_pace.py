from __future__ import annotations

import pytest

from hepclf.cli.pace import Pace, duration, short_count
from hepclf.training.epoch import Epoch


def test_speed_and_time_left_follow_the_mean_of_the_epochs():
    pace = Pace()
    pace.note(Epoch(1, 0.7, 0.6, 1e-3, 3.0), 10, 8_000)
    note = pace.note(Epoch(2, 0.65, 0.61, 1e-3, 5.0), 10, 8_000)
    assert note == "loss 0.6500, valid 0.6100, best 1, 2.0k events/s, 32 s left"


def test_epochs_before_a_resume_count_for_the_best_and_not_for_the_speed():
    pace = Pace()
    assert pace.note(Epoch(1, 0.7, 0.6, 1e-3, 500.0), 10, None) == "loss 0.7000, valid 0.6000, best 1"
    pace.note(Epoch(2, 0.7, 0.62, 1e-3, 500.0), 10, None)
    note = pace.note(Epoch(3, 0.65, 0.61, 1e-3, 4.0), 10, 8_000)
    assert note == "loss 0.6500, valid 0.6100, best 1, 2.0k events/s, 28 s left"


def test_nothing_is_left_after_the_last_epoch():
    assert Pace().note(Epoch(10, 0.7, 0.6, 1e-3, 3.0), 10, 8_000).endswith(" 0 s left")


def test_an_epoch_that_took_no_measurable_time_divides_nothing_by_zero():
    assert Pace().note(Epoch(1, 0.7, 0.6, 1e-3, 0.0), 10, 8).endswith("events/s, 0 s left")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (999.6, "1.0k"), (1000, "1.0k"), (9949, "9.9k"), (9960, "10k"), (999_400, "999k")],
)
def test_a_count_is_short(count, text):
    assert short_count(count) == text


@pytest.mark.parametrize(("count", "text"), [(999_600, "1.0M"), (1.2e6, "1.2M"), (3.04e9, "3.0G")])
def test_a_large_count_is_as_short(count, text):
    assert short_count(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (3720, "62 min"), (6000, "1.7 h"), (36000, "10.0 h")],
)
def test_a_duration_has_the_unit_that_suits_it(seconds, text):
    assert duration(seconds) == text
