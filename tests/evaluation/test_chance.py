"""Areas that are no better than random guessing are warned of, by what usually is the reason."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.scored import Scored

N = 6000
BARE = dict.fromkeys(("bands", "overtraining", "calibration", "binned", "counting", "points", "retrieval"))


def scored(strengths=(1.0, 1.0, 1.0), classes=("background", "signal"), seed=0, **columns):
    """Scores of Gaussian classes whose distance is that strength in train, valid and test."""
    rng = np.random.default_rng(seed)
    labels, split = np.arange(N) % 2, (np.arange(N) // 2) % 3
    logits = rng.normal(size=N) + np.array(strengths)[split] * (labels - 0.5)
    return Scored(
        labels=labels, scores=1 / (1 + np.exp(-logits)), split=split.astype(np.int8), classes=classes, **columns
    )


def kinds(of, **settings):
    return {row.kind: row for row in evaluate(of, Evaluation(**BARE, **settings)).warnings}


def test_a_tagger_that_separates_has_no_warning():
    assert kinds(scored()) == {}


def test_labels_that_are_swapped_in_test_alone_are_told():
    text = kinds(scored((1, 1, -1)))["worse_than_random"].text
    assert "is below 0.5: the tagger is worse than random guessing, though it is" in text
    assert "Usually labels are swapped in some of the events" in text


def test_a_tagger_that_is_wrong_on_training_too_may_have_any_reason():
    found = kinds(scored((-1, -1, -1)))["worse_than_random"]
    assert found.about == ("signal",)
    assert "lower trainer.learning_rate" in found.text


def test_random_scores_are_told_apart_from_swapped_ones():
    assert list(kinds(scored((0, 0, 0)))) == ["no_separation"]


def test_an_area_within_two_errors_of_random_is_no_swap():
    rng = np.random.default_rng(5)
    below = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        of = Scored(labels=np.arange(400) % 2, scores=rng.random(400), split=np.full(400, 2, dtype=np.int8))
        below += "worse_than_random" in kinds(of)
    assert below <= 8  # of 100, each by chance with 2.3 %: P(more than 8) is 1e-3


def test_each_of_several_classes_is_judged():
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 3
    logits = rng.normal(size=(N, 3)) + 2 * np.eye(3)[labels]
    logits[:, 2] = rng.normal(size=N) - 3 * (labels == 2)
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    split = ((np.arange(N) // 3) % 3).astype(np.int8)
    found = kinds(Scored(labels=labels, scores=scores, split=split, classes=("a", "b", "c")))
    assert found["worse_than_random"].about == ("c",)


def test_a_likelihood_ratio_against_the_labels_is_told():
    of = scored()
    turned = -(np.log(of.scores) - np.log1p(-of.scores))
    assert "opposite_ratio" not in kinds(scored(spectators={"llr": -turned}))
    assert "ranks the classes the wrong way round" in kinds(scored(spectators={"llr": turned}))["opposite_ratio"].text


@pytest.mark.parametrize(
    ("classes", "better"),
    [
        (("signal", "background"), "signal"),
        (("ttH", "bkg_all"), "ttH"),
        (("Sig", "rest"), "Sig"),
    ],
)
def test_a_background_that_is_taken_for_the_signal_is_told(classes, better):
    found = kinds(scored(classes=classes))["signal_name"]
    assert f"set evaluation.signal={better}, or evaluation.signal={classes[1]} if it is right" in found.text
    assert "signal_name" not in kinds(scored(classes=classes), signal=classes[1])
    assert "signal_name" not in kinds(scored(classes=classes), signal=classes[0])
    assert "signal_name" not in kinds(scored(classes=classes[::-1]))


@pytest.mark.parametrize("classes", [("background", "signal"), ("qcd", "top"), ("noise", "glitch"), ("light", "b")])
def test_names_that_say_nothing_against_the_signal_are_not_told(classes):
    assert "signal_name" not in kinds(scored(classes=classes))
