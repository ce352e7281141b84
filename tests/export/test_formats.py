"""Every model in every form that holds it: the same scores, on events and where they are hard."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from hepclf import BDT, KNN, MLP, SVM, Cuts, Likelihood, Logistic, PlainMLP, Preprocess
from hepclf.events import Events
from hepclf.export.formats import FORMATS
from hepclf.export.gate import largest_difference, trial
from hepclf.models.adaboost import AdaBoost
from hepclf.models.fisher import Fisher
from hepclf.models.forest import Forest
from hepclf.models.lightgbm import LightGBM
from hepclf.models.network import Network
from hepclf.models.tree import Tree
from hepclf.models.xgboost import XGBoost
from hepclf.recipe import recipe

compiled = pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="there is no C++ compiler")
KINDS = ["onnx", pytest.param("cpp", marks=compiled), "xgboost-json"]
HEADS = KINDS[:2]


def scales(scaling):
    return Preprocess(scaling=scaling, features={"a": "clipped", "b": "log", "d": "quantile"})


def plain(activation, norm="none", scaling="standard"):
    return PlainMLP(hidden=(8, 6), activation=activation, norm=norm, preprocess=scales(scaling), dropout=0.1)


TREES = {
    "bdt": BDT(iterations=20, leaves=8),
    "xgboost": XGBoost(iterations=10),
    "lightgbm": LightGBM(iterations=10),
    "adaboost": AdaBoost(iterations=10, leaf_events=5),
    "forest": Forest(trees=10),
    "tree": Tree(),
}
OTHERS = {
    "logistic": Logistic(),
    "fisher": Fisher(),
    "relu": plain("relu", "batch"),
    "tanh": plain("tanh", "layer", "robust"),
    "maxout": plain("maxout", "batch", "quantile"),
    "gelu": plain("gelu", scaling="log"),
    "silu": plain("silu"),
    "elu": plain("elu"),
    "leaky_relu": plain("leaky_relu", "layer"),
    "sigmoid": plain("sigmoid"),
    "mlp": MLP(hidden=(8, 6), members=3, frequencies=4),
    "mlp of one": MLP(hidden=(8,), activation="tanh", members=1, embedding=1, scale_rate=5.0),
}


MODELS = TREES | OTHERS
BOOSTED = ["bdt", "xgboost", "lightgbm", "adaboost"]
OF_THREE = [*TREES, "logistic", "fisher", "relu", "mlp"]


def made(kind, tagger):
    write, read = FORMATS[kind].writer_and_reader(kind, tagger)
    return read(write(tagger, "tagger", {"run": '"x"'}))


def agrees(kind, tagger, events):
    tried = trial(tagger, events.select(tagger.inputs))
    with made(kind, tagger) as score:
        found = largest_difference(kind, score, tried, refuses=FORMATS[kind].refuses)
        scores = score(events.features)
    np.testing.assert_allclose(scores, tagger.scores(events), rtol=0, atol=tried.allowed)
    return found


CASES = [(name, classes) for name in MODELS for classes in (2, 3) if classes == 2 or name in OF_THREE]


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(("name", "classes"), CASES)
def test_every_model_gives_the_same_scores(name, classes, kind, events, fitted):
    train = events(classes)
    assert agrees(kind, fitted(MODELS[name], train), train) <= (1e-6 if name in TREES else 1e-5)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", BOOSTED)
def test_xgboost_gives_the_same_scores_of_boosted_trees(name, classes, events, fitted):
    train = events(classes)
    assert agrees("xgboost-json", fitted(TREES[name], train), train) <= 1e-6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 3])
def test_one_event_and_none_have_scores_too(classes, kind, events, fitted):
    train = events(classes)
    tagger = fitted(BDT(iterations=5), train)
    shape = () if classes == 2 else (3,)
    with made(kind, tagger) as score:
        assert score(train.features[:0]).shape == (0, *shape)
        np.testing.assert_allclose(score(train.features[:1]), tagger.scores(train)[:1], atol=1e-6)


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("model", [Logistic(), Fisher(), BDT(iterations=5)], ids=["network", "fisher", "trees"])
def test_an_infinite_feature_has_no_score(model, kind, events, fitted):
    train = events()
    rows = train.features[1:3].copy()
    rows[0, 2] = -np.inf
    with made(kind, fitted(model, train)) as score:
        assert np.isnan(score(rows)).tolist() == [True, False]


@pytest.mark.parametrize("kind", HEADS)
def test_a_network_that_overflows_has_no_score(kind, events, fitted):
    train = events()
    tagger = fitted(Logistic(), train)
    rows = np.array(
        [[0, 0, np.finfo(np.float32).max, 0]], dtype=np.float32
    )  # its logit is infinite, its sigmoid is not
    with pytest.raises(ValueError, match="not finite"):
        tagger.scores(Events(features=rows, names=tagger.inputs))
    with made(kind, tagger) as score:
        assert np.isnan(score(rows)).all()


@pytest.mark.parametrize("kind", HEADS)
def test_the_bound_of_clipped_inputs_is_the_taggers_own(kind, events, fitted):
    train = events()
    tagger = fitted(MLP(hidden=(8,), members=2), train)
    before = tagger.scores(train)
    tagger.module.prepare.bound[:] = torch.arange(1.0, len(tagger.inputs) + 1)
    assert abs(tagger.scores(train) - before).max() > 0.001
    assert agrees(kind, tagger, train) <= 1e-5


@pytest.mark.parametrize("model", [Likelihood(), Cuts(), KNN(), SVM()], ids=lambda model: type(model).__name__)
def test_what_a_form_cannot_hold_is_refused_in_one_line(model, events, fitted):
    whole = events()
    whole = Events(features=np.nan_to_num(whole.features), labels=whole.labels, names=whole.names)
    tagger = fitted(model, whole)
    for kind, form in FORMATS.items():
        with pytest.raises(ValueError, match=f"format={kind} holds .*, not a {type(tagger).__name__}"):
            form.writer_and_reader(kind, tagger)


@pytest.mark.parametrize("name", ["forest", "tree"])
def test_averages_are_no_sum_of_boosted_trees(name, events, fitted):
    with pytest.raises(ValueError, match=r"needs boosted trees, .* not trees that are averaged"):
        made("xgboost-json", fitted(TREES[name], events()))


@recipe
class Mine(Network):
    def network(self, inputs, outputs):
        from torch import nn

        return nn.Sequential(nn.Linear(inputs, 4), nn.Hardswish(), nn.Linear(4, outputs))


@pytest.mark.parametrize("kind", ["onnx", "cpp"])
def test_a_layer_without_a_form_is_refused_by_name(kind, events, fitted):
    with pytest.raises(ValueError, match="a layer Hardswish has no form in"):
        made(kind, fitted(Mine(), events()))


@pytest.mark.parametrize(("kind", "package"), [("onnx", "onnxruntime"), ("xgboost-json", "xgboost")])
def test_a_package_that_is_missing_is_named(kind, package, events, fitted, monkeypatch):
    tagger = fitted(BDT(iterations=2), events())
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(ValueError, match=f"format={kind} needs {package}; pip install 'hepclf"):
        FORMATS[kind].writer_and_reader(kind, tagger)
