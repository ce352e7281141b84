"""docs/first_csv.md is true: its commands read its files, and its numbers follow from its formulas."""

from __future__ import annotations

import re
import shlex
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from hepclf.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "first_csv.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line[2:])[1:] for line in PAGE.splitlines() if line.startswith("$ hepclf")]
QUICK = ["model=fisher", "evaluation.plots=false", "evaluation.report=false"]


@pytest.fixture(autouse=True)
def _files():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 2
    features = rng.normal(size=(300, 3)) + labels[:, None]
    rows = "".join(
        f"{label},{pt:.3f},{eta:.3f},{mass:.3f}\n" for label, (pt, eta, mass) in zip(labels, features, strict=True)
    )
    Path("plain.csv").write_text(rows)
    Path("other.csv").write_text("".join(rows.splitlines(keepends=True)[:100]))
    Path("named.csv").write_text(f"label,pt,eta,mass\n{rows}")
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text(text)


def test_the_way_from_a_file_to_scores(capsys):
    words = [command[0] for command in COMMANDS]
    assert words == ["inspect", "train", "inspect", "train", "train", "evaluate", "predict"]
    for command in COMMANDS:
        few = {"train": QUICK, "evaluate": QUICK[1:]}.get(command[0], [])
        assert main([*command, *few]) == 0, capsys.readouterr().err
    assert len(list(Path("runs/latest/predictions").glob("*.csv"))) == 1
    says = "1 of 1 files were read for the training, so they do not test the tagger"
    assert says in capsys.readouterr().out
    Path("new.csv").write_text(Path("plain.csv").read_text())
    assert main(["predict", "run=runs/latest", "files=new.csv"]) == 0
    assert "read for the training" not in capsys.readouterr().out


def test_the_numbers_of_events_follow_from_the_formulas():
    assert "with an error of 10 % therefore needs 100 background" in PAGE
    assert 1 / sqrt(100) == pytest.approx(0.10)
    assert sqrt(0.85 * 0.15 / 50) == pytest.approx(0.05, abs=0.005)
    assert sqrt(0.85 * 0.15 / 5000) == pytest.approx(0.005, abs=0.0005)


@pytest.mark.parametrize("typed", re.findall(r"^\|.*\| `(.*)` \|$", PAGE, re.MULTILINE))
def test_each_setting_of_the_table_is_one(typed, capsys):
    assert main(["train", "data=csv", "data.files=gone.csv", *shlex.split(typed)]) == 1
    assert "file 'gone.csv' does not exist" in capsys.readouterr().err
