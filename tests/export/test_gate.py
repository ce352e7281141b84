"""The gate refuses an export that is wrong in one place."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from hepclf import BDT, Logistic, PlainMLP, Preprocess
from hepclf.export.formats import FORMATS
from hepclf.export.gate import TOLERANCE, largest_difference, trial
from hepclf.export.hard_events import hard_events
from hepclf.models.fisher import Fisher
from hepclf.models.trees import TreesTagger

BOOSTED = BDT(iterations=10, leaves=8)
INFINITY = np.float32(np.inf)


def tried(tagger, wrong, real=None, kind="onnx"):
    """The gate's answer to the export of another tagger in place of this one."""
    write, read = FORMATS[kind].writer_and_reader(kind, wrong)
    real = np.empty((0, len(tagger.inputs)), dtype=np.float32) if real is None else real
    with read(write(wrong, "tagger", {})) as score:
        return largest_difference(kind, score, trial(tagger, real), refuses=FORMATS[kind].refuses)


def changed(tagger, **arrays):
    """These trees with other arrays."""
    return TreesTagger(
        inputs=tagger.inputs,
        classes=tagger.classes,
        arrays={**copy.deepcopy(tagger.arrays), **arrays},
        settings=tagger.settings,
    )


def altered(tagger, **buffers):
    """This network with other buffers of its preparation."""
    other = copy.deepcopy(tagger)
    for name, value in buffers.items():
        getattr(other.module.prepare, name).copy_(value)
    return other


@pytest.mark.parametrize("kind", ["onnx", "xgboost-json"])
def test_a_tagger_is_like_itself_even_without_real_events(kind, events, fitted):
    tagger = fitted(BOOSTED, events())
    assert tried(tagger, tagger, kind=kind) <= TOLERANCE


@pytest.mark.parametrize("model", [BOOSTED, Fisher(), Logistic()], ids=["trees", "fisher", "network"])
def test_swapped_features_are_refused(model, events, fitted):
    train = events()
    tagger, other = fitted(model, train), fitted(model, train)
    swap = [1, 0, 2, 3]
    if isinstance(tagger, TreesTagger):
        features = np.array([-1, 1, 0, 2, 3], dtype=np.int32)[tagger.arrays["features"] + 1]
        other = changed(tagger, features=features)
    elif model == Fisher():
        other.arrays = {name: tagger.arrays[name][..., swap] for name in ("coefficients", "centre", "fill")} | {
            "intercepts": tagger.arrays["intercepts"]
        }
    else:
        weight = other.module.body[0].weight
        weight.copy_(weight[:, [*swap, 4]].clone())
    with pytest.raises(ValueError, match=r"format=onnx differs from the tagger by .*nothing was written"):
        tried(tagger, other)


@pytest.mark.parametrize("to", [-INFINITY, INFINITY])
def test_a_threshold_that_is_one_step_off_is_refused_wherever_it_is(to, events, fitted):
    tagger = fitted(BDT(iterations=2, leaves=6), events())
    splits = np.flatnonzero(tagger.arrays["features"] >= 0)
    assert len(splits) == 10
    for split in splits:
        thresholds = tagger.arrays["thresholds"].copy()
        thresholds[split] = np.nextafter(thresholds[split], to)
        with pytest.raises(ValueError, match="differs from the tagger"):
            tried(tagger, changed(tagger, thresholds=thresholds))


def test_a_missing_value_that_goes_the_other_way_is_refused_wherever_it_is(events, fitted):
    tagger = fitted(BDT(iterations=2, leaves=6), events())
    many = np.tile(events().features, (20, 1))
    many[np.random.default_rng(0).random(many.shape) < 0.4] = np.nan
    refused = 0
    for split in np.flatnonzero(tagger.arrays["features"] >= 0):
        missing_left = tagger.arrays["missing_left"].copy()
        missing_left[split] ^= True
        other = changed(tagger, missing_left=missing_left)
        if (other.probabilities(many) == tagger.probabilities(many)).all():
            continue  # below a split by the same feature, which no missing value comes to
        refused += 1
        with pytest.raises(ValueError, match="differs from the tagger"):
            tried(tagger, other)
    assert refused >= 6


