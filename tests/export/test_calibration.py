"""Calibrated taggers in every form that holds them: the map is in the file."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from hepclf import BDT, PlainMLP
from hepclf.events import Events
from hepclf.export.formats import FORMATS
from hepclf.export.gate import largest_difference, trial
from hepclf.export.onnx.calibration import calibration_nodes
from hepclf.export.onnx.graph import DOUBLE, FEATURES, Graph
from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.fisher import Fisher
from hepclf.models.forest import Forest
from hepclf.models.likelihood import Likelihood
from hepclf.statistics.calibration import Isotonic, Temperature, isotonic

compiled = pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="there is no C++ compiler")
HEADS = ["onnx", pytest.param("cpp", marks=compiled)]
MODELS = {
    "network": PlainMLP(hidden=(8,)),
    "boosted": BDT(iterations=10, leaves=6),
    "forest": Forest(trees=6),  # many of whose scores are 0 and 1
    "fisher": Fisher(),
}
CLOSE = {"network": 1e-5, "boosted": 4e-8, "forest": 4e-8, "fisher": 4e-8}  # measured: half a step of float32, 3e-8


def mapped(tagger, method, events):
    """The tagger with a temperature, or with an isotonic map that was fitted to these events."""
    if method == "temperature":
        return CalibratedTagger(tagger, Temperature(1.7))
    return CalibratedTagger(tagger, isotonic(tagger.scores(events), events.labels, np.ones(len(events))))


def steep(knots):
    """So many knots at random."""
    columns = np.random.default_rng(0).normal(0, 1, (2, knots))
    return Isotonic(*np.sort(columns, axis=1))


def difference(kind, tagger, features, wrong=None):
    """The gate's answer to an export of the tagger, or of a wrong one in its place."""
    write, read = FORMATS[kind].writer_and_reader(kind, wrong or tagger)
    with read(write(wrong or tagger, "tagger", {})) as score:
        return largest_difference(kind, score, trial(tagger, features), refuses=FORMATS[kind].refuses)


CASES = [(name, method, 2) for name in MODELS for method in ("temperature", "isotonic")]
CASES += [(name, "temperature", 3) for name in ("network", "boosted")]


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(("name", "method", "classes"), CASES)
def test_a_calibrated_tagger_gives_the_same_scores(name, method, classes, kind, events, fitted):
    train = events(classes, size=400)
    tagger = mapped(fitted(MODELS[name], train), method, train)
    assert abs(tagger.scores(train) - tagger.inner.scores(train)).max() > 0.01
    assert difference(kind, tagger, train.features) <= CLOSE[name]


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(
    "calibration", [steep(3000), Isotonic(np.array([0.3]), np.array([1.0]))], ids=["3000 knots", "one"]
)
def test_any_number_of_knots_is_exact(calibration, kind, events, fitted):
    train = events()
    assert difference(kind, CalibratedTagger(fitted(Fisher(), train), calibration), train.features) <= 4e-8


@pytest.mark.parametrize("classes", [2, 3])
def test_xgboost_holds_a_temperature_in_its_leaves(classes, events, fitted):
    train = events(classes)
    train = train.take((train.labels == 0) | (np.arange(len(train)) % 5 == 0))  # so that the baseline is not zero
    tagger = mapped(fitted(MODELS["boosted"], train, balance="none"), "temperature", train)
    assert abs(tagger.inner.arrays["baseline"]).max() > 0.5
    assert difference("xgboost-json", tagger, train.features) <= 1e-6


def test_xgboost_holds_no_isotonic_map(events, fitted):
    train = events()
    tagger = mapped(fitted(MODELS["boosted"], train), "isotonic", train)
    with pytest.raises(
        ValueError, match=r"must be temperature for format=xgboost-json, not isotonic.*; use format=onnx"
    ) as caught:
        difference("xgboost-json", tagger, train.features)
    assert "\n" not in str(caught.value)


def test_the_tagger_inside_is_named_where_a_form_cannot_hold_it(events, fitted):
    train = events()
    whole = Events(features=np.nan_to_num(train.features), labels=train.labels, names=train.names)
    tagger = CalibratedTagger(fitted(Likelihood(), whole), Temperature(2.0))
    with pytest.raises(ValueError, match=r"format=onnx holds .*, not a LikelihoodTagger"):
        FORMATS["onnx"].writer_and_reader("onnx", tagger)


@pytest.mark.parametrize(
    ("name", "kind"), [("network", "onnx"), ("boosted", "onnx"), ("fisher", "onnx"), ("boosted", "xgboost-json")]
)
def test_a_map_that_was_lost_or_a_temperature_that_is_off_is_refused(name, kind, events, fitted):
    train = events()
    tagger = CalibratedTagger(fitted(MODELS[name], train), Temperature(1.3))
    for wrong in (tagger.inner, CalibratedTagger(tagger.inner, Temperature(1.301))):
        with pytest.raises(ValueError, match="differs from the tagger by"):
            difference(kind, tagger, train.features, wrong)


