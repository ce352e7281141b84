"""The likelihood ratio reaches what no classifier can beat, where its features are independent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import hepclf
from hepclf import Trainer, load_tagger
from hepclf.data.mixture import Component, Mixture
from hepclf.events import Events
from hepclf.models.likelihood import Likelihood, _ratios

NO_PLOTS = hepclf.Evaluation(plots=False)
# Signal efficiency -> background efficiency of the best possible cut on the default mixture.
NEYMAN_PEARSON = {0.3: 0.0751594, 0.5: 0.1364795, 0.7: 0.2186933, 0.9: 0.4494493}


def fitted(events, trainer=None, valid=None, **settings):
    fit = Likelihood(**settings).fit(events, valid or events, trainer or Trainer())
    list(fit)
    return fit.tagger()


@pytest.mark.parametrize("seed", [0, 2])
def test_one_dimension_reaches_the_best_possible_roc(seed):
    data = Mixture(events=100_000, seed=seed, split=hepclf.Split(valid=0.1, test=0.5, seed=seed))
    test = hepclf.train(data, Likelihood(), evaluation=NO_PLOTS).results.test
    lost = test.optimal.area.value - test.auc.value
    assert 0 < lost < test.auc.error  # measured 0.0003 to 0.0015 over six seeds, the error being 0.0020
    for point in test.working_points:
        background = point.background_efficiency
        assert abs(background.value - NEYMAN_PEARSON[point.target]) < 4 * background.error


def test_independent_features_reach_the_best_possible_roc():
    classes = {
        "background": (Component(fraction=1.0, mean=(0.0, 0.0, 0.0), width=(1.0, 2.0, 1.0)),),
        "signal": (Component(fraction=1.0, mean=(1.0, 0.0, 0.5), width=(1.0, 1.0, 2.0)),),
    }
    test = hepclf.train(Mixture(classes=classes), Likelihood(decorrelate="none"), evaluation=NO_PLOTS).results.test
    assert 0 < test.optimal.area.value - test.auc.value < 0.002  # measured 0.0009


def correlated(events=20_000, seed=1):
    """Two classes 1.5 apart in a direction that neither feature has, their correlation being 0.9."""
    rng = np.random.default_rng(seed)
    labels = np.arange(events) % 2
    x = rng.normal(size=(events, 2))
    features = np.c_[x[:, 0], 0.9 * x[:, 0] + 0.19**0.5 * x[:, 1] + 1.5 * 0.19**0.5 * labels]
    return Events(features=features, labels=labels, names=("a", "b"))


def auc(scores, labels):
    ranks = scores.argsort().argsort()[labels == 1]
    return (ranks.mean() - (len(ranks) - 1) / 2) / (labels == 0).sum()


def test_decorrelated_features_see_what_the_plain_product_does_not():
    events = correlated()
    other = correlated(seed=2)
    found = {rule: auc(fitted(events, decorrelate=rule).scores(other), other.labels) for rule in ("none", "linear")}
    assert found["linear"] == pytest.approx(norm.cdf(1.5 / 2**0.5), abs=0.01)
    assert found["none"] < found["linear"] - 0.1


def test_what_dependent_features_say_twice_counts_once(gaussians):
    events = gaussians(features=1, events=20_000)
    twice = Events(features=np.repeat(events.features, 2, axis=1), labels=events.labels, names=("a", "b"))
    once, both = fitted(events), fitted(twice, decorrelate="none")
    assert both.summary["slope"] == pytest.approx(once.summary["slope"] / 2, rel=0.01)
    assert both.scores(twice) == pytest.approx(once.scores(events), abs=0.005)


def test_a_plain_histogram_is_a_count_of_events():
    features = np.repeat([[0.0], [1.0], [2.0], [np.nan]], [40, 30, 20, 10], axis=0)
    labels = np.concatenate([np.arange(count) < signals for count, signals in ((40, 4), (30, 15), (20, 18), (10, 1))])
    events = Events(features=features, labels=labels.astype(int), names=("n",))
    tagger = fitted(events, Trainer(balance="mean"), decorrelate="none", smoothing=0.0)
    signals, others = labels.sum(), (~labels).sum()
    for row, (count, signal) in {0: (40, 4), 40: (30, 15), 70: (20, 18), 90: (10, 1)}.items():
        share = count / 100
        ratio = (1 + signal) / (1 + signals * share) / ((1 + count - signal) / (1 + others * share))
        (logits,) = tagger.logits(features[row : row + 1])
        assert logits[1] - logits[0] == pytest.approx(np.log(ratio))


def test_values_beyond_the_training_sample_are_in_the_outermost_bins(gaussians):
    events = gaussians(features=1)
    tagger = fitted(events)
    ends = np.array([[events.features.min()], [-1e30], [events.features.max()], [1e30]], dtype=np.float32)
    low, lower, high, higher = tagger.scores(Events(features=ends, names=events.names))
    assert (low, high) == (lower, higher)
    assert low < 0.1 < 0.9 < high


@pytest.mark.parametrize("rule", ["none", "linear"])
def test_a_missing_value_is_evidence_of_its_own(gaussians, rule):
    events = gaussians(features=1)
    absent = np.random.default_rng(0).random(4000) < 0.05 + 0.4 * events.labels
    holes = Events(features=np.where(absent[:, None], np.nan, events.features), labels=events.labels, names=("a",))
    signal, background = absent[events.labels == 1].sum(), absent[events.labels == 0].sum()
    (logits,) = fitted(holes, decorrelate=rule).logits(np.array([[np.nan]], dtype=np.float32))
    assert logits[1] - logits[0] == pytest.approx(np.log((1 + signal) / (1 + background)))


def test_a_missing_value_where_training_had_none_says_nothing(gaussians):
    events = gaussians()
    tagger = fitted(events, decorrelate="none")
    x = np.array([[1, np.nan, 0]], dtype=np.float32)
    rest = sum(
        ratios[np.searchsorted(edges, x[0, i], side="right")]
        for i, (edges, ratios) in enumerate(tagger._histograms)
        if i != 1
    )
    assert tagger.logits(x)[0] == pytest.approx(rest)


def test_three_classes_are_probabilities(gaussians):
    tagger, others = fitted(gaussians(classes=3), valid=gaussians(classes=3, seed=2)), gaussians(classes=3, seed=1)
    scores = tagger.scores(others)
    assert scores.sum(axis=1) == pytest.approx(np.ones(4000))
    best = (4 * norm.cdf(1.5 / 2) - 1) / 3
    assert (scores.argmax(axis=1) == others.labels).mean() == pytest.approx(best, abs=0.03)


def test_weights_are_events_that_come_so_often(gaussians):
    counts = np.arange(4000) % 3 + 1
    events = gaussians(weights=counts.astype(float))
    plain = fitted(gaussians(), smoothing=0.1)
    weighted = fitted(events, smoothing=0.1)
    assert np.abs(weighted.scores(events) - plain.scores(events)).mean() < 0.03
    scaled = fitted(gaussians(weights=7.0 * counts), smoothing=0.1)
    assert np.array_equal(scaled.scores(events), weighted.scores(events))


def test_a_bin_with_a_negative_sum_counts_as_empty():
    counts = np.array([[5.0, 2.0], [3.0, -1.0], [0.0, 0.0]])
    squares, total = np.array([8.0, 3.0]), np.array([0.7, 0.3, 0.0])
    empty = _ratios(counts, squares, total, 0.0)[1, 1]
    assert empty == pytest.approx(-np.log(1 + 1 / 3 * 0.3))  # one effective event
    assert np.isfinite(_ratios(counts, squares, total, 0.3)).all()


def test_negative_weights_that_cancel_events_leave_the_others(gaussians):
    events = gaussians()
    rng = np.random.default_rng(0)
    junk = rng.normal(0, 3, size=(2000, 3)).repeat(2, axis=0)
    signed = Events(
        features=np.concatenate([events.features, junk]),
        labels=np.r_[events.labels, np.zeros(4000, dtype=int)],
        weights=np.r_[np.ones(4000), np.tile([1.0, -1.0], 2000)],
        names=events.names,
    )
    with pytest.raises(ValueError, match="of the training events have a negative weight"):
        fitted(signed)
    kept = fitted(signed, Trainer(negative_weights="keep"))
    assert auc(kept.scores(events), events.labels) > auc(fitted(events).scores(events), events.labels) - 0.02


def test_features_without_width_do_no_harm(gaussians):
    events = gaussians()
    features = np.c_[events.features, events.features[:, 0] - events.features[:, 1], np.ones(4000)]
    more = Events(features=features, labels=events.labels, names=("a", "b", "c", "d", "e"))
    found = auc(fitted(more).scores(more), events.labels)
    assert found == pytest.approx(auc(fitted(events).scores(events), events.labels), abs=0.01)


@pytest.mark.parametrize("settings", [{"bins": 2}, {"bins": 5000}, {"smoothing": -0.1}, {"smoothing": 11.0}])
def test_settings_out_of_range_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} must lie between"):
        Likelihood(**settings)


def test_a_run_of_the_command_line_has_a_tagger_that_loads():
    data = hepclf.GW(signals=300, noise=900)
    trained = hepclf.train(data, Likelihood(), evaluation=NO_PLOTS, folder="run")
    again = load_tagger("run/tagger")
    assert np.array_equal(again.scores(data.load()), trained.scored.scores)
    assert 0 <= trained.scored.scores.min() <= trained.scored.scores.max() <= 1
    assert trained.results.test.auc.value > 0.9


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"starts": 0}, "'starts' must ascend from 0 to"),
        ({"starts": [1, 2, 3, 4]}, "'starts' must ascend from 0 to"),
        ({"ratios": np.zeros((3, 2))}, "'ratios' must have shape"),
        ({"rotation": np.eye(2)}, "'rotation' must have shape"),
        ({"edges": 0}, "the edges of each histogram must ascend"),
    ],
)
def test_histograms_that_do_not_fit_are_refused(gaussians, planted, changes, says):
    tagger = fitted(gaussians())
    if "edges" in changes:
        changes = {"edges": tagger.arrays["edges"][::-1]}
    if changes.get("starts") == 0:
        changes = {"starts": tagger.arrays["starts"][[0, 2, 1, 3]]}
    planted(tagger, changes)
    with pytest.raises(ValueError, match=says):
        load_tagger("tagger")
