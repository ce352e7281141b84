"""The learning-rate range test of a run: its file, and its picture, also where it is drawn later."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.models.logistic import Logistic
from hepclf.training.trainer import Trainer
from hepclf.workflow.job import Job
from hepclf.workflow.redraw import draw_run
from hepclf.workflow.shared import SharedData
from hepclf.workflow.train import train

DATA, TRAINER = Mixture(events=300), Trainer(epochs=1, find_rate=True)


def test_a_run_with_a_range_test_keeps_it_and_draws_it_later_too(without_studies, sketched):
    drawn = Evaluation(**without_studies)
    lean = replace(drawn, plots=False, report=False)
    run = train(DATA, Logistic(), TRAINER, lean, "run").run
    stored = json.loads(Path("run/find_rate.json").read_text())
    draw_run(run, Job.of(DATA, Logistic(), TRAINER, drawn), SharedData())
    assert Path("run/plots/find_rate.png").is_file()
    assert "plots/find_rate" in Path("run/report.html").read_text()
    with Path("run/plots/numbers/find_rate.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name, column in (("rate", "rates"), ("loss", "losses"), ("smoothed", "smoothed")):
        assert [float(row[name]) for row in rows] == pytest.approx(stored[column])
    assert stored["used"] == Logistic.rate
    metrics = Path("run/metrics.json").read_bytes()
    train(DATA, Logistic(), replace(TRAINER, find_rate=False), lean, "plain")
    assert Path("plain/metrics.json").read_bytes() == metrics
    assert not Path("plain/find_rate.json").exists()
