"""Results to draw, and an Axes to draw them on."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from matplotlib.figure import Figure

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.plane import ProbabilityPlane
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored

TWO = ("background", "signal")


@pytest.fixture
def ax():
    """Axes in the project's style."""
    with style():
        yield Figure().subplots()


@pytest.fixture
def judged():
    """A function making the results on two or more Gaussian classes, without studies but for those named."""
    studies = {setting.name: None for setting in fields(Evaluation) if hasattr(setting.default_factory, "study")}

    def make(classes=TWO, n=1200, splits=(0, 1, 2), weights=None, scores=None, llr=False, **evaluation):
        rng = np.random.default_rng(1)
        k = len(classes)
        labels = np.arange(n) % k
        z = rng.normal(size=(n, k))
        z[np.arange(n), labels] += 1
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        probabilities = p if k > 2 else p[:, 1]
        scored = Scored(
            labels=labels,
            weights=np.ones(n) if weights is None else weights(n),
            scores=probabilities if scores is None else scores(labels),
            split=np.asarray(splits)[np.arange(n) // k % len(splits)],
            classes=classes,
            processes=labels,
            process_names=classes,
            spectators={"llr": z[:, 1] - z[:, 0] + 0.1 * rng.normal(size=n)} if llr else {},
        )
        return evaluate(scored, Evaluation(**(studies | evaluation)))

    return make


@pytest.fixture
def history():
    """Five epochs, the third of which is the best."""
    columns = {"train_loss": [5, 4, 3, 2, 1], "valid_loss": [5, 4, 3, 3.5, 4], "learning_rate": [1] * 5}
    return {"epoch": [1, 2, 3, 4, 5], "seconds": [1.0] * 5, **columns}


@pytest.fixture
def plane():
    """A probability that rises with x, and two thousand events."""
    x, y = np.linspace(0, 1, 20), np.linspace(-5, 5, 30)
    points = np.random.default_rng(2).uniform((0, -5), (1, 5), (2000, 2))
    labels = (points[:, 0] > 0.5).astype(np.int64)
    return ProbabilityPlane(
        names=("m_{jj}$", "Δφ"), x=x, y=y, probability=np.tile(x, (30, 1)), points=points, labels=labels
    )
