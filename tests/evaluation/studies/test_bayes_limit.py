"""The best possible classifier of several classes."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf import Evaluation, Mixture, Scored, evaluate
from hepclf.data.mixture import Component
from hepclf.evaluation.studies.bayes_limit import posteriors


def mixture(distance=2.0, events=6000):
    classes = {f"class{i}": (Component(fraction=1.0, mean=i * distance, width=1.0),) for i in range(3)}
    return Mixture(events=events, classes=classes)


def scored(events, scores):
    return Scored(
        labels=events.labels,
        scores=scores,
        weights=events.weights,
        split=np.full(len(events), 2),
        classes=events.classes,
        processes=events.labels,
        process_names=events.classes,
        spectators=events.spectators,
    )


@pytest.fixture(scope="module")
def limit(without_studies):
    """The finding for scores that are a function of the exact probabilities."""
    events = mixture().load()
    densities = np.stack([events.spectators[f"log_density_class{i}"] for i in range(3)], axis=1)
    exact = posteriors(densities, np.full(3, 1 / 3))
    settings = Evaluation(**without_studies | {"bayes_limit": Evaluation().bayes_limit})

    def find(scores):
        return evaluate(scored(events, scores(exact)), settings).studies["bayes_limit"]

    return find


def test_probabilities_are_those_of_bayes_theorem():
    shares = np.array([0.5, 0.3, 0.2])
    found = posteriors(np.log([[1.0, 2.0, 4.0], [1.0, 0.0 + 1e-300, 1.0]]), shares)
    assert found[0] == pytest.approx(np.array([0.5, 0.6, 0.8]) / 1.9)
    assert found[1] == pytest.approx([5 / 7, 0, 2 / 7], abs=1e-12)


def test_the_exact_probabilities_lose_nothing_and_have_the_known_accuracy(limit):
    finding = limit(lambda exact: exact)
    assert finding.lost.value == finding.missed.value == 0
    # Three unit Gaussians two apart: the outer ones are right up to one sigma, the middle one between two such borders.
    accuracy = (2 * 0.8413447 + 0.6826895) / 3
    assert finding.best_accuracy.value == pytest.approx(accuracy, abs=3 * finding.best_accuracy.error)


def test_flattened_probabilities_decide_alike_and_lose_log_loss(limit):
    finding = limit(lambda exact: exact**0.5 / (exact**0.5).sum(axis=1, keepdims=True))
    assert finding.missed.value == 0
    assert finding.lost.value > 10 * finding.lost.error
    assert finding.evidence.answer == "clear"
    assert "at best" in finding.sentences[0]
    means = finding.profiles["class1"]
    assert abs(means["estimate"] - 0.4).max() < abs(means["exact"] - 0.4).max()


def test_two_classes_and_unknown_densities_have_no_limit(make_scored):
    without = make_scored([0, 1, 2] * 10, np.full((30, 3), 1 / 3))
    assert "bayes_limit" not in evaluate(without).studies
