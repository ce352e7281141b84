"""Small tables that many tests train on."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
from pathlib import Path

# Tests run side by side, where more threads would wait for each other. Libraries read this when they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from hepclf.evaluation.evaluation import Evaluation
from hepclf.events import Events
from hepclf.presentation.plots.style import STYLE
from hepclf.scored import Scored

# By default, Python's garbage collector walks through the objects of all imported modules again and again.
gc.set_threshold(50_000)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Every test writes into a folder of its own, whatever it writes, and has a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.with_name(f"{tmp_path.name}-cache")))


@pytest.fixture
def gaussians():
    """A function making two Gaussian classes a distance apart; their best AUC is Phi(separation / sqrt 2)."""

    def make(events=4000, features=3, separation=1.5, classes=2, seed=0, **columns):
        rng = np.random.default_rng(seed)
        labels = np.arange(events) % classes
        values = rng.normal(size=(events, features))
        values[:, 0] += separation * labels
        names = tuple(f"x{i}" for i in range(features))
        kinds = ("background", "signal") if classes == 2 else tuple(f"class{i}" for i in range(classes))
        return Events(features=values, labels=labels, names=names, classes=kinds, **columns)

    return make


@pytest.fixture(scope="session")
def without_studies():
    """Settings of an evaluation without its studies, which take most of its time."""
    evaluation = Evaluation()
    return {name: None for name in vars(evaluation) if hasattr(getattr(evaluation, name), "study")}


@pytest.fixture
def sketched(monkeypatch):
    """Coarse pictures and hollow PDFs, for tests that do not look at either."""
    monkeypatch.setitem(STYLE, "figure.dpi", 30)
    monkeypatch.setitem(STYLE, "figure.constrained_layout.use", False)
    monkeypatch.setattr(FigureCanvasPdf, "print_pdf", lambda _, path, **__: Path(path).write_bytes(b"%PDF"))


@pytest.fixture
def tiny():
    """A file system that a run, or a cache of 50,000 events, does not fit into."""
    folder = Path("tiny")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def interruptible():
    """A shell ignores SIGINT in what it starts in the background, and children inherit it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def make_scored():
    """A function making scored events from a few columns; what is not given is plain."""

    def make(labels, scores, weights=None, split=None, **columns):
        labels, scores = np.asarray(labels, dtype=np.int64), np.asarray(scores, dtype=np.float64)
        k = 2 if scores.ndim == 1 else scores.shape[1]
        kinds = columns.pop("classes", ("background", "signal") if k == 2 else tuple(f"class{i}" for i in range(k)))
        return Scored(
            labels=labels,
            scores=scores,
            weights=np.ones(len(labels)) if weights is None else weights,
            split=np.full(len(labels), 2) if split is None else split,
            classes=kinds,
            processes=columns.pop("processes", labels),
            process_names=columns.pop("process_names", kinds),
            **columns,
        )

    return make


@pytest.fixture
def drawn():
    """A function drawing labels, tied scores and weights of n events; heavy weights are log-normal."""

    def draw(n, seed=0, separation=1.0, ties=None, weights="heavy"):
        rng = np.random.default_rng(seed)
        labels = (rng.random(n) < 0.4).astype(np.int64)
        scores = 1 / (1 + np.exp(-rng.normal(separation * labels)))
        if ties:
            scores = np.round(scores * ties) / ties
        sizes = {"unit": np.ones(n), "heavy": rng.lognormal(0, 1, n), "signed": rng.normal(0.6, 1, n)}[weights]
        return labels, scores, sizes

    return draw
