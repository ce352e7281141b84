from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.variations import Variations
from hepclf.evaluation.studies.varied import Variation
from hepclf.presentation.plots.style import style
from hepclf.presentation.plots.variations import pictures as variations
from hepclf.statistics.curves.chosen import Wish
from hepclf.statistics.value import NOTHING, Value

OTHERS = {field.name: None for field in fields(Evaluation) if hasattr(getattr(Evaluation(), field.name), "study")}


def alone(**settings):
    """The settings with no study but those named."""
    return Evaluation(**(OTHERS | settings))


HALF = Wish("signal_efficiency", 0.5)
N = 6000


def probability(features):
    return 1 / (1 + np.exp(-features.astype(np.float64).sum(axis=1)))


@pytest.fixture
def data(make_scored):
    """Scored events of a tagger that adds two features, and its inside."""
    rng = np.random.default_rng(0)
    labels, split = rng.integers(0, 2, N), rng.integers(0, 3, N)
    features = rng.normal(labels[:, None], 1.5, (N, 2)).astype(np.float32)
    weights = rng.lognormal(0, 0.4, N)
    spectators = {"pileup_up": 1 + 0.2 * labels, "weight_up": weights * 1.5, "broken": np.full(N, np.nan)}
    scored = make_scored(labels, probability(features), weights, split, spectators=spectators)
    test = features[split == 2]
    return scored, Inside(names=("pt", "eta"), read=lambda places: test[places], ask=probability), test


def found(data, inside=True, yields=None, **named):
    scored, seen, _ = data
    evaluation = alone(variations=Variations(named=named), yields=yields or {})
    return evaluate(scored, evaluation, seen if inside else None).studies["variations"]


def test_varied_features_are_those_of_a_tagger_that_is_asked_again(data):
    scored, _, test = data
    of = found(data, pt_up=Variation(features=("pt",), scale=1.1, shift=0.2))
    varied = test.copy()
    varied[:, 0] = varied[:, 0] * 1.1 + 0.2
    part, cut, shifted = scored.of("test"), of.cuts[HALF], of.variations["pt_up"]
    assert shifted.auc.value == pytest.approx(
        roc_auc_score(part.labels, probability(varied), sample_weight=part.weights), abs=1e-12
    )
    for label, name, total in ((1, "signal_efficiency", "s"), (0, "background_efficiency", "b")):
        own = part.labels == label
        w = part.weights[own]
        before, after = (w[scores[own] >= cut].sum() for scores in (part.scores, probability(varied)))
        assert shifted.by_cut[HALF][name].value == pytest.approx(after / before - 1, rel=1e-9)
        assert shifted.by_cut[HALF][total] == pytest.approx(shifted.by_cut[HALF][name], rel=0.2)
    assert not np.allclose(test, varied)


def test_a_factor_on_the_weights_changes_yields_and_not_efficiencies_of_a_class(data):
    whole = found(data, yields={"signal": 7, "background": 900}, up=Variation(factor="pileup_up"))
    of, nominal = whole.variations["up"], whole.nominal.by_cut[HALF]
    assert nominal["s"].value == pytest.approx(7 * nominal["signal_efficiency"].value, rel=1e-9)
    assert nominal["b"].value == pytest.approx(900 * nominal["background_efficiency"].value, rel=1e-9)
    assert of.by_cut[HALF]["signal_efficiency"].value == pytest.approx(0, abs=1e-12)
    assert of.by_cut[HALF]["s"].value == pytest.approx(0.2, rel=1e-9)
    assert of.by_cut[HALF]["b"] == Value(0.0)
    assert of.auc_shift.value == pytest.approx(0, abs=1e-12)


def test_varied_weights_are_a_column_of_their_own(data):
    of = found(data, inside=False, up=Variation(weight="weight_up")).variations["up"]
    assert of.by_cut[HALF]["s"].value == pytest.approx(0.5, rel=1e-9)
    assert of.by_cut[HALF]["background_efficiency"].value == pytest.approx(0, abs=1e-12)


def test_the_error_of_a_shift_of_the_auc_knows_that_the_events_are_the_same(data):
    test = data[2]
    shifted = found(data, pt_up=Variation(features=("pt",), scale=1.3)).variations["pt_up"]
    part = data[0].of("test")
    rng, moves = np.random.default_rng(1), []
    varied = test * np.array([1.3, 1.0], dtype=np.float32)
    for _ in range(80):
        w = part.weights * rng.poisson(1, len(part))
        moves.append(
            roc_auc_score(part.labels, probability(varied), sample_weight=w)
            - roc_auc_score(part.labels, part.scores, sample_weight=w)
        )
    assert shifted.auc_shift.error == pytest.approx(np.std(moves), rel=0.25)
    assert shifted.auc_shift.error < shifted.auc.error / 2


def test_features_are_not_varied_from_scores_alone_and_the_reason_is_said(data):
    of = found(data, inside=False, pt_up=Variation(features=("pt",), scale=1.1))
    assert of.sentences == (
        "No results for variation pt_up: features cannot be varied from stored scores alone; evaluate the run with its "
        "data.",
    )
    assert of.tables == ()
    assert "reason" in of.to_dict()["variations"]["pt_up"]


