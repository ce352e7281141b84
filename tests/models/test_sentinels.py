"""A tagger takes raw values: what was declared missing in training scores as NaN does, in every kind of tagger."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hepclf import BDT, KNN, MLP, SVM, Cuts, Likelihood, Logistic
from hepclf.models.adaboost import AdaBoost
from hepclf.models.calibrated import with_calibration
from hepclf.models.fisher import Fisher
from hepclf.models.forest import Forest
from hepclf.models.lightgbm import LightGBM
from hepclf.models.loading import load_tagger
from hepclf.models.model import raw_inputs
from hepclf.models.preprocess import Preprocess
from hepclf.models.scikit import Sklearn
from hepclf.models.tree import Tree
from hepclf.models.xgboost import XGBoost
from hepclf.training.trainer import Trainer

SENTINELS = {"x0": (-999.99, float("inf")), "x2": (-9.0,)}
QUICK = Trainer(epochs=2, batch=256)
MODELS = {
    "adaboost": AdaBoost(iterations=5, leaf_events=5),
    "bdt": BDT(iterations=5),
    "cuts": Cuts(),
    "fisher": Fisher(),
    "forest": Forest(trees=5),
    "knn": KNN(neighbours=20),
    "lightgbm": LightGBM(iterations=5),
    "likelihood": Likelihood(),
    "logistic": Logistic(),
    "mlp": MLP(hidden=(8,), members=2),
    "newton": Logistic(solver="newton", l2=1e-3),
    "svm": SVM(),
    "tree": Tree(),
    "xgboost": XGBoost(iterations=5),
}


def raw(events):
    """The same events as a file holds them."""
    features = events.features.copy()
    for name, values in SENTINELS.items():
        column = events.names.index(name)
        missing = np.flatnonzero(np.isnan(features[:, column]))
        features[missing, column] = np.resize(np.float32(values), len(missing))
    return replace(events, features=features, sentinels={})


@pytest.fixture
def fitted(parts):
    def make(model, trainer=QUICK):
        train, valid = (replace(part, sentinels=SENTINELS) for part in parts())
        fit = model.fit(train, valid, trainer)
        for _ in fit:
            pass
        return with_calibration(fit.tagger(), valid, trainer), valid

    return make


@pytest.mark.parametrize("name", MODELS)
def test_raw_values_have_the_scores_of_nan_before_and_after_saving(name, fitted):
    tagger, valid = fitted(MODELS[name])
    expected = tagger.scores(valid)
    assert (raw(valid).features == np.float32(-999.99)).any()
    np.testing.assert_array_equal(tagger.scores(raw(valid)), expected)
    tagger.save("tagger")
    stored = load_tagger("tagger")
    assert stored.sentinels == tagger.sentinels == SENTINELS
    np.testing.assert_array_equal(stored.scores(raw(valid)), expected)


def test_a_tagger_that_stays_in_memory_takes_raw_values(fitted):
    tagger, valid = fitted(Sklearn())
    np.testing.assert_array_equal(tagger.scores(raw(valid)), tagger.scores(valid))


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_a_calibrated_tagger_takes_raw_values(method, fitted):
    tagger, valid = fitted(BDT(iterations=5), replace(QUICK, calibrate=method))
    tagger.save("tagger")
    stored = load_tagger("tagger")
    assert stored.sentinels == SENTINELS
    np.testing.assert_array_equal(stored.scores(raw(valid)), tagger.scores(valid))
    np.testing.assert_array_equal(raw_inputs(stored, raw(valid)), valid.features)


@pytest.mark.parametrize("method", ["none", "temperature"])
@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("logistic", "device=cuda:99 is not there, as"),
        ("bdt", "device must be auto or cpu, not cuda:99: a tagger of kind trees scores on the cpu alone"),
        ("fisher", "device must be auto or cpu, not cuda:99: a tagger of kind fisher"),
        ("xgboost", "device must be auto or cpu, not cuda:99: a tagger of kind xgboost"),
    ],
)
def test_every_tagger_moves_with_its_sentinels_to_a_device_it_can_use(name, refusal, method, fitted):
    tagger, valid = fitted(MODELS[name], replace(QUICK, calibrate=method))
    moved = tagger.to("cpu")
    assert moved.device == "cpu"
    np.testing.assert_array_equal(moved.scores(raw(valid)), tagger.scores(valid))
    with pytest.raises(ValueError, match=refusal):
        tagger.to("cuda:99")


def test_a_feature_that_was_dropped_has_no_sentinels(parts):
    train, valid = (
        replace(part, features=np.where([True, True, False], part.features, 3), sentinels=SENTINELS) for part in parts()
    )
    fit = Logistic(preprocess=Preprocess(constant="drop")).fit(train, valid, QUICK)
    for _ in fit:
        pass
    assert fit.tagger().sentinels == {"x0": SENTINELS["x0"]}


def rewritten(sentinels):
    path = Path("tagger/tagger.json")
    head = json.loads(path.read_text())
    head.pop("sentinels")
    path.write_text(json.dumps(head if sentinels is None else {**head, "sentinels": sentinels}))


def test_a_tagger_of_before_knows_none_and_scores_as_before(fitted):
    tagger, valid = fitted(BDT(iterations=5))
    tagger.save("tagger")
    rewritten(None)
    stored = load_tagger("tagger")
    assert stored.sentinels == {}
    np.testing.assert_array_equal(stored.scores(valid), tagger.scores(valid))


@pytest.mark.parametrize("name", ["bdt", "logistic", "xgboost"])
@pytest.mark.parametrize(
    ("sentinels", "says"),
    [
        ([], "sentinels must be a list of numbers for each input"),
        ({"x0": -999}, "sentinels must be a list of numbers for each input"),
        ({"x9": [-999]}, "sentinels must be of inputs, not of 'x9'"),
        ({"x0": ["NaN"]}, "sentinels must be numbers, not 'NaN'"),
        ({"x0": [True]}, "sentinels must be numbers, not 'True'"),
        ({"x0": [[1]]}, r"sentinels must be numbers, not '\[1\]'"),
        ({"x0": [float("nan")]}, "sentinels must be numbers, not 'nan'"),
    ],
)
def test_a_file_with_other_sentinels_is_refused(name, sentinels, says, fitted):
    fitted(MODELS[name])[0].save("tagger")
    rewritten(sentinels)
    with pytest.raises(ValueError, match=says):
        load_tagger("tagger")


def test_json_holds_no_infinity(fitted):
    fitted(Fisher())[0].save("tagger")
    head = json.loads(Path("tagger/tagger.json").read_text(), parse_constant=pytest.fail)
    assert head["sentinels"] == {"x0": [-999.99, "inf"], "x2": [-9.0]}
