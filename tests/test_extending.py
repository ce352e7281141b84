"""The examples of docs/extending.md, as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np

from hepclf import Trainer
from hepclf.cli.main import main
from hepclf.export.formats import ExportFormat
from hepclf.export.gate import largest_difference, trial
from hepclf.models.fisher import Fisher

PAGE = (Path(__file__).parent.parent / "docs" / "extending.md").read_text(encoding="utf-8")
MODEL, LOADER, FORMAT, ENTRY = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
QUICK = ["trainer.epochs=1", "evaluation.plots=false", "evaluation.report=false"]


def test_a_model_and_a_loader_train_without_a_fork(capsys):
    for group in ("model", "data"):
        Path("lab", group).mkdir(parents=True)
    Path("lab/model/mine.py").write_text(MODEL)
    mine, text = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    Path("lab/model/mine.yaml").write_text(mine)
    Path("lab/data/text.py").write_text(LOADER)
    Path("lab/data/text.yaml").write_text(text)
    labels = np.arange(400) % 2
    np.savetxt("table.txt", np.column_stack([labels, np.random.default_rng(0).normal(size=(400, 2)) + labels[:, None]]))
    (command,) = re.findall(r"`(hepclf train --config-dir lab model=mine)`", PAGE)
    assert main([*shlex.split(command)[1:], "data=text", "data.file=table.txt", *QUICK]) == 0, capsys.readouterr().err
    assert "x1" in Path("runs/latest/tagger/tagger.json").read_text()


def test_an_export_format_passes_the_gate(gaussians):
    events = gaussians()
    fit = Fisher().fit(events, events, Trainer())
    list(fit)
    tagger, functions = fit.tagger(), {}
    exec(compile(FORMAT, "docs/extending.md", "exec"), functions)
    (added,) = eval(f"{{{ENTRY}}}", {"ExportFormat": ExportFormat, "FisherTagger": type(tagger)}).values()
    assert {added.writer, added.reader, added.usage} <= set(functions)
    data = functions["linear_json"](tagger, "tagger", {})
    with functions["linear_scores"](data) as score:
        assert largest_difference("linear-json", score, trial(tagger, events.features), refuses=True) < 1e-7
    assert "tagger.json" in functions["linear_usage"](tagger, "tagger", "tagger.json")[0]