def test_several_classes_are_asked_for_the_signal(make_scored):
    rng = np.random.default_rng(3)
    labels, split = np.arange(900) % 3, np.arange(900) // 3 % 3
    features = (rng.normal(size=(900, 3)) + 2 * np.eye(3)[labels]).astype(np.float32)

    def ask(x):
        p = np.exp(x.astype(np.float64))
        return p / p.sum(axis=1, keepdims=True)

    scored = make_scored(labels, ask(features), split=split)
    inside = Inside(names=("a", "b", "c"), read=lambda places: features[split == 2][places], ask=ask)
    settings = Variations(named={"c_up": Variation(features=("c",), shift=0.5)})
    of = evaluate(scored, alone(variations=settings), inside).studies["variations"].variations["c_up"]
    assert of.by_cut[HALF]["signal_efficiency"].value > 0.1


def test_the_tables_fit_a_terminal_and_the_numbers_are_plain(data):
    of = found(data, pt_up=Variation(features=("pt",), scale=1.1), pileup_up=Variation(factor="pileup_up"))
    for grid in of.tables:
        widths = [max(len(cell) for cell in column) for column in zip(grid.header, *grid.rows, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80
    plain = json.loads(json.dumps(of.to_dict()))
    test, cut = data[0].of("test"), plain["nominal"]["cuts"][0]
    own = test.labels == 1
    kept = test.weights[own & (test.scores >= cut["cut"])].sum() / test.weights[own].sum()
    assert cut["signal_efficiency"]["value"] == pytest.approx(kept, rel=1e-12)
    assert set(plain["variations"]["pt_up"]["cuts"][0]) >= {"signal_efficiency", "background_efficiency", "s", "b"}
    assert of.sentences[0].startswith(
        "A clear sign that a variation changes the background efficiency at the cut for 50 % of signal (p = "
    )
    assert "corrected for 2 tests): pt_up by +" in of.sentences[0]
    assert plain["variations"]["pt_up"]["cuts"][0]["evidence"]["answer"] == "clear"


def test_the_shifts_are_drawn(data):
    scored, inside, _ = data
    named = {"$pt_{up": Variation(features=("pt",), scale=1.1), "pileup_up": Variation(factor="pileup_up")}
    results = evaluate(scored, alone(variations=Variations(named=named)), inside)
    with style():
        (picture,) = variations(results.studies["variations"], results, "title")
        picture.figure.canvas.draw()
    assert list(picture.series[0].columns["variation"]) == list(named)


def test_a_varied_weight_that_is_no_number_is_refused(data):
    with pytest.raises(ValueError, match="'broken' must be finite to vary weights, not nan or infinite as in 2,"):
        found(data, up=Variation(factor="broken"))


def test_a_name_that_the_data_lacks_is_refused_before_training_and_after(data):
    settings = Variations(named={"up": Variation(factor="pileup")})
    message = r"evaluation\.variations\.named\.up: 'pileup' is no spectator of the data; nearest: 'pileup_up'"
    with pytest.raises(ValueError, match=message):
        settings.check(("pileup_up",), ("pt",))
    with pytest.raises(ValueError, match=message):
        found(data, up=Variation(factor="pileup"))
    with pytest.raises(ValueError, match="up: 'phi' is no feature of the data; there are: 'pt', 'eta'"):
        found(data, up=Variation(features=("phi",), scale=2.0))


@pytest.mark.parametrize(
    ("variation", "message"),
    [
        (Variation(factor="pt"), "'pt' is no spectator of the data"),
        (Variation(features=("pileup_up",), scale=2.0), "'pileup_up' is no feature of the data"),
    ],
)
def test_weights_are_spectators_and_what_is_scaled_are_features(variation, message):
    with pytest.raises(ValueError, match=message):
        Variations(named={"up": variation}).check(("pileup_up",), ("pt",))


def test_a_weight_that_is_text_is_refused(make_scored):
    scored = make_scored([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], None, [1, 1, 2, 2], spectators={"name": list("abcd")})
    with pytest.raises(ValueError, match="spectator 'name' must be numbers to vary weights, not "):
        evaluate(scored, alone(variations=Variations(named={"up": Variation(weight="name")})))


def test_without_expected_yields_there_are_no_shifts_of_them(make_scored, drawn):
    labels, scores, _ = drawn(900)
    split = np.arange(900) % 3
    weights = np.where((split == 2) & (labels == 1), -1.0, 1.0)
    weights[(split == 2) & (labels == 1) & (np.arange(900) % 9 == 2)] = 1.0
    scored = make_scored(labels, scores, weights, split, spectators={"up": np.full(900, 1.1)})
    evaluation = alone(variations=Variations(named={"up": Variation(factor="up")}))
    of = evaluate(scored, evaluation).studies["variations"].variations["up"]
    assert of.by_cut[HALF]["s"] == of.by_cut[HALF]["signal_efficiency"] == NOTHING


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "a variation must have one of weight, factor and features, not none"),
        ({"weight": "a", "factor": "b"}, r"not \['weight', 'factor'\]"),
        ({"features": ("pt",)}, "features are varied by a scale or a shift"),
        ({"factor": "a", "scale": 2.0}, "those vary features alone"),
        ({"features": ("pt",), "scale": np.inf}, "scale and shift must be finite, not inf and 0"),
    ],
)
def test_a_variation_that_cannot_be_meant_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Variation(**settings)