@pytest.mark.parametrize("real", [True, False], ids=["real events", "none"])
@pytest.mark.parametrize("name", ["network", "fisher"])
def test_a_knot_that_is_off_is_refused_wherever_it_is(name, real, events, fitted):
    train = events()
    tagger = mapped(fitted(MODELS[name], train), "isotonic", train)
    features, calibration = train.features[: len(train) * real], tagger.calibration
    for knot in range(len(calibration.after)):
        after = calibration.after.copy()
        after[knot] = after[knot] * 0.99 + 0.01 * (after[knot - 1] if knot else after[0] - 1)
        with pytest.raises(ValueError, match="differs from the tagger by"):
            difference("onnx", tagger, features, CalibratedTagger(tagger.inner, replace(calibration, after=after)))


@pytest.mark.parametrize(
    ("name", "way"),
    [("network", "up to 60 times as steep as .*; use trainer.calibrate=temperature"), ("fisher", "use another format")],
)
def test_a_map_so_steep_that_it_magnifies_rounding_is_named_as_the_cause(name, way, events, fitted):
    train = events()
    cliff = Isotonic(np.array([0, 0.1]), np.array([-3.0, 3.0]))
    tagger = CalibratedTagger(fitted(MODELS[name], train), cliff)

    def score(features):
        return tagger.scores(Events(features=features, names=tagger.inputs)) + 2e-5

    with pytest.raises(ValueError, match=rf"differs from the tagger by .*{way}$"):
        largest_difference("onnx", score, trial(tagger, train.features), refuses=False)


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_an_infinite_feature_and_an_overflow_have_no_score(method, kind, events, fitted):
    train = events()
    tagger = mapped(fitted(MODELS["network"], train), method, train)
    rows = np.array([[np.inf, 0, 0, 0], [0, 0, np.finfo(np.float32).max, 0], [0, 0, 0, 0]], dtype=np.float32)
    write, read = FORMATS[kind].writer_and_reader(kind, tagger)
    with read(write(tagger, "tagger", {})) as score:
        assert np.isnan(score(rows)).tolist() == [True, True, False]


EXTREMES = np.array([0, 5e-324, 1e-300, 1e-17, 1e-9, 0.5, 1 - 1e-9, 1 - 2**-53, 1])


@pytest.mark.parametrize("calibration", [Temperature(0.05), Temperature(30.0), steep(2), steep(64), steep(1023)])
def test_onnx_maps_certain_scores_as_the_tagger_does(calibration):
    import onnxruntime

    graph = Graph()
    p = graph.add("Squeeze", graph.add("Cast", FEATURES, to=DOUBLE), np.array([1]))
    p = graph.add("Gather", EXTREMES, graph.add("Cast", p, to=7))
    model = graph.model(graph.add("Cast", calibration_nodes(graph, calibration, p, 2), to=1), 1, 2, {})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    places = np.arange(len(EXTREMES), dtype=np.float32)[:, None]
    np.testing.assert_allclose(session.run(None, {FEATURES: places})[0], calibration(EXTREMES), rtol=0, atol=4e-8)


def test_the_search_among_knots_takes_memory_for_events_alone():
    import onnx

    graph = Graph()
    p = graph.add("Squeeze", graph.add("Cast", FEATURES, to=DOUBLE), np.array([1]))
    model = graph.model(graph.add("Cast", calibration_nodes(graph, steep(5000), p, 2), to=1), 1, 2, {})
    assert model.ByteSize() < 5.5 * 8 * 5000 + 20_000  # each table once, and one of them padded
    inner = onnx.shape_inference.infer_shapes(model).graph.value_info
    assert len(inner) > 50
    assert {len(value.type.tensor_type.shape.dim) for value in inner if value.name != "Cast_0"} == {1}


@pytest.mark.parametrize("kind", HEADS)
def test_a_class_of_probability_zero_has_one_that_a_high_temperature_shows(kind, events, fitted):
    train = events(3, size=400)
    tagger = CalibratedTagger(fitted(MODELS["forest"], train), Temperature(100.0))
    assert (tagger.inner.scores(train) == 0).any()
    assert tagger.scores(train).min() > 4e-4
    assert difference(kind, tagger, train.features) <= CLOSE["forest"]


def test_a_temperature_divides_the_leaves_that_root_reads_and_no_condition(events, fitted):
    train = events()
    tagger = CalibratedTagger(fitted(MODELS["boosted"], train), Temperature(4.0))
    write, _ = FORMATS["xgboost-json"].writer_and_reader("xgboost-json", tagger)
    plain, cooled = (
        json.loads(write(each, "tagger", {}))["learner"]["gradient_booster"]["model"]["trees"]
        for each in (tagger.inner, tagger)
    )
    for one, other in zip(plain, cooled, strict=True):
        leaf = np.array(one["left_children"]) == -1
        before, after = (np.array(tree["split_conditions"]) for tree in (one, other))
        np.testing.assert_allclose(after[leaf], before[leaf] / 4, rtol=1e-6)
        assert (after[~leaf] == before[~leaf]).all()
