from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from hepclf.models.calibrated import with_calibration
from hepclf.models.fisher import Fisher
from hepclf.models.folds import FoldKey
from hepclf.models.loading import load_tagger
from hepclf.models.members import MembersTagger, key_columns
from hepclf.training.trainer import Trainer


def fisher(events, calibrate="none"):
    trainer = Trainer(calibrate=calibrate)
    fit = Fisher().fit(events, events, trainer)
    for _ in fit:
        pass
    return with_calibration(fit.tagger(), events, trainer)


@pytest.fixture
def members(gaussians):
    return [fisher(gaussians(events=400, seed=seed)) for seed in range(3)]


@pytest.fixture
def numbered(gaussians):
    events = gaussians(events=300, seed=9)
    return replace(events, spectators={"event": np.arange(300) + 2**60})


def test_each_event_is_scored_by_the_member_of_its_fold(members, numbered):
    tagger = MembersTagger(members, folds=FoldKey(3, ("event",)))
    scores, separate = tagger.scores(numbered), [member.scores(numbered) for member in members]
    for row, number in enumerate(numbered.spectators["event"].tolist()):
        assert scores[row] == separate[number % 3][row]
    assert key_columns(tagger) == ("event",)


def test_averaging_gives_the_weighted_mean_of_probabilities(members, numbered):
    tagger = MembersTagger(members, folds=FoldKey(3, ("event",)), weights=[1, 1, 2]).averaging()
    separate = [member.scores(numbered) for member in members]
    np.testing.assert_allclose(tagger.scores(numbered), np.average(separate, axis=0, weights=[1, 1, 2]), rtol=1e-12)
    assert key_columns(tagger) == ()


@pytest.mark.parametrize("classes", [2, 3])
def test_a_mean_of_logits_is_that_of_scipy(gaussians, classes):
    members = [fisher(gaussians(events=600, classes=classes, seed=seed)) for seed in range(3)]
    events = gaussians(events=200, classes=classes, seed=5)
    scores = MembersTagger(members, average="logit").scores(events)
    separate = np.array([member.scores(events) for member in members])
    expected = expit(logit(separate).mean(axis=0)) if classes == 2 else softmax(np.log(separate).mean(axis=0), axis=1)
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


def test_a_tagger_of_random_folds_averages(members, numbered):
    tagger = MembersTagger(members, folds=FoldKey(3))
    np.testing.assert_array_equal(tagger.scores(numbered), tagger.averaging().scores(numbered))


def test_an_ensemble_of_calibrated_taggers_with_folds_is_the_same_after_loading(tmp_path, gaussians, members, numbered):
    calibrated = [fisher(gaussians(events=400, seed=seed), "isotonic") for seed in range(3)]
    inner = [MembersTagger(group, folds=FoldKey(3, ("event",))) for group in (members, calibrated)]
    tagger = MembersTagger(inner, weights=[1, 3], average="logit")
    tagger.save(tmp_path)
    loaded = load_tagger(tmp_path)
    np.testing.assert_array_equal(loaded.scores(numbered), tagger.scores(numbered))
    assert key_columns(loaded) == ("event",)
    assert loaded.inputs == tagger.inputs


def damaged(folder, **changes):
    head = json.loads((folder / "tagger.json").read_text())
    (folder / "tagger.json").write_text(json.dumps({**head, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": []}, "from 1 to 1000 members"),
        ({"members": ["0" * 64] * 3}, "SHA-256 differs"),
        ({"members": "abc"}, "from 1 to 1000 members"),
        ({"folds": {"count": 2, "by": ["event"]}}, "2 folds need as many members, not 3"),
        ({"folds": {"count": 3, "by": "event"}}, "folds.by must be a list of columns"),
        ({"folds": [3]}, "folds must hold a count"),
        ({"weights": [1, -1, 1]}, "weights must be 3 numbers of at least 0"),
        ({"weights": [1, "2", 1]}, "weights must be a list of numbers"),
        ({"weights": [0, 0, 0]}, "not all 0"),
        ({"average": "median"}, "average must be probability or logit, not 'median'"),
        ({"inputs": ["other"]}, "must be those of the members"),
    ],
)
def test_a_changed_tagger_is_refused(tmp_path, members, changes, message):
    MembersTagger(members, folds=FoldKey(3, ("event",))).save(tmp_path)
    damaged(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        load_tagger(tmp_path)


def test_members_nested_more_than_two_deep_are_refused(tmp_path, members):
    tagger = MembersTagger(members)
    for _ in range(2):
        tagger = MembersTagger([tagger])
    tagger.save(tmp_path)
    with pytest.raises(ValueError, match="of kind 'members'"):
        load_tagger(tmp_path)


def test_members_of_different_classes_are_refused(gaussians, members):
    with pytest.raises(ValueError, match="the same classes"):
        MembersTagger([members[0], fisher(gaussians(events=300, classes=3, seed=0))])


@pytest.mark.parametrize(
    "change", [{"weights": [10**400, 1, 1]}, {"classes": {}}, {"folds": {"count": 10**400, "by": []}}]
)
def test_whatever_a_malformed_file_of_members_raises_is_one_line(members, change, tmp_path):
    MembersTagger(members).save(tmp_path)
    path = tmp_path / "tagger.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=r"tagger\.json") as caught:
        load_tagger(tmp_path)
    assert len(str(caught.value)) <= 1000
