"""No event is scored by a member that saw it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hepclf import KNN, Evaluation, KFold, Mixture, Trainer, train
from hepclf.events import Events
from hepclf.models.members import MembersTagger
from hepclf.workflow.members.scores import fold_inside, fold_scores

FOLDS = KFold(count=4, by=("run", "event"))
SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))
N = 1200


class Remembering:
    """A tagger that remembers which events it saw, and reports any of them that it is to score."""

    inputs, classes, sentinels, device = ("row",), ("background", "signal"), {}, "cpu"

    def __init__(self, number, trained, validated):
        self.summary, self.number = {}, number
        self.trained, self.validated = trained, validated

    def scores(self, events):
        rows = events.features[:, 0].astype(np.int64)
        # 0: unseen, 0.5: validated on it, 1: trained on it
        return np.isin(rows, self.trained) + 0.5 * np.isin(rows, self.validated)


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(3)
    key = rng.integers(0, N // 3, N)  # three rows for each event
    return Events(
        features=np.arange(N, dtype=np.float32)[:, None],
        names=("row",),
        labels=rng.integers(0, 2, N),
        spectators={"run": key % 5, "event": key + 2**60},
    )


@pytest.fixture(scope="module")
def sets(events):
    return FOLDS.sets(events)


@pytest.fixture(scope="module")
def tagger(sets):
    members = []
    for number in range(FOLDS.count):
        split = sets.split(number)
        members.append(Remembering(number, np.flatnonzero(split == 0), np.flatnonzero(split == 1)))
    return MembersTagger(members, folds=FOLDS.key)


def test_test_events_are_all_events_unseen_and_the_others_are_scored_by_those_that_saw_them(events, sets, tagger):
    scored = fold_scores(tagger, events, sets)
    test = scored.of("test")
    assert len(test) == N
    np.testing.assert_array_equal(test.labels, events.labels)
    np.testing.assert_array_equal(test.scores, 0)
    np.testing.assert_array_equal(scored.of("valid").scores, 0.5)
    np.testing.assert_array_equal(scored.of("train").scores, 1)
    assert len(scored.of("train")) == N
    np.testing.assert_array_equal(test.folds, sets.folds)
    assert scored.totals.tolist() == list(events.sums.values())


def test_the_tagger_itself_scores_the_events_of_its_training_unseen(events, tagger):
    np.testing.assert_array_equal(tagger.scores(events), 0)
    assert (tagger.averaging().scores(events) > 0).all(), "the mean is that of members that saw them"


def test_features_of_an_event_are_scored_by_the_member_that_has_not_seen_it(events, sets, tagger):
    inside = fold_inside(tagger, events, sets.folds)
    places = np.array([7, 3, 1000, 3])
    np.testing.assert_array_equal(inside.scores(inside.read(places), places), 0)
    assert (inside.ask(inside.read(places)) > 0).all(), "of no event in particular: the mean of all"


def test_a_model_that_learns_its_events_by_heart_knows_none_of_the_test_events(tmp_path):
    """Labels are random: with one neighbour a seen event has the right label, an unseen one has an even chance."""
    made = Mixture(events=1000).load()
    rng = np.random.default_rng(5)
    made = replace(made, labels=rng.integers(0, 2, 1000), spectators={"event": np.arange(1000)})
    trained = train(made, KNN(neighbours=1), Trainer(threads=1), SCORES_ONLY, folds=KFold(by="event"))
    accuracy = {name: split.accuracy.value for name, split in trained.results.splits.items()}
    assert accuracy["train"] == 1
    assert abs(accuracy["test"] - 0.5) < 4 * 0.5 / np.sqrt(1000)
    assert np.mean((trained.tagger.scores(made) >= 0.5) == made.labels) == pytest.approx(accuracy["test"])
