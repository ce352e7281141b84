"""Fisher's discriminant is what scikit-learn's LDA is, with weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from hepclf import Trainer, load_tagger
from hepclf.events import Events
from hepclf.models.fisher import Fisher

PLAIN = Trainer(balance="mean")


def fitted(events, trainer=PLAIN):
    fit = Fisher().fit(events, events, trainer)
    (epoch,) = fit
    return fit.tagger(), epoch


@pytest.mark.parametrize("classes", [2, 3])
def test_it_predicts_what_scikit_learn_does(gaussians, classes):
    events = gaussians(classes=classes)
    ours = fitted(events)[0].scores(events)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(events.features.astype(float), events.labels)
    probability = theirs.predict_proba(events.features.astype(float))
    assert ours == pytest.approx(probability[:, 1] if classes == 2 else probability, abs=1e-6)


def test_whole_weights_are_events_that_come_so_often(gaussians):
    counts = np.arange(4000) % 3 + 1
    events = gaussians(weights=counts.astype(float))
    repeated = events.take(np.repeat(np.arange(4000), counts))
    repeated = Events(features=repeated.features, labels=repeated.labels, names=events.names)
    assert fitted(events)[0].scores(events) == pytest.approx(fitted(repeated)[0].scores(events), abs=1e-9)


def test_negative_weights_are_kept_where_asked(gaussians):
    events = gaussians()
    doubled = events.take(np.r_[np.arange(4000), np.arange(4000), np.arange(4000)])
    signed = Events(
        features=doubled.features,
        labels=doubled.labels,
        names=events.names,
        weights=np.repeat([1.0, 1.0, -1.0], 4000),
    )
    cancelled = fitted(signed, Trainer(balance="mean", negative_weights="keep"))[0]
    assert cancelled.scores(events) == pytest.approx(fitted(events)[0].scores(events), abs=1e-9)


def test_large_offsets_and_small_widths_keep_their_digits(gaussians):
    events = gaussians()
    moved = Events(features=events.features * 1e-3 + 100, labels=events.labels, names=events.names)
    scaled = Events(features=moved.features * 2.0**10, labels=events.labels, names=events.names)
    assert fitted(moved)[0].scores(moved) == pytest.approx(fitted(scaled)[0].scores(scaled), abs=1e-9)


def test_the_loss_of_its_epoch_is_that_of_its_scores(gaussians):
    events = gaussians()
    tagger, epoch = fitted(events)
    scores = tagger.scores(events)
    assert epoch.valid_loss == pytest.approx(-np.log(np.where(events.labels == 1, scores, 1 - scores)).mean())
    assert tagger.summary["valid_loss"] == epoch.valid_loss


def test_a_missing_value_counts_as_the_median(gaussians):
    events = gaussians()
    features = events.features.copy()
    features[::7, 1] = np.nan
    holes = Events(features=features, labels=events.labels, names=events.names)
    filled = np.where(np.isnan(features), np.nanmedian(features, axis=0), features)
    scores = fitted(holes)[0].scores(holes)
    whole = Events(features=filled, labels=events.labels, names=events.names)
    assert scores == pytest.approx(fitted(whole)[0].scores(whole), abs=1e-6)


def test_a_saved_tagger_scores_the_same(gaussians):
    events = gaussians(classes=3)
    tagger, _ = fitted(events)
    tagger.save("tagger")
    again = load_tagger("tagger")
    assert np.array_equal(again.scores(events), tagger.scores(events))
    assert (again.inputs, again.classes, again.summary) == (tagger.inputs, tagger.classes, tagger.summary)


def test_features_that_depend_on_each_other_are_named(gaussians):
    events = gaussians()
    features = np.c_[events.features, events.features[:, 0] - events.features[:, 1]]
    doubled = Events(features=features, labels=events.labels, names=("a", "b", "c", "d"))
    with pytest.raises(ValueError, match=r"features \['a', 'b', 'd'\] depend on each other linearly"):
        fitted(doubled)


@pytest.mark.parametrize("value", [1.0, 3.0, 91.1876, 1e-3])
@pytest.mark.parametrize("differs", [0.0, 0.1])
def test_a_feature_without_width_is_named(gaussians, value, differs):
    events = gaussians(events=601)
    features = np.c_[events.features, value + differs * value * events.labels]
    with pytest.raises(ValueError, match="feature 'd' does not vary within the classes"):
        fitted(Events(features=features, labels=events.labels, names=("a", "b", "c", "d")))
