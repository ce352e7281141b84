"""The study of flavour tagging: equal shares of the flavours, and what is chosen on the validation set alone."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.tagging import Tagging
from hepclf.scored import SPLITS, Scored


def scored(share=0.5, seed=0, flipped=None, informed=True):
    """Scores of two flavours in 4,000 events of each split; labels of the split `flipped` are exchanged."""
    rng = np.random.default_rng(seed)
    labels, split = (rng.random(12_000) < share).astype(int), np.repeat([0, 1, 2], 4000)
    x = rng.normal(1.5 * labels * informed, 1)
    scores = 1 / (1 + np.exp(-1.5 * (x - 0.75))) if informed else np.clip(0.8 + 0.02 * x, 0, 1)
    if flipped is not None:
        labels = np.where(split == SPLITS.index(flipped), 1 - labels, labels)
    return Scored(labels=labels, scores=scores, split=split, classes=("b0_bar", "b0"))


def study(events, balance="classes"):
    settings = Evaluation(**{**dict.fromkeys(Evaluation().study_settings), "tagging": Tagging(categories=4)})
    return evaluate(events, settings, balance=balance).studies["tagging"]


@pytest.mark.parametrize("balance", ["classes", "none"])
def test_a_score_without_information_has_no_power_whatever_the_fractions_of_the_flavours(balance):
    power = study(scored(share=0.8, informed=False), balance).inclusive.power
    assert power.value == pytest.approx(0, abs=1e-12)


def test_the_fractions_of_the_flavours_do_not_change_the_power():
    equal, unequal = study(scored()), study(scored(share=0.8, seed=1), balance="none")
    errors = np.hypot(equal.power.error, unequal.power.error)
    assert abs(equal.power.value - unequal.power.value) < 3 * errors


def test_the_calibration_is_that_of_the_validation_set_alone():
    plain = study(scored()).calibration
    assert plain.p1.value == pytest.approx(1, abs=4 * plain.p1.error)
    assert study(scored(flipped="test")).calibration == plain
    assert study(scored(flipped="valid")).calibration.p1.value == pytest.approx(-plain.p1.value)


def test_the_categories_are_those_of_the_validation_set_alone():
    events = scored()
    moved = np.where(events.split == SPLITS.index("test"), 0.5 + 0.2 * (events.scores - 0.5), events.scores)
    columns = {"labels": events.labels, "split": events.split, "classes": events.classes}
    efficiencies = [row.efficiency.value for row in study(Scored(scores=moved, **columns)).tags]
    assert efficiencies[-1] > 0.9  # the test events are all among the least certain ones of validation