def test_a_baseline_that_was_lost_is_refused(events, fitted):
    train = events()
    tagger = fitted(BOOSTED, train.take(np.arange(len(train)) % 10 < 6))
    baseline = tagger.arrays["baseline"] + 1e-5
    with pytest.raises(ValueError, match="differs from the tagger"):
        tried(tagger, changed(tagger, baseline=baseline), train.features)


@pytest.mark.parametrize("buffer", ["fill", "centre", "width"])
def test_another_preparation_is_refused(buffer, events, fitted):
    tagger = fitted(Logistic(), events())
    value = getattr(tagger.module.prepare, buffer).clone()
    value[1] *= 1.01
    with pytest.raises(ValueError, match="differs from the tagger"):
        tried(tagger, altered(tagger, **{buffer: value}))


def test_a_knot_that_is_off_is_refused(events, fitted):
    tagger = fitted(PlainMLP(hidden=(8,), preprocess=Preprocess(scaling="quantile")), events())
    knots = tagger.module.prepare.knots.clone()
    knots[0, 100] = knots[0, 101]
    with pytest.raises(ValueError, match="differs from the tagger"):
        tried(tagger, altered(tagger, knots=knots))


def test_scores_that_are_not_there_and_other_shapes_are_refused(events, fitted):
    tagger = fitted(BOOSTED, events())
    trying = trial(tagger, events().features)
    with pytest.raises(ValueError, match="differs from the tagger by inf"):
        largest_difference("onnx", lambda features: np.full(len(features), np.nan), trying, refuses=True)
    with pytest.raises(ValueError, match=r"scores of shape \(\d+, 1\)"):
        largest_difference("onnx", lambda features: np.zeros((len(features), 1)), trying, refuses=True)


def test_a_form_that_forgets_its_shape_where_there_is_no_event_is_refused(events, fitted):
    tagger = fitted(BOOSTED, events())

    def score(features):
        return tagger.probabilities(features) if len(features) else np.zeros((0, 1))

    with pytest.raises(ValueError, match=r"scores of shape \(0, 1\), not \(0,\)"):
        largest_difference("onnx", score, trial(tagger, events().features), refuses=False)


def test_a_score_for_an_infinite_feature_is_refused(events, fitted):
    tagger = fitted(BOOSTED, events())
    trying = trial(tagger, events().features)

    def score(features):
        return tagger.probabilities(features)

    assert largest_difference("onnx", score, trying, refuses=False) == 0
    with pytest.raises(ValueError, match="gives a score to an infinite feature"):
        largest_difference("onnx", score, trying, refuses=True)


@pytest.mark.parametrize("absent", [False, True])
def test_hard_events_hit_each_threshold_on_the_way_to_its_split(absent, events, fitted):
    train = events()
    tagger = fitted(BDT(iterations=1, leaves=10), train)
    trees, found = tagger.trees, hard_events(tagger, np.full_like(train.features, np.nan) if absent else train.features)
    for split in np.flatnonzero(trees.inner):
        feature, threshold = trees.columns[split] % trees.width, trees.thresholds[split]
        values = found[reaching(trees, found, split), feature]
        steps = [np.nextafter(threshold, -INFINITY), threshold, np.nextafter(threshold, INFINITY)]
        assert np.isin(steps, values).all()


def reaching(trees, features, split):
    """Which events pass this node: a plain walk, one event and one node at a time."""
    found = []
    for row in features:
        node, passed = 0, False
        while trees.inner[node]:
            passed |= node == split
            value = row[trees.columns[node] % trees.width]
            right = trees.columns[node] < trees.width if np.isnan(value) else value > trees.thresholds[node]
            node = trees.children[node] + right
        found.append(passed)
    return np.array(found)


def test_hard_events_that_overflow_the_tagger_are_counted_and_left_out(events, fitted):
    train = events()
    tagger = fitted(PlainMLP(hidden=(8,)), train)
    trying = trial(tagger, train.features)
    assert trying.refused > 0
    assert trying.hard_count + trying.refused == len(hard_events(tagger, train.features))
    assert np.isfinite(trying.expected).all()
