"""Pages to read, of results whose names are as bad as names can be."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.presentation.page.page import Provenance, page
from hepclf.scored import Scored

# The results without its studies, which take longer than all that is tested here.
ALONE = {setting.name: None for setting in fields(Evaluation) if hasattr(getattr(Evaluation(), setting.name), "study")}


@pytest.fixture(scope="session")
def results_of():
    """A function making the results on two or more Gaussian classes of these names, signed weights if asked."""

    def make(classes=("background", "signal"), n=6000, *, signed=False, splits=(0, 1, 2), **evaluation):
        rng = np.random.default_rng(1)
        k = len(classes)
        labels = np.arange(n) % k
        z = rng.normal(size=(n, k))
        z[np.arange(n), labels] += 1.5
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        scored = Scored(
            labels=labels,
            weights=np.where(rng.random(n) < 0.1, -0.7, 1.3) if signed else np.ones(n),
            scores=p if k > 2 else p[:, 1],
            split=np.asarray(splits)[np.arange(n) // k % len(splits)],
            classes=classes,
        )
        return evaluate(scored, Evaluation(**ALONE | evaluation))

    return make


@pytest.fixture
def origin():
    """A function saying where a page comes from, with names that a user may have typed."""

    def make(title="gw, mlp", **texts):
        defaults = {"label": "", "command": "hepclf train again=runs/x", "config": "model: mlp\n"}
        return Provenance(**{"title": title, "environment": {"python": "3.12"}, **defaults, **texts})

    return make


@pytest.fixture
def write_page(origin):
    """A function writing a page into the current folder, with small pictures under these stems."""

    def write(results, stems=("roc", "confusion"), studies=None, **texts):
        plots = Path("plots")
        plots.mkdir(exist_ok=True)
        index = {}
        for stem in stems:
            Image.new("RGB", (780, 630), "white").save(plots / f"{stem}.png")
            study = (studies or {}).get(stem)
            index[stem] = {"caption": f"What {stem} shows.", "study": study, "kinds": ["png", "pdf", "csv"]}
        (plots / "pictures.json").write_text(json.dumps(index))
        path = Path("report.html")
        path.write_text(page(results, plots, origin(**texts), folder=Path()), encoding="utf-8")
        return path

    return write
