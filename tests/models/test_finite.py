"""Scores are finite for a tagger of any kind, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.fisher import Fisher
from hepclf.models.knn import KNN
from hepclf.models.likelihood import Likelihood
from hepclf.models.members import MembersTagger
from hepclf.models.svm import SVM
from hepclf.statistics.calibration import Temperature
from hepclf.training.trainer import Trainer

MODELS = {"fisher": Fisher(), "knn": KNN(neighbours=5), "svm": SVM(), "likelihood": Likelihood()}
HUGE = {
    "fisher": ("coefficients", 1e308),
    "knn": ("width", 1e-300),
    "svm": ("coefficients", 1e308),
    "likelihood": ("ratios", 1e308),
}


def spoiled(kind, events):
    """A tagger with numbers that are finite, as a file may have them, but too large to reckon with."""
    fit = MODELS[kind].fit(events, events, Trainer())
    list(fit)
    tagger = fit.tagger()
    name, value = HUGE[kind]
    tagger.arrays[name] = np.sign(tagger.arrays[name]) * value
    tagger.check()
    return tagger


@pytest.mark.parametrize("kind", MODELS)
def test_numbers_too_large_to_reckon_with_give_no_score(kind, gaussians):
    events = gaussians(200)
    with pytest.raises(ValueError, match=r"^the tagger's output is not finite in \d+ events: .* select those events"):
        spoiled(kind, events).scores(events)


@pytest.mark.parametrize("outer", [lambda t: CalibratedTagger(t, Temperature(1.0)), lambda t: MembersTagger([t, t])])
def test_a_tagger_of_taggers_gives_none_either(outer, gaussians):
    class Broken:
        inputs, classes, sentinels, summary, device = ("x0",), ("background", "signal"), {}, {}, "cpu"

        def scores(self, events):
            return np.full(len(events), np.nan)

    with pytest.raises(ValueError, match="output is not finite in 20 events"):
        outer(Broken()).scores(gaussians(20, features=1))
