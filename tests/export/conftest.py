"""Taggers to export, and the events that they learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events
from hepclf.training.trainer import Trainer


@pytest.fixture(scope="session")
def events():
    """A function making events whose features differ in scale and shape; some values are missing, some repeat."""

    def make(classes=2, size=800, seed=0):
        rng = np.random.default_rng(seed)
        labels = np.arange(size) % classes
        columns = [
            rng.normal(labels),
            rng.exponential(50, size),
            rng.normal(0, 1e-3, size),
            np.round(rng.normal(size=size)),
        ]
        features = np.stack(columns, axis=1).astype(np.float32)
        features[::9, 1] = np.nan
        names = ("background", "signal") if classes == 2 else tuple(f"class{i}" for i in range(classes))
        return Events(features=features, labels=labels, names=("a", "b", "c", "d"), classes=names)

    return make


@pytest.fixture(scope="session")
def fitted():
    """A function making the tagger of a model."""

    def make(model, events, **settings):
        fit = model.fit(events, events, Trainer(**{"epochs": 2, "batch": 200, **settings}))
        for _ in fit:
            pass
        return fit.tagger()

    return make
