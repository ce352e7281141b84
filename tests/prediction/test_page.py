"""docs/predict.md is true: its commands run, and its Python reads what they leave."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import uproot

from hepclf import Evaluation, Logistic, Mixture, Trainer, train
from hepclf.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "predict.md").read_text(encoding="utf-8")


def test_the_page_keeps_its_word(capsys):
    train(Mixture(events=500), Logistic(), Trainer(epochs=1), Evaluation(plots=False), folder="runs/latest")
    Path("ntuples").mkdir()
    for name in ("dy_1", "dy_2", "ttbar"):
        rng = np.random.default_rng(0)
        columns = {name: rng.normal(size=50) for name in (*Mixture(events=500).load().names, "MET_pt")}
        columns["event"] = np.arange(50)
        with uproot.recreate(f"ntuples/{name}.root") as file:
            file.mktree("Events", {key: column.dtype for key, column in columns.items()}).extend(columns)
    Path("tables").mkdir()
    pd.DataFrame(columns).to_csv("tables/new.csv.gz", index=False)
    commands = [shlex.split(line[2:])[1:] for line in PAGE.splitlines() if line.startswith("$ hepclf")]
    assert len(commands) == 4
    for words in commands:
        assert main(words) == 0, capsys.readouterr().err
    assert sorted(path.name for path in Path("friends").iterdir()) == ["dy_1.root", "dy_2.root", "ttbar.root"]
    assert list(pd.read_csv("runs/latest/predictions/new.csv")) == ["event", "score"]
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(snippet, names)
    joined = names["joined"]
    assert list(joined.columns) == ["MET_pt", "event", "score"]
    assert joined["event"].tolist() == list(range(50))
    assert joined["score"].between(0, 1).all()
