"""Any classifier of scikit-learn trains and is judged; what cannot be saved says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import hepclf
from hepclf import Trainer, load_tagger
from hepclf.evaluation.evaluation import Evaluation
from hepclf.models.scikit import Sklearn
from hepclf.run import Run
from hepclf.workflow.reevaluate import reevaluate

NO_PLOTS = hepclf.Evaluation(plots=False)


def fitted(events, estimator, trainer=None, **settings):
    fit = Sklearn(estimator=estimator, settings=settings).fit(events, events, trainer or Trainer())
    list(fit)
    return fit.tagger()


@pytest.mark.parametrize("classes", [2, 3])
def test_naive_bayes_is_that_of_scikit_learn_with_weights(gaussians, classes):
    events = gaussians(classes=classes, weights=np.arange(4000) % 3 + 1.0)
    scores = fitted(events, "sklearn.naive_bayes.GaussianNB", Trainer(balance="mean")).scores(events)
    theirs = GaussianNB().fit(events.features, events.labels, events.weights).predict_proba(events.features)
    assert scores == pytest.approx(theirs[:, 1] if classes == 2 else theirs, abs=1e-5)


def test_settings_and_seed_reach_the_estimator(gaussians):
    events = gaussians()
    tagger = fitted(events, "sklearn.tree.DecisionTreeClassifier", Trainer(seed=3), max_depth=2, splitter="random")
    x = (events.features - events.features.mean(axis=0)) / events.features.std(axis=0)
    theirs = DecisionTreeClassifier(max_depth=2, splitter="random", random_state=3).fit(x, events.labels)
    assert len(np.unique(tagger.scores(events))) <= 4
    assert tagger.scores(events) == pytest.approx(theirs.predict_proba(x)[:, 1], abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_decisions_become_probabilities(gaussians, classes):
    events = gaussians(classes=classes)
    scores = fitted(events, "sklearn.linear_model.RidgeClassifier").scores(events)
    if classes == 3:
        assert scores.sum(axis=1) == pytest.approx(np.ones(4000))
        return
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1)):
        inside = (scores >= low) & (scores < high)
        assert events.labels[inside].mean() == pytest.approx(scores[inside].mean(), abs=0.05)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("os.system", "estimator must be a classifier of scikit-learn"),
        ("sklearn.naive_bayes.GaussianNB()", "estimator must be a classifier of scikit-learn"),
        ("sklearnish.naive_bayes.GaussianNB", "estimator must be a classifier of scikit-learn"),
    ],
)
def test_names_outside_scikit_learn_are_never_imported(name, says):
    with pytest.raises(ValueError, match=says):
        Sklearn(estimator=name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sklearn.linear_model.Ridge", "is not a classifier of scikit-learn"),
        ("sklearn.base.clone", "is not a classifier of scikit-learn"),
        ("sklearn.naive_bayes.GaussNB", "is not a classifier of scikit-learn"),
        ("sklearn.bayes.GaussianNB", "cannot be imported"),
        ("sklearn.ensemble.VotingClassifier", "needs other estimators"),
    ],
)
def test_what_is_no_classifier_is_refused(gaussians, name, says):
    with pytest.raises(ValueError, match=says):
        fitted(gaussians(), name)


def test_an_unknown_setting_points_at_the_nearest(gaussians):
    with pytest.raises(ValueError, match=r"model.settings.max_deth is not a parameter .*; nearest: 'max_depth'"):
        fitted(gaussians(), "sklearn.tree.DecisionTreeClassifier", max_deth=2)


def test_weights_are_refused_where_the_estimator_takes_none(gaussians):
    name = "sklearn.neighbors.KNeighborsClassifier"
    with pytest.raises(ValueError, match=r"takes no weights, .* must be equal, not .*balance=mean"):
        fitted(gaussians(weights=np.arange(4000) % 3 + 1.0), name)
    assert np.isfinite(fitted(gaussians(), name).scores(gaussians())).all()
    signed = gaussians(weights=np.where(np.arange(4000) % 5, 1.0, -1.0))
    with pytest.raises(ValueError, match="cannot learn from negative weights"):
        fitted(signed, "sklearn.naive_bayes.GaussianNB", Trainer(negative_weights="keep"))


def test_a_class_without_training_events_is_named(gaussians):
    events = gaussians(classes=3)
    with pytest.raises(ValueError, match="class 'class2' has no training events"):
        fitted(events.take(events.labels < 2), "sklearn.naive_bayes.GaussianNB", Trainer(balance="mean"))


def test_a_run_is_judged_and_judged_again_but_holds_no_tagger(caplog):
    trained = hepclf.train(hepclf.GW(signals=300, noise=900), Sklearn(), evaluation=NO_PLOTS, folder="run")
    assert "GaussianNB was trained and evaluated but cannot be saved" in caplog.text
    assert trained.results.test.auc.value > 0.9
    assert [path.name for path in Path("run/tagger").iterdir()] == ["tagger.json"]
    with pytest.raises(ValueError, match=r"run/tagger holds no tagger: .* use a model that can, such as bdt"):
        load_tagger("run/tagger")
    again, _ = reevaluate(Run.open("run"), Evaluation(plots=False), Path("again"))
    assert again.test.auc == trained.results.test.auc
