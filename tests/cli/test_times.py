from __future__ import annotations

import json
import re
from pathlib import Path

from hepclf.cli.times import STAGES, time_line

SECONDS = {"total": 40.0, "epochs": 24.9, "loading": 2.04, "checking": 0.39, "training": 25.0, "drawing": 10.0}


def test_the_line_names_each_stage_that_took_a_hundredth_of_the_whole():
    assert time_line(SECONDS) == "time   40.0 s: reading 2.0, training 25.0, drawing 10.0"
    assert "preparing 0.4, " in time_line({**SECONDS, "checking": 0.4})


def test_the_time_on_the_validation_set_is_told_apart_from_the_training():
    line = time_line({**SECONDS, "validation": 5.0})
    assert line == "time   40.0 s: reading 2.0, training 20.0, validation 5.0, drawing 10.0"


def test_a_run_ends_with_where_its_time_went_on_standard_error(hepclf):
    words = ["data.signals=200", "data.noise=600", "trainer.epochs=2", "evaluation.plots=false"]
    code, out, err = hepclf("train", "model=mlp_plain", *words)
    assert code == 0, err
    assert re.fullmatch(r"time   \d+\.\d s: (\w+ \d+\.\d(, |$))+", err.splitlines()[-1])
    assert "time   " not in out
    environment = json.loads(Path("runs/latest/environment.json").read_text())
    assert set(environment["seconds"]) - {"total", "epochs"} == set(STAGES) - {"drawing"}  # no plots were drawn
