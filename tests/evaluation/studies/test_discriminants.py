from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from hepclf.data.mixture import Component, Mixture
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.discriminants import Discriminants
from hepclf.evaluation.studies.multiclass import Multiclass
from hepclf.models.logistic import Logistic
from hepclf.presentation.plots.discriminants import pictures as discriminants
from hepclf.presentation.plots.style import style
from hepclf.training.trainer import Trainer
from hepclf.workflow.train import train

OTHERS = {field.name: None for field in fields(Evaluation) if hasattr(getattr(Evaluation(), field.name), "study")}


def alone(**settings):
    """The settings with no study but those named."""
    return Evaluation(**(OTHERS | settings))


CLASSES = ("light", "charm", "bottom")


@pytest.fixture
def scored(make_scored):
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 6000, p=(0.5, 0.3, 0.2))
    logits = rng.normal(size=(6000, 3)) + 1.5 * np.eye(3)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return make_scored(labels, scores, rng.lognormal(0, 0.4, 6000), rng.integers(0, 3, 6000), classes=CLASSES)


def found(scored, **settings):
    return evaluate(scored, alone(discriminants=Discriminants(**settings))).studies["discriminants"]


def test_cuts_of_validation_are_quoted_on_test(scored):
    of = found(scored, against={"bottom": {"charm": 0.2}}, signal_efficiencies=(0.6,)).discriminants["bottom"]
    assert of.fractions == {"light": 0.8, "charm": 0.2}
    d = {
        name: np.log(part.scores[:, 2] / (0.8 * part.scores[:, 0] + 0.2 * part.scores[:, 1]))
        for name, part in ((name, scored.of(name)) for name in ("valid", "test"))
    }
    valid, test, (point,) = scored.of("valid"), scored.of("test"), of.cuts
    own = valid.labels == 2
    share = valid.weights[own & (d["valid"] >= point.cut)].sum() / valid.weights[own].sum()
    assert 0.6 <= share < 0.61
    for label, name in enumerate(CLASSES):
        w, passes = test.weights[test.labels == label], d["test"][test.labels == label] >= point.cut
        e = w[passes].sum() / w.sum()
        assert point.efficiencies[name].value == pytest.approx(e, rel=1e-9)
        if name != "bottom":
            assert point.rejections[name].value == pytest.approx(1 / e, rel=1e-9)


def test_the_scan_goes_through_the_fraction_in_use(scored):
    of = found(scored, against={"bottom": {"charm": 0.5}}, signal_efficiencies=(0.6,)).discriminants["bottom"]
    trade, valid = of.trades["charm"], scored.of("valid")
    middle = len(trade.values) // 2
    assert trade.values[middle] == pytest.approx(0.5)
    d = np.log(valid.scores[:, 2] / (0.5 * valid.scores[:, 0] + 0.5 * valid.scores[:, 1]))
    light = valid.labels == 0
    kept = valid.weights[light & (d >= of.cuts[0].cut)].sum() / valid.weights[light].sum()
    assert trade.efficiency[middle, 0, 0] == pytest.approx(kept, rel=1e-9)


def test_fractions_that_are_not_named_share_what_is_left():
    assert Discriminants(against={"b": {"c": 0.1}})._fractions("b", ("u", "c", "b", "tau")).tolist() == pytest.approx(
        [0.45, 0.1, 0.0, 0.45]
    )


