"""The paths of metrics.json, and that nothing in it is ever nan or infinite."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.scored import Scored
from hepclf.statistics.value import Value

SPLIT = {
    "auc",
    "log_loss",
    "brier",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "errors",
    "threshold",
    "confusion",
    "working_points",
    "negative_fraction",
}
QUOTED = {"significance", "significance_at_threshold"}
SIGNIFICANCE = {"cut", "s", "b", "s_over_sqrt_b", "asimov", "asimov_systematic", "optimised", "reason", "floor"}
POINT = {"target", "signal_efficiency", "background_efficiency", "rejection", "threshold", "rejection_limit"}
PAIR = {"value", "error"}


def scored(k=2, n=3000, seed=0, **spectators):
    rng = np.random.default_rng(seed)
    labels, split = rng.integers(0, k, n), rng.integers(0, 3, n)
    logits = rng.normal(size=(n, k)) + 1.5 * np.eye(k)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = ("background", "signal") if k == 2 else ("qcd", "top", "higgs")
    return Scored(
        labels=labels,
        weights=rng.lognormal(0, 0.5, n),
        scores=scores[:, 1] if k == 2 else scores,
        split=split,
        classes=names,
        processes=labels,
        process_names=names,
        spectators={name: make(labels, rng) for name, make in spectators.items()},
    )


def written(of, **settings):
    return json.loads(json.dumps(evaluate(of, Evaluation(**settings)).to_dict(), allow_nan=False))


def is_point(point):
    assert set(point) == POINT
    assert isinstance(point["signal_efficiency"], float)
    assert isinstance(point["threshold"], float)
    assert set(point["background_efficiency"]) == set(point["rejection"]) == PAIR


def test_the_paths_of_two_classes():
    found = written(scored())
    assert next(iter(found.pop("studies"))) == "bands"
    assert set(found.pop("mixture")) == {"defined_by", "text"}
    assert found.pop("warnings") == []
    assert set(found) == {"train", "valid", "test"}
    for name, split in found.items():
        assert set(split) == SPLIT | (QUOTED if name == "test" else set())
        assert set(split["auc"]) == PAIR
        means = {"log_loss", "brier", "accuracy", "precision", "recall", "f1"}
        assert set(split["errors"]) == means
        for mean in means:
            assert isinstance(split[mean], float)
            assert isinstance(split["errors"][mean], float)
        assert split["threshold"] == 0.5
        assert np.shape(split["confusion"]) == (2, 2)
        assert split["negative_fraction"] == 0
        assert [point["target"] for point in split["working_points"]] == [0.3, 0.5, 0.7, 0.9]
        for point in split["working_points"]:
            is_point(point)
    for name in QUOTED:
        significance = found["test"][name]
        assert set(significance) == SIGNIFICANCE
        assert (significance["optimised"], significance["reason"]) == ("asimov", None)
    for name in ("s", "b", "s_over_sqrt_b", "asimov", "asimov_systematic"):
        assert set(significance[name]) == PAIR
        assert None not in significance[name].values()


def test_the_exact_likelihood_ratio_has_its_area():
    found = written(scored(llr=lambda labels, rng: rng.normal(3.0 * labels)))
    assert set(found["test"]["optimal_auc"]) == PAIR
    assert found["test"]["optimal_auc"]["value"] > found["test"]["auc"]["value"]


def test_the_paths_of_three_classes():
    found = written(scored(3))
    assert "multiclass" in found.pop("studies")
    assert found.pop("mixture")["defined_by"] == "splits"
    assert found.pop("warnings") == []
    for split in found.values():
        assert set(split) - QUOTED == SPLIT | {"one_vs_rest"}
        assert split["threshold"] is None
        assert np.shape(split["confusion"]) == (3, 3)
        assert list(split["one_vs_rest"]) == ["qcd", "top", "higgs"]
        for one in split["one_vs_rest"].values():
            assert set(one) == {"auc", "working_points"}
            assert set(one["auc"]) == PAIR
            for point in one["working_points"]:
                is_point(point)
    assert set(found["test"]["significance"]) == SIGNIFICANCE


def test_a_split_without_events_is_left_out():
    of = scored()
    kept = of.of("valid").joined(of.of("test"))
    results = evaluate(kept, Evaluation())
    assert list(results.splits) == ["valid", "test"]
    assert list(results.to_dict()) == ["warnings", "valid", "test", "studies", "mixture"]
    assert results.train is None


def test_what_is_not_finite_is_written_as_null():
    results = evaluate(scored(), Evaluation())
    broken = replace(results.test, negative_fraction=math.nan, auc=Value(math.inf, math.nan))
    found = replace(results, test=broken).to_dict()["test"]
    assert (found["negative_fraction"], found["auc"]) == (None, {"value": None, "error": None})


def test_tuples_lose_what_is_not_finite_as_well():
    class Answer:
        sentences, tables = (), ()

        def to_dict(self):
            return {"pair": (1.0, math.nan)}

    found = replace(evaluate(scored(), Evaluation()), studies={"mine": Answer()}).to_dict()
    assert found["studies"]["mine"] == {"pair": [1.0, None]}


rows = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 2),
        st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, 1)),
        st.one_of(st.sampled_from([0.0, 1.0, -1.0, 0.1, 0.2, -0.3]), st.floats(1e-9, 1e9), st.floats(-1e9, -1e-9)),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=100)
@example(
    [(0, 0, 0.0, 0.0), (0, 2, 2.2e-311, 1.0), (1, 2, 0.0, 1.0)], 2, 0.0, 0.0
)  # an excess that is infinitely unlikely
@given(rows, st.sampled_from([2, 3]), st.sampled_from([0.0, 1.0, 10.0]), st.sampled_from([0.0, 0.1]))
def test_whatever_the_events_json_takes_the_verdict(events, k, minimum, systematic):
    labels, split, scores, weights = (np.array(column) for column in zip(*events, strict=True))
    labels = labels % k
    columns = scores if k == 2 else np.stack([scores, (1 - scores) / 2, (1 - scores) / 2], axis=1)
    names = tuple("abc"[:k])
    of = Scored(
        labels=labels,
        weights=weights,
        scores=columns,
        split=split,
        classes=names,
        processes=labels,
        process_names=names,
    )
    found = written(of, minimum_background=minimum, systematic=systematic)
    for name in ("train", "valid", "test"):
        assert (name in found) == bool((split == ("train", "valid", "test").index(name)).any())
    if "test" in found:
        significance = found["test"]["significance"]
        assert (significance["cut"] is None) == (significance["reason"] is not None)


@pytest.mark.parametrize("present", [0, 1])
@pytest.mark.parametrize("name", ["train", "valid", "test"])
def test_a_split_of_one_class_has_what_can_be_had(present, name):
    of = scored(n=1500, seed=1)
    index = ("train", "valid", "test").index(name)
    mask = (of.split != index) | (of.labels == present)
    columns = {key: getattr(of, key)[mask] for key in ("labels", "weights", "scores", "split", "processes")}
    one = Scored(**columns, classes=of.classes, process_names=of.process_names)
    found = written(one, minimum_background=1)
    assert found[name]["auc"] == {"value": None, "error": None}
    assert found[name]["accuracy"] is not None
    for point in found[name]["working_points"]:
        assert point["signal_efficiency"] is point["threshold"] is point["rejection"]["value"] is None
    if name != "train":
        missing = of.classes[1 - present]
        assert found["test"]["significance"]["cut"] is None
        assert f"process '{missing}'" in found["test"]["significance"]["reason"]
    else:
        assert found["test"]["significance"]["reason"] is None
