from __future__ import annotations

import io
import logging
import re

import pytest
from rich.console import Console

from hepclf.cli import terminal
from hepclf.cli.streams import spell_out
from hepclf.training.epoch import Epoch

LONG = Epoch(123, 0.51, 0.52, 1e-3, 10.0)  # 377 of 500 epochs are left: 62.8 min


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(monkeypatch, clock):
    """A watch and what it writes, on a terminal or in a log, 80 columns wide."""

    def make(*, is_terminal):
        written = io.StringIO()
        console = Console(file=written, force_terminal=is_terminal, width=80, legacy_windows=False)
        monkeypatch.setattr(terminal, "PlainConsole", lambda **_: console)
        return terminal.Watch(clock), written

    return make


def test_a_log_has_a_line_a_minute_of_how_much_is_read(watch, clock):
    made, written = watch(is_terminal=False)
    made.stage("loading")
    for clock.now in (0.0, 30.0, 59.0, 60.0, 119.0, 121.0):
        made.read(int(clock.now) * 10_000, 2_000_000)
    assert written.getvalue().splitlines() == [
        "loading",
        "loading 600,000/2,000,000: 10,000 entries/s",
        "loading 1,210,000/2,000,000: 10,000 entries/s",
    ]


def test_a_warning_in_a_log_is_one_line_without_blanks_behind_it(capsys):
    terminal.show_warning_logs()
    text = "a [bold] warning " + "of many words " * 10 + "ends"
    logging.getLogger("hepclf.cli").warning(text)
    assert capsys.readouterr().err == f"WARNING  {text}\n"


def test_a_note_on_a_training_is_shown_and_other_information_is_not(capsys):
    terminal.show_warning_logs()
    logging.getLogger("hepclf.notes").info("training: batches of 512 events")
    logging.getLogger("hepclf.training.epoch").info("epoch 1 of 5")
    assert capsys.readouterr().err == "INFO     training: batches of 512 events\n"


def test_a_log_of_many_jobs_names_no_stages(watch, clock):
    _, written = watch(is_terminal=False)
    made = terminal.Watch(clock, names_stages=False)
    made.stage("loading")
    clock.now = 61.0
    made.read(1000, 2000)
    assert written.getvalue() == "loading 1,000/2,000: 16 entries/s\n"


def test_a_log_has_a_line_a_minute_of_how_the_training_goes(watch, clock):
    made, written = watch(is_terminal=False)
    made.stage("training")
    for number, valid_loss in enumerate((0.54, 0.52, 0.53, 0.55), 1):
        clock.now += 40.0
        made.epoch(Epoch(number, 0.51, valid_loss, 1e-3, 40.0), 30, 48_000_000)
    assert written.getvalue().splitlines() == [
        "training",
        "epoch 2/30: loss 0.5100, valid 0.5200, best 2, 1.2M events/s, 19 min left",
        "epoch 4/30: loss 0.5100, valid 0.5500, best 2, 1.2M events/s, 17 min left",
    ]


def test_a_long_training_still_fits_a_log_of_80_columns(watch, clock):
    made, written = watch(is_terminal=False)
    clock.now = 60.0
    made.epoch(LONG, 500, 1_234_567)
    assert written.getvalue() == "epoch 123/500: loss 0.5100, valid 0.5200, best 123, 123k events/s, 63 min left\n"


def test_each_training_of_a_watch_has_a_best_epoch_of_its_own(watch, clock):
    made, written = watch(is_terminal=False)
    for valid_loss in (0.1, 0.2):
        made.stage("training")
        clock.now += 60.0
        made.epoch(Epoch(1 if valid_loss == 0.1 else 2, 0.1, valid_loss, 1e-3, 1.0), 3, 100)
    assert "valid 0.2000, best 2," in written.getvalue()


def shown(written):
    """What a terminal has shown, line by line."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.getvalue())
    return [line for line in re.split(r"[\r\n]+", plain) if line.strip()]


def test_a_terminal_has_a_bar_for_the_reading(watch, clock):
    made, written = watch(is_terminal=True)
    made.stage("loading")
    clock.now = 2.0
    made.read(100_000, 2_000_000)
    made.close()
    assert "100000/2000000" in shown(written)[-1]
    assert "50,000 entries/s" in shown(written)[-1]


def test_a_terminal_of_80_columns_has_room_for_a_bar_and_all_about_the_training(watch):
    made, written = watch(is_terminal=True)
    made.stage("training")
    made.epoch(LONG, 500, 1_234_567)
    made.close()
    line = shown(written)[-1]
    assert line.rstrip().endswith("123/500 loss 0.5100, valid 0.5200, best 123, 123k events/s, 63 min left")
    assert len(line) <= 80
    assert line[0] in "━╸╺"


def test_names_and_answers_do_not_control_the_terminal():
    written = io.StringIO()
    console = terminal.PlainConsole(file=written, force_terminal=True, width=80, legacy_windows=False)
    console.print("\x1b]0;title\x07 a\x1b[2Jb \x9b2J \u202ereversed", markup=False, highlight=False)
    console.print("red", style="red")
    assert written.getvalue() == "?]0;title a?[2Jb ?2J ?reversed\n\x1b[31mred\x1b[0m\n"


def test_a_warning_does_not_control_the_terminal(capsys):
    terminal.show_warning_logs()
    logging.getLogger("hepclf.cli").warning("http://host says \x1b[2J, with a\rreturn")
    assert capsys.readouterr().err == "WARNING  http://host says ?[2J, with areturn\n"


def test_signs_that_an_output_lacks_are_spelt_out():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    spell_out(stream)
    print("sigma_B = 10 % ⊕ MC stat., 1.0 ± 0.1 ≥ 0.5 ☃", file=stream, flush=True)
    assert stream.buffer.getvalue().decode("latin-1") == "sigma_B = 10 % (+) MC stat., 1.0 ± 0.1 >= 0.5 ?\n"
