from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss, roc_auc_score

from hepclf.models.calibrated import CalibratedTagger, with_calibration
from hepclf.models.fisher import Fisher
from hepclf.models.loading import load_tagger
from hepclf.models.mlp_plain import PlainMLP
from hepclf.statistics.calibration import Isotonic, Temperature, logits
from hepclf.training.trainer import Trainer


def fitted(model, train, valid, **settings):
    trainer = Trainer(epochs=2, **settings)
    fit = model.fit(train, valid, trainer)
    for _ in fit:
        pass
    return fit.tagger(), trainer


@pytest.fixture
def tagged(gaussians):
    """A tagger of two classes, calibrated by the given method, and the events that it was calibrated on."""

    def make(method="isotonic", model=None, classes=2, **settings):
        train, valid = (gaussians(events=3000, classes=classes, seed=seed) for seed in (0, 1))
        inner, trainer = fitted(model or Fisher(), train, valid, calibrate=method, **settings)
        return with_calibration(inner, valid, trainer), valid

    return make


@pytest.mark.parametrize("method", ["isotonic", "temperature"])
@pytest.mark.parametrize("model", [Fisher(), PlainMLP()], ids=["fisher", "network"])
def test_a_calibrated_tagger_keeps_its_curve_and_lowers_the_loss_it_was_fitted_to(tagged, method, model):
    tagger, valid = tagged(method, model)
    before, after = tagger.inner.scores(valid), tagger.scores(valid)
    assert roc_auc_score(valid.labels, after) == pytest.approx(roc_auc_score(valid.labels, before), abs=1e-9)
    assert log_loss(valid.labels, after) <= log_loss(valid.labels, before) + 1e-9
    assert (tagger.inputs, tagger.classes, tagger.device) == (valid.names, valid.classes, "cpu")


@pytest.mark.parametrize("method", ["isotonic", "temperature"])
@pytest.mark.parametrize("model", [Fisher(), PlainMLP()], ids=["fisher", "network"])
def test_a_calibrated_tagger_is_read_as_it_was_saved(tagged, method, model):
    tagger, valid = tagged(method, model)
    for _ in range(2):
        tagger.save("tagger")
    again = load_tagger("tagger")
    assert (again.scores(valid) == tagger.scores(valid)).all()
    assert again.summary == tagger.summary
    assert (again.to("cpu").scores(valid) == tagger.scores(valid)).all()


@pytest.mark.skipif(sklearn.__version__ < "1.8", reason="scikit-learn has temperatures from 1.8 on")
def test_temperature_agrees_with_scikit_learn(gaussians, tagged):
    tagger, valid = tagged("temperature")
    train = gaussians(events=3000, seed=0)
    plain = LinearDiscriminantAnalysis().fit(train.features, train.labels)
    oracle = CalibratedClassifierCV(FrozenEstimator(plain), method="temperature")
    oracle.fit(valid.features, valid.labels)
    rate = 1 / tagger.calibration.temperature
    scaled = oracle.predict_proba(valid.features)[:, 1]
    mine = tagger.calibration(plain.predict_proba(valid.features)[:, 1])
    slope = np.polyfit(logits(plain.predict_proba(valid.features)[:, 1]), logits(scaled), 1)[0]
    assert rate == pytest.approx(slope, rel=0.02)
    assert mine == pytest.approx(scaled, abs=5e-3)


def test_without_calibration_the_tagger_is_as_it_was(gaussians):
    train, valid = gaussians(events=500), gaussians(events=500, seed=1)
    inner, trainer = fitted(Fisher(), train, valid)
    assert with_calibration(inner, valid, trainer) is inner


def test_three_classes_have_a_temperature_and_no_isotonic_map(tagged):
    tagger, valid = tagged("temperature", PlainMLP(), classes=3)
    assert tagger.scores(valid).sum(axis=1) == pytest.approx(np.ones(len(valid)))
    with pytest.raises(ValueError, match="calibrate=isotonic is for two classes, not 3"):
        tagged("isotonic", PlainMLP(), classes=3)
    with pytest.raises(ValueError, match="for two classes"):
        CalibratedTagger(tagger.inner, Isotonic(np.zeros(1), np.zeros(1)))


def test_calibration_uses_the_weights_of_the_loss(gaussians):
    valid = gaussians(events=4000, seed=1)
    heavy = gaussians(events=4000, seed=1, weights=np.where(valid.labels == 1, 5.0, 1.0))
    inner, trainer = fitted(Fisher(), gaussians(events=4000), valid, calibrate="isotonic")
    balanced = [with_calibration(inner, each, trainer).calibration.to_dict() for each in (valid, heavy)]
    assert balanced[0]["after"] == pytest.approx(balanced[1]["after"], abs=0.2)
    natural = with_calibration(inner, heavy, Trainer(calibrate="isotonic", balance="mean"))
    assert natural.scores(valid).mean() > inner.scores(valid).mean() + 0.15


def test_a_tagger_that_scores_on_the_cpu_alone_says_so(tagged):
    tagger, _ = tagged()
    assert tagger.to("auto") is tagger
    with pytest.raises(
        ValueError, match=r"device must be auto or cpu, not cuda: .* fisher scores on the cpu alone; use device=auto"
    ):
        tagger.to("cuda")


def changed(**values):
    path = Path("tagger/tagger.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"calibration": None}, "a temperature or isotonic"),
        ({"calibration": {"method": "temperature", "temperature": -1}}, "temperature must lie in"),
        ({"calibration": {"method": "isotonic", "before": [0, 1], "after": [1, 0]}}, "must be finite and rise"),
        ({"inner": "0" * 64}, "was changed after the tagger was saved"),
        ({"inputs": ["a", "b", "c"]}, "inputs and classes must be those of the tagger inside"),
        ({"files": {"../x": "0"}}, "not a plain file"),
    ],
)
def test_a_changed_tagger_is_refused(tagged, values, said):
    tagged()[0].save("tagger")
    changed(**values)
    with pytest.raises(ValueError, match=said):
        load_tagger("tagger")


def test_a_tagger_inside_that_was_changed_or_is_missing_is_refused(tagged):
    tagged()[0].save("tagger")
    inner = Path("tagger/uncalibrated/tagger.json")
    text = inner.read_text()
    inner.write_text(text + " ")
    with pytest.raises(ValueError, match="was changed after the tagger was saved"):
        load_tagger("tagger")
    inner.unlink()
    with pytest.raises(ValueError, match="is missing or a link"):
        load_tagger("tagger")


def test_calibrated_taggers_are_not_nested(tagged):
    tagger, _ = tagged()
    CalibratedTagger(tagger, Temperature(2.0)).save("tagger")
    with pytest.raises(ValueError, match="is a tagger of kind 'calibrated'"):
        load_tagger("tagger")


def test_the_summary_says_how_it_was_calibrated(tagged, caplog):
    with caplog.at_level(logging.WARNING):
        isotonic, temperature = (tagged(method)[0].summary["calibration"] for method in ("isotonic", "temperature"))
    assert isotonic["method"] == "isotonic"
    assert isotonic["knots"] > 5
    assert temperature["temperature"] == pytest.approx(1, abs=0.2)
