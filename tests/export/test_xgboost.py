from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, softmax

from hepclf import BDT
from hepclf.export.xgboost import xgboost_json, xgboost_scores
from hepclf.models.trees import TreesTagger

LARGEST = np.finfo(np.float32).max


def as_root_reads(model, features):
    """The scores as ROOT's RBDT has them: a plain walk, in which whatever is not < the condition goes right."""
    learner = model["learner"]
    parameters = learner["learner_model_param"]
    classes = max(int(parameters["num_class"]), 1)
    base = float(parameters["base_score"])
    logistic = learner["objective"]["name"] == "binary:logistic"
    sums = np.full((len(features), classes), np.log(base / (1 - base)) if logistic else base)
    for number, tree in enumerate(learner["gradient_booster"]["model"]["trees"]):
        conditions = np.array(tree["split_conditions"], dtype=np.float32)
        for row, event in enumerate(features):
            node = 0
            while tree["left_children"][node] != -1:
                left = event[tree["split_indices"][node]] < conditions[node]
                node = tree["left_children" if left else "right_children"][node]
            sums[row, number % classes] += conditions[node]
    if classes > 1:
        return softmax(sums, axis=1)
    return expit(sums[:, 0]) if logistic else sums[:, 0]


@pytest.mark.parametrize("classes", [2, 3])
def test_root_reads_the_same_scores_where_no_feature_is_missing(classes, events, fitted):
    train = events(classes, size=300)
    tagger = fitted(BDT(iterations=5, leaves=6), train)
    whole = train.take(~np.isnan(train.features).any(axis=1))
    found = as_root_reads(json.loads(xgboost_json(tagger, "tagger", {})), whole.features)
    np.testing.assert_allclose(found, tagger.scores(whole), rtol=0, atol=1e-6)


def test_the_base_score_is_one_number_which_older_readers_take_too(events, fitted):
    for classes in (2, 3):
        model = json.loads(xgboost_json(fitted(BDT(iterations=2), events(classes)), "tagger", {}))
        assert model["learner"]["learner_model_param"]["base_score"] == ("5E-1" if classes == 2 else "0E0")
        assert model["learner"]["feature_names"] == []


def test_a_split_between_missing_and_all_others_keeps_its_sides():
    tagger = TreesTagger(
        inputs=("x",),
        classes=("background", "signal"),
        arrays={
            "sizes": np.array([3]),
            "features": np.array([0, -1, -1], dtype=np.int32),
            "thresholds": np.array([LARGEST, 0, 0], dtype=np.float32),
            "missing_left": np.array([False, False, False]),
            "values": np.array([[1.0], [-2.0]]),
            "baseline": np.zeros(1),
        },
        settings={"link": "logistic"},
    )
    features = np.array([[0], [LARGEST], [-LARGEST], [np.nan]], dtype=np.float32)
    expected = expit([1, 1, 1, -2])
    np.testing.assert_allclose(tagger.probabilities(features), expected)
    with xgboost_scores(xgboost_json(tagger, "tagger", {})) as score:
        np.testing.assert_allclose(score(features), expected, atol=1e-7)


def test_notes_become_attributes(events, fitted):
    import xgboost

    data = xgboost_json(fitted(BDT(iterations=2), events()), "tagger", {"features": '["a"]'})
    assert xgboost.Booster(model_file=bytearray(data)).attributes() == {"features": '["a"]'}
