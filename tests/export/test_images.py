"""Convolutional networks in ONNX and C++: the same scores, with and without constant pixels."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from hepclf import CNN, Events, Trainer
from hepclf.export.formats import FORMATS
from hepclf.export.gate import largest_difference, trial

compiled = pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="there is no C++ compiler")
KINDS = ["onnx", pytest.param("cpp", marks=compiled)]
SLOW = pytest.param("cpp", marks=[compiled, pytest.mark.slow])  # each is compiled
SHORT = {"channels": (2, 3), "hidden": (4,)}
MODELS = {
    "series": (CNN(**SHORT, summary="mean"), (1, 13)),
    "image": (CNN(**SHORT, padding="periodic", pooling=1, dropout=0.2), (1, 5, 4)),
    "channels": (CNN(**SHORT, kernel=5, summary="all", activation="silu"), (2, 6, 4)),
    "periodic series": (CNN(**SHORT, padding="periodic", kernel=1), (2, 9)),
}


def images(shape, classes=2):
    rng = np.random.default_rng(0)
    labels = np.arange(120) % classes
    values = rng.normal(size=(120, *shape)) + labels.reshape(-1, *[1] * len(shape))
    names = tuple(f"x_{'_'.join(map(str, index))}" for index in np.ndindex(shape))
    kinds = ("background", "signal", "other")[:classes]
    return Events(features=values.reshape(120, -1), labels=labels, names=names, classes=kinds)


def fitted(model, events):
    fit = model.fit(events, events, Trainer(epochs=2, batch=32, device="cpu"))
    for _ in fit:
        pass
    return fit.tagger()


def difference(kind, tagger, events):
    write, read = FORMATS[kind].writer_and_reader(kind, tagger)
    tried = trial(tagger, events.select(tagger.inputs))
    with read(write(tagger, "tagger", {})) as score:
        return largest_difference(kind, score, tried, refuses=FORMATS[kind].refuses)


@pytest.mark.parametrize("kind", ["onnx", SLOW])
@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_layer_gives_the_same_scores(name, kind):
    model, shape = MODELS[name]
    events = images(shape, classes=3 if name == "channels" else 2)
    assert difference(kind, fitted(replace(model, shape=shape), events), events) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_pixel_without_a_feature_is_zero(kind):
    events = images((1, 5, 4))
    features = events.features.copy()
    features[:, [0, 7, 19]] = 2
    events = replace(events, features=features)
    tagger = fitted(CNN(**SHORT, shape=(1, 5, 4), padding="periodic"), events)
    assert len(tagger.inputs) == 17
    assert difference(kind, tagger, events) <= 1e-5


def test_a_layer_that_is_too_large_for_the_stack_is_refused(monkeypatch):
    monkeypatch.setattr("hepclf.export.cpp.images.MOST", 30)
    tagger = fitted(CNN(**SHORT, shape=(1, 5, 4)), images((1, 5, 4)))
    write, _ = FORMATS["cpp"].writer_and_reader("cpp", tagger)
    with pytest.raises(ValueError, match=r"format=cpp holds at most 30 units of a layer, not 40; use format=onnx"):
        write(tagger, "tagger", {})
