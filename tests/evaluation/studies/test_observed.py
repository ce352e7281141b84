from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from scipy.special import expit

from hepclf.evaluation.case import Inside, ObservedEvents
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.observed import Observed
from hepclf.presentation.plots.observed import pictures
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored

OTHERS = {one.name: None for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")}
NAMES = ("met", "m<jj>$")


def drawn(rng, n, share=0.5, shift=0.0):
    """Labels, and two features of which the first tells the classes apart."""
    labels = (rng.random(n) < share).astype(np.int64)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    x[:, 0] += 2 * labels - 1 + shift
    return labels, x


@pytest.fixture
def case():
    """A function making scored test events, what is inside them, and observed ones."""

    def make(count=2000, share=0.5, shift=0.0, names=NAMES, **columns):
        rng = np.random.default_rng(0)
        labels, x = drawn(rng, 12_000)
        scored = Scored(labels=labels, scores=expit(2.0 * x[:, 0]), split=rng.integers(0, 3, len(labels)), **columns)
        features = x[scored.split == 2]
        inside = Inside(names=names, read=lambda places: features[places], ask=lambda given: expit(2.0 * given[:, 0]))
        _, data = drawn(rng, count, share, shift)
        seen = ObservedEvents(scores=expit(2.0 * data[:, 0]), weights=np.ones(count), features=data, names=names)
        return scored, inside, seen

    return make


def results(scored, inside, seen, **settings):
    evaluation = Evaluation(**{**OTHERS, "observed": Observed(**settings)})
    return evaluate(scored, evaluation, inside, observed=seen)


def found(*case, **settings):
    return results(*case, **settings).studies["observed"]


def test_data_of_the_same_mixture_agrees(case):
    finding = found(*case())
    assert list(finding.agreements) == ["score", *NAMES]
    assert all(of.p > 0.01 for of in finding.agreements.values())
    words = " ".join(finding.sentences)
    assert "No sign that the score differs between data and simulation (statistical errors alone): chi2/ndf = " in words
    worst = min(finding.agreements[name].p for name in NAMES)
    assert "No sign that features differ between data and simulation: the largest difference is in " in words
    assert f"p = {min(2 * worst, 1):.2g}, corrected for 2 tests." in words
    assert finding.to_dict()["evidence"]["score"]["answer"] == "none"


@pytest.mark.parametrize("change", [{"share": 0.7}, {"shift": 0.3}])
def test_other_data_does_not(case, change):
    finding = found(*case(**change))
    assert finding.agreements["score"].p < 1e-4
    assert finding.agreements["met"].p < 1e-4
    assert finding.agreements["m<jj>$"].p > 0.001
    assert finding.sentences[1].startswith("A clear sign that the score differs between data and simulation")
    assert finding.sentences[2].startswith("A clear sign that features differ between data and simulation")
    assert "the largest difference is in met, chi2/ndf = " in finding.sentences[2]
    assert {evidence["answer"] for evidence in finding.to_dict()["evidence"].values()} == {"clear"}


def test_expected_events_stand_for_the_whole_sample_and_shapes_are_scaled(case):
    scored, inside, seen = case()
    finding = found(scored, inside, seen)
    assert finding.total.value == pytest.approx(len(scored))
    assert finding.observed == (2000, pytest.approx(np.sqrt(2000)))
    of = finding.agreements["score"]
    assert of.expected.sum() == pytest.approx(2000)
    assert of.scale == pytest.approx(2000 / len(scored))
    whole = found(scored, inside, seen, scaled=False).agreements["score"]
    assert whole.expected.sum() == pytest.approx(len(scored))
    assert whole.p < 1e-10


def test_features_can_be_named_left_out_and_mistaken(case):
    scored, inside, seen = case()
    assert list(found(scored, inside, seen, features=("m<jj>$",)).agreements) == ["score", "m<jj>$"]
    assert list(found(scored, inside, seen, features=()).agreements) == ["score"]
    with pytest.raises(ValueError, match=r"names 'mett', which is no feature of the tagger; nearest: 'met'"):
        found(scored, inside, seen, features=("mett",))


def test_features_that_were_not_read_are_said_to_be_left_out(case):
    scored, _, seen = case()
    finding = found(scored, None, seen)
    assert list(finding.agreements) == ["score"]
    assert finding.sentences[-1] == "Features are not compared: those of the simulation were not read."


def test_yields_that_cannot_be_had_are_the_reason_of_none(case):
    labels = np.arange(12_000) % 2
    scored, inside, seen = case()
    weights = np.where((scored.labels == 1) & (scored.split == 2), -1.0, 1.0)
    signed = Scored(labels=scored.labels, scores=scored.scores, split=scored.split, weights=weights)
    finding = found(signed, inside, seen)
    assert finding.sentences[0].startswith("Data and simulation are not compared: process 'signal' has weights")
    assert finding.tables == ()
    assert len(labels) == len(scored)


def test_without_observed_data_the_question_does_not_arise(case):
    scored, inside, _ = case()
    assert "observed" not in results(scored, inside, None).studies


def test_three_classes_are_compared_by_the_signals_probability():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 3000)
    scored = Scored(labels=np.arange(3000) % 3, scores=p, classes=("b", "c", "l"))
    seen = ObservedEvents(
        scores=rng.dirichlet(np.ones(3), 500), weights=np.ones(500), features=np.zeros((500, 0)), names=()
    )
    finding = found(scored, None, seen)
    assert finding.agreements["score"].p > 0.001
    assert finding.agreements["score"].expected.shape == (3, 40)


def test_what_it_says_is_plain_and_is_drawn(case):
    judged = results(*case())
    finding = judged.studies["observed"]
    assert json.loads(json.dumps(finding.to_dict()))["agreement"]["met"]["ndf"] > 10
    with style():
        drawn_ = list(pictures(finding, judged, "title"))
    assert [each.stem for each in drawn_] == ["observed", "observed_1_met", "observed_2_m_jj"]
    for each in drawn_:
        each.figure.canvas.draw()
        lengths = {len(column) for column in each.series[0].columns.values()}
        assert len(lengths) == 1
