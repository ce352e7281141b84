"""The results of each fold, and their spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.metrics import log_loss, roc_auc_score

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.folds import fold_scatter
from hepclf.evaluation.studies.overtraining import SAME_EVENTS
from hepclf.presentation.plots.draw import draw
from hepclf.scored import SPLITS, Scored
from hepclf.statistics.value import NOTHING, Value

N, K = 6000, 3


@pytest.fixture
def scored():
    """A function making events in folds as fold_scores does; `shift` moves the logits of the last fold."""

    def make(shift=0.0, noise=0.0):
        rng = np.random.default_rng(0)
        labels, folds = np.tile([0, 1], N // 2), rng.integers(0, K, N)
        logits = rng.normal(labels * 1.5, 1) + shift * (folds == K - 1) + noise * rng.normal(size=N) * (folds == 0)
        parts = np.repeat([SPLITS.index(name) for name in ("test", "valid", "train")], N)
        return Scored(
            labels=np.tile(labels, 3),
            weights=np.tile(np.where(labels == 1, 0.5, 1.0), 3),
            scores=1 / (1 + np.exp(-np.tile(logits, 3))),
            split=parts,
            totals=np.array([N / 2, 0.5 * N / 2]),
            folds=np.tile(folds, 3),
        )

    return make


@pytest.fixture
def results(scored, without_studies):
    def make(**settings):
        studies = {**without_studies, "folds": Evaluation().folds, "overtraining": Evaluation().overtraining}
        return evaluate(scored(**settings), Evaluation(**studies))

    return make


def test_each_fold_has_the_numbers_of_its_events(results, scored):
    finding, test = results().studies["folds"], scored().of("test")
    for fold, row in enumerate(finding.folds):
        mask = test.folds == fold
        assert row.events == mask.sum()
        assert row.auc.value == pytest.approx(roc_auc_score(test.labels[mask], test.scores[mask]), abs=1e-12)
        expected = log_loss(test.labels[mask], test.scores[mask], sample_weight=test.weights[mask])
        assert row.log_loss.value == pytest.approx(expected, abs=1e-12)


def test_the_mixture_is_that_of_all_events(scored, without_studies):
    events, parts = scored(), scored().split.copy()
    parts[N : N + 500][events.labels[N : N + 500] == 1] = SPLITS.index("train")  # validation has too few signal events
    mixture = evaluate(replace(events, split=parts), Evaluation(**without_studies)).mixture
    assert mixture.source == "splits"
    assert mixture.sentence.endswith("refer to the whole sample: every event is in the test set.")


def test_a_calibration_is_not_said_to_keep_the_curve_as_each_member_has_its_own(scored, without_studies):
    events = scored(noise=3.0)
    studies = {**without_studies, "calibration": Evaluation().calibration}
    told = " ".join(evaluate(events, Evaluation(**studies)).studies["calibration"].sentences)
    assert "would lower the log-loss" in told
    assert "ROC curve" not in told
    told = " ".join(evaluate(replace(events, folds=None), Evaluation(**studies)).studies["calibration"].sentences)
    assert "; the ROC curve does not change" in told


def test_the_significance_of_a_fold_is_that_of_the_whole_sample(results):
    whole = results()
    finding = whole.studies["folds"]
    mean = np.mean([fold.asimov.value for fold in finding.folds])
    assert mean == pytest.approx(whole.significance.asimov.value, rel=0.03)
    for fold in finding.folds:
        # a third of the events has sqrt(3) times the error
        assert fold.asimov.error == pytest.approx(np.sqrt(K) * whole.significance.asimov.error, rel=0.2)


def test_equal_folds_agree_and_a_worse_one_is_found(results):
    agreeing, differing = results().studies["folds"], results(noise=3.0).studies["folds"]
    assert agreeing.scatter("auc").evidence.answer == "none"
    assert agreeing.problems == ()
    assert agreeing.sentences[0].startswith("No sign that the folds differ by more than their statistical errors (p =")
    assert "not independent" in agreeing.sentences[0]
    assert differing.scatter("auc").evidence.answer == "clear"
    assert differing.problems == differing.sentences[:1]


def test_scores_of_different_scale_lower_the_area_of_all_events(results):
    assert len(results().studies["folds"].sentences) == 1
    sentences = results(shift=2.0).studies["folds"].sentences
    assert "below the mean of the folds: the members give the same event scores of different scale" in sentences[-1]


def test_the_scatter_is_that_of_the_textbook():
    values = [Value(1.0, 0.5), Value(2.0, 1.0), Value(4.0, 0.5)]
    spread = fold_scatter(values)
    assert spread.deviation.value == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert spread.expected == pytest.approx(np.sqrt((0.25 + 1 + 0.25) / 3))
    mean = (1 * 4 + 2 * 1 + 4 * 4) / 9
    statistic = 4 * (1 - mean) ** 2 + (2 - mean) ** 2 + 4 * (4 - mean) ** 2
    assert spread.evidence.p == pytest.approx(chi2.sf(statistic, 2))
    assert fold_scatter([Value(1.0, 0.5), NOTHING]) is None
    assert fold_scatter([Value(1.0), Value(2.0)]).evidence.p is None


def test_a_fold_without_an_error_leaves_no_test():
    spread = fold_scatter([Value(1.0, 0.0), Value(0.9, 0.01)])
    assert (spread.evidence.p, spread.expected) == (None, pytest.approx(0.01 / np.sqrt(2)))


def test_the_overtraining_test_says_that_its_sets_share_their_events(results, scored, without_studies):
    overtraining = results().studies["overtraining"]
    assert overtraining.same_events
    assert overtraining.passed
    assert SAME_EVENTS not in overtraining.sentences
    learnt = scored()
    better = np.where((learnt.split == 0) & (learnt.labels == 1), 1 - (1 - learnt.scores) ** 3, learnt.scores)
    changed = Scored(**{name: getattr(learnt, name) for name in ("labels", "weights", "split", "folds")}, scores=better)
    found = evaluate(changed, Evaluation(**without_studies | {"overtraining": Evaluation().overtraining}))
    assert SAME_EVENTS in found.studies["overtraining"].sentences


def test_there_is_no_study_without_folds_and_a_picture_with_them(scored, without_studies, tmp_path, sketched):
    plain = scored()
    unfolded = Scored(**{name: getattr(plain, name) for name in ("labels", "weights", "scores", "split")})
    only_folds = Evaluation(**without_studies | {"folds": Evaluation().folds})
    assert evaluate(unfolded, only_folds).studies == {}
    found = evaluate(scored(), only_folds)
    history = {"member": [0, 0, 1], "epoch": [1, 2, 1], "train_loss": [0.7, 0.6, 0.7], "valid_loss": [0.7, 0.65, 0.66]}
    stems = {path.stem for path in draw(found, tmp_path, history=history)}
    assert {"folds", "losses"} <= stems
    header = (tmp_path / "numbers" / "losses.csv").read_text().splitlines()[0]
    assert "member" in header.split(",")
