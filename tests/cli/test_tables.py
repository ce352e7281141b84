from __future__ import annotations

import numpy as np
from rich.console import Console

from hepclf.cli.tables import show_results
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.scored import Scored


def printed(classes):
    labels = np.arange(600) % 2
    logits = np.random.default_rng(0).normal(size=600) + 2 * labels
    scored = Scored(labels=labels, scores=1 / (1 + np.exp(-logits)), split=np.arange(600) // 2 % 3, classes=classes)
    console = Console(record=True, width=80)
    show_results(console, evaluate(scored, Evaluation(bands=None, overtraining=None)), "a title")
    return console.export_text()


def test_warnings_are_printed_before_any_number_and_within_the_terminal():
    lines = printed(("signal", "background")).splitlines()
    assert lines[0] == "1 warning"
    assert lines[1].startswith("! class 'background' is taken for the signal")
    assert lines[2].startswith("  ")
    assert lines.index("") < lines.index("a title")
    assert max(map(len, lines[: lines.index("")])) <= 80


def test_nothing_is_printed_where_there_is_nothing_to_warn_of():
    assert printed(("background", "signal")).splitlines()[0] == "a title"
