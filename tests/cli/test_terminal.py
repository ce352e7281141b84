from __future__ import annotations

import io

import pytest
from rich.console import Console

from hepclf.cli import terminal
from hepclf.training.epoch import Epoch


@pytest.fixture
def watch(monkeypatch):
    """A watch and what it writes, on a terminal or in a log."""

    def make(*, is_terminal):
        written = io.StringIO()
        console = Console(file=written, force_terminal=is_terminal, width=100, legacy_windows=False)
        monkeypatch.setattr(terminal, "Console", lambda **_: console)
        return terminal.Watch(), written

    return make


def test_a_log_has_a_line_now_and_then_of_how_much_is_read(watch, monkeypatch):
    made, written = watch(is_terminal=False)
    made.stage("loading")
    made.read(100_000, 2_000_000)
    assert written.getvalue() == "loading\n"
    monkeypatch.setattr(terminal, "EVERY", -1.0)
    made.read(200_000, 2_000_000)
    assert "loading 200,000/2,000,000: " in written.getvalue()
    assert written.getvalue().rstrip().endswith("entries/s")


def test_a_terminal_has_a_bar_for_the_reading_and_one_for_the_training(watch):
    made, written = watch(is_terminal=True)
    made.stage("loading")
    made.read(100_000, 2_000_000)
    made.stage("training")
    made.epoch(Epoch(3, 0.51, 0.52, 1e-3, 1.0), 30)
    made.close()
    shown = written.getvalue()
    assert "100000/2000000" in shown
    assert "entries/s" in shown
    assert "3/30" in shown
    assert "loss 0.5100, validation 0.5200" in shown