def test_it_is_a_table_plain_numbers_and_pictures(scored):
    evaluation = alone(discriminants=Discriminants(against={"bottom": {"charm": 0.1}, "charm": {"bottom": 0.3}}))
    results = evaluate(scored, evaluation)
    of = results.studies["discriminants"]
    for grid in of.tables:
        widths = [max(len(cell) for cell in column) for column in zip(grid.header, *grid.rows, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80, grid.title
    plain = json.loads(json.dumps(of.to_dict()))
    assert set(plain["charm"]["points"][0]["rejections"]) == {"light", "bottom"}
    with style():
        pictures = list(discriminants(of, results, "gw, mlp, test"))
        for picture in pictures:
            picture.figure.canvas.draw()
    assert [picture.stem for picture in pictures] == ["fractions_1_1", "fractions_2_1"]
    assert pictures[0].figure.axes[0].get_title(loc="right") == "gw, mlp, validation"
    assert [series.name for series in pictures[1].series] == ["light", "bottom"]


def test_a_class_without_weight_on_validation_has_no_cut_and_it_is_said(scored):
    weights = np.where((scored.split == 1) & (scored.labels == 2), 0.0, scored.weights)
    changed = type(scored)(**{**vars(scored), "weights": weights})
    of = found(changed, against={"bottom": {"charm": 0.1}})
    assert of.sentences == (
        "No cut on the discriminant of bottom: its weights in the validation set have no positive sum.",
    )


@pytest.mark.parametrize(
    ("against", "classes", "message"),
    [
        ({"botom": {}}, CLASSES, r"names 'botom', which is no class; nearest: 'bottom'"),
        ({"bottom": {"charmed": 0.1}}, CLASSES, r"names 'charmed', which is no class; nearest: 'charm'"),
        ({"bottom": {"bottom": 0.1}}, CLASSES, r"against\.bottom must leave out 'bottom', its own class"),
        ({"bottom": {"charm": 0.1, "light": 0.1}}, CLASSES, r"must sum to 1, not 0\.2"),
        ({"signal": {}}, ("background", "signal"), r"needs three classes or more, not "),
    ],
)
def test_classes_that_the_data_lacks_are_refused_before_training(against, classes, message):
    with pytest.raises(ValueError, match=message):
        alone(discriminants=Discriminants(against=against)).check(classes, classes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"against": {"b": {"c": 0.6, "u": 0.6}}}, r"against\.b must be fractions in 0\.\.1 that sum to 1 at most"),
        ({"against": {"b": {"c": -0.1}}}, r"against\.b must be fractions in 0\.\.1"),
        ({"events": 1}, "events must be 1000 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Discriminants(**settings)


def test_a_training_of_four_classes_ends_with_its_tables():
    means = {"light": (0.0, 0.0), "charm": (1.5, 1.0), "bottom": (3.0, 0.0), "tau": (0.0, 3.0)}
    data = Mixture(
        events=2000,
        classes={name: (Component(fraction=1.0, mean=mean, width=(1.0, 1.0)),) for name, mean in means.items()},
    )
    evaluation = alone(
        signal="bottom",
        multiclass=Multiclass(),
        discriminants=Discriminants(against={"bottom": {"charm": 0.1}}),
        plots=False,
    )
    trained = train(data, Logistic(), Trainer(epochs=2), evaluation)
    studies = trained.results.studies
    assert len(studies["multiclass"].pairs) == 6
    assert min(pair.auc.value for pair in studies["multiclass"].pairs) > 0.7
    (point, *_) = studies["discriminants"].discriminants["bottom"].cuts
    assert point.rejections["charm"].value is None or point.rejections["charm"].value > 3
    assert point.efficiencies["bottom"].value == pytest.approx(0.3, abs=0.12)


def test_a_class_of_which_nothing_is_left_has_a_limit_of_its_rejection(make_scored):
    labels = np.tile([0, 1, 2], 60)
    scores = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])[labels]
    of = found(
        make_scored(labels, scores, split=1 + np.arange(180) // 90, classes=CLASSES),
        against={"bottom": {"charm": 0.5}},
        signal_efficiencies=(0.5,),
    )
    limit = 30 / -np.log(0.05)
    assert of.to_dict()["bottom"]["points"][0]["rejection_limits"]["charm"]["at_95"] == pytest.approx(limit)
    assert list(of.tables[0].rows[0][2:]) == [f"> {limit:.4g} (95 %)"] * 2
