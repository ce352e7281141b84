"""For central values a weight of k is k events, and a weight of zero is none (docs/weights.md)."""

from __future__ import annotations

import math
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache

import numpy as np
import pytest

from hepclf.comparison.comparison import compare
from hepclf.comparison.contenders import contender
from hepclf.evaluation.case import Inside, ObservedEvents
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.bayes_limit import DENSITY
from hepclf.evaluation.studies.binned import Binned
from hepclf.evaluation.studies.calibration import Calibration
from hepclf.evaluation.studies.categories import Categories
from hepclf.evaluation.studies.discriminants import Discriminants
from hepclf.evaluation.studies.flatness import Flatness
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.evaluation.studies.tagging import Tagging
from hepclf.evaluation.studies.triggers import Triggers
from hepclf.evaluation.studies.variations import Variations
from hepclf.evaluation.studies.varied import Variation
from hepclf.events import Events
from hepclf.scored import Scored
from hepclf.survey.survey import survey

CASES = [(classes, signed) for classes in (2, 3) for signed in (False, True)]
FEATURES = ("x", "y")
MASS = {"mass": (0.0, 20.0, 50.0, 100.0, 1000.0)}
# Bin edges are given, and the floor of the effective background, which follows sum w^2, is zero.
SETTINGS = Evaluation(
    minimum_background=0,
    plane=None,  # a picture alone
    regions=None,  # the same
    tagging=Tagging(categories=3),
    binned=Binned(edges=(0.0, 0.3, 0.6, 1.0)),
    calibration=Calibration(bins=2),
    flatness=Flatness(edges=MASS),
    sculpting=Sculpting(edges=MASS),
    categories=Categories(of={"low": "region < 1", "high": "otherwise"}),
    variations=Variations(
        named={"up": Variation(factor="up"), "shifted": Variation(features=("x",), shift=0.1)},
    ),
    triggers=Triggers(live_time_s=1e6, observed_s=1e4),
)

# Numbers of events, by any name.
COUNTS = ("*.events", "studies.likelihood_ratio.finite", "studies.multiclass.confusion_counts*")
# Drawn at random: replicas, permutations and shuffles of events.
RANDOM = ("studies.bands.*.bootstrap_error", "studies.bands.*.low", "studies.bands.*.high", "studies.overtraining.*.p")
PERMUTED = ("studies.overtraining.*.by_chance.*", "studies.overtraining.*.bound")
REMOVAL = (*COUNTS, *RANDOM, *PERMUTED)
# Errors follow sum w^2, and with them what is made of them.
ERRORS = (
    "*.error*",
    "*.errors.*",
    "*_limit.*",
    "*.rejection_limits.*",
    "studies.calibration.*.by_chance.*",
    "*.chi2",
    "*.p",
    "*.ndf",
    "studies.folds.spread.*.expected",
)
EFFECTIVE = ("*.effective_background", "*.enough", "*.reason", "*.verdict", "*.evidence.*")
# The background is known to its own simulation, which is its sum of w^2.
UNCERTAIN = ("*.asimov_systematic.*", "studies.binned.*.asimov_statistical.*", "studies.binned.bins*.value")
# The bias of few effective events is subtracted.
BIASED = ("*.jsd_bits.*", "*.bias_subtracted", "*.inverse_jsd*")
# One effective event of each class more keeps it off 0 and 1.
PRIOR = ("studies.calibration.isotonic.*",)
# A list of events, one by one; features are shuffled among events.
EVENTS = ("studies.triggers.loudest*", "studies.importance.features.*")
# What is worth a warning depends on errors.
WARNINGS = ("warnings*",)
COPIES = (*REMOVAL, *WARNINGS, *ERRORS, *EFFECTIVE, *UNCERTAIN, *BIASED, *PRIOR, *EVENTS)


def table(classes, signed, n=400):
    """Columns of events with weights 0 to 3, or -3 to 3."""
    rng = np.random.default_rng(classes)
    labels = rng.integers(0, classes, n)
    weights = rng.integers(0, 4, n) * np.where(rng.random(n) < 0.15 * signed, -1.0, 1.0)
    features = np.round(rng.normal(size=(n, 2)) + labels[:, None] * [0.8, 0.2], 2).astype(np.float32)
    features[rng.random(n) < 0.1, 1] = np.nan
    return {
        "labels": labels,
        "weights": weights,
        "features": features,
        "split": rng.integers(0, 3, n),
        "processes": labels * 2 + (rng.random(n) < 0.4),
        "mass": np.round(rng.exponential(50, n), 1),
        "region": rng.integers(0, 2, n),
        "up": 1 + 0.1 * rng.normal(size=n),
        "llr": 1.3 * features[:, 0].astype(np.float64) - 0.5,
        "fold": rng.integers(0, 3, n),
        **{f"{DENSITY}{name}": rng.normal(size=n) for name in "abc"},
    }


def removed(columns):
    kept = columns["weights"] != 0
    return {name: column[kept] for name, column in columns.items()}


def copied(columns):
    times = np.abs(columns["weights"]).astype(int)
    return {name: np.repeat(column, times) for name, column in columns.items() if name != "features"} | {
        "features": np.repeat(columns["features"], times, axis=0),
        "weights": np.repeat(np.sign(columns["weights"]), times),
    }


def asked(features, classes):
    """The scores of a tagger, with ties."""
    x, y = np.nan_to_num(features.astype(np.float64)).T
    if classes == 2:
        return np.round(1 / (1 + np.exp(0.4 - x - 0.3 * y)), 2)
    sizes = np.exp(np.round(np.stack([np.zeros(len(x)), x - 0.4, 1.5 * x - 1.2 + 0.1 * y], axis=1), 1))
    return sizes / sizes.sum(axis=1, keepdims=True)


def scored(columns, classes):
    densities = (f"{DENSITY}{name}" for name in "abc")
    spectators = ("mass", "region", "up", *(("llr",) if classes == 2 else densities))
    return Scored(
        labels=columns["labels"],
        scores=asked(columns["features"], classes),
        weights=columns["weights"],
        split=columns["split"],
        classes=tuple("abc"[:classes]),
        processes=columns["processes"],
        process_names=tuple(f"{name}{part}" for name in "abc"[:classes] for part in (1, 2)),
        spectators={name: columns[name] for name in spectators},
        folds=columns["fold"],
    )


def results(columns, classes):
    test, seen = (columns["features"][columns["split"] == split] for split in (2, 1))
    weights = np.abs(columns["weights"][columns["split"] == 1])
    inside = Inside(names=FEATURES, read=lambda places: test[places], ask=lambda features: asked(features, classes))
    observed = ObservedEvents(scores=asked(seen, classes), weights=weights, features=seen, names=FEATURES)
    settings = (
        replace(SETTINGS, discriminants=Discriminants(against={"c": {"a": 0.3, "b": 0.7}})) if classes > 2 else SETTINGS
    )
    return evaluate(scored(columns, classes), settings, inside, observed=observed).to_dict()


def leaves(value, path):
    """Every number and word of nested results, by its path."""
    if isinstance(value, dict):
        return {name: leaf for key, part in value.items() for name, leaf in leaves(part, f"{path}.{key}").items()}
    if isinstance(value, (list, tuple)):
        parts = (leaves(part, f"{path}[{place}]") for place, part in enumerate(value))
        return {name: leaf for part in parts for name, leaf in part.items()}
    return {path.lstrip("."): value}


def same(first, second):
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (first, second))
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9) if numbers else first == second


def differences(first, second):
    """The paths whose values differ, or that one side lacks."""
    one, other = leaves(first, ""), leaves(second, "")
    return [name for name in {**one, **other} if not same(one.get(name, "absent"), other.get(name, "absent"))]


@cache
def changed(classes, signed):
    """What differs in the results when events of weight zero are removed, and when weights become copies."""
    columns = table(classes, signed)
    weighted = results(columns, classes)
    return tuple(differences(weighted, results(other(columns), classes)) for other in (removed, copied))


def outside(paths, exceptions):
    return [path for path in paths if not any(fnmatch(path, pattern) for pattern in map(escaped, exceptions))]


def escaped(pattern):
    return pattern.replace("[", "[[]")


@pytest.mark.parametrize(("classes", "signed"), CASES)
def test_a_weight_of_zero_is_no_event(classes, signed):
    assert outside(changed(classes, signed)[0], REMOVAL) == []


@pytest.mark.parametrize(("classes", "signed"), CASES)
def test_a_weight_of_k_is_k_events(classes, signed):
    assert outside(changed(classes, signed)[1], COPIES) == []


@pytest.mark.parametrize("exceptions", [REMOVAL, COPIES], ids=["removal", "copies"])
def test_no_exception_is_idle(exceptions):
    paths = [path for case in CASES for path in changed(*case)[int(exceptions is COPIES)]]
    assert [pattern for pattern in exceptions if outside(paths, [pattern]) == paths] == []


def test_every_study_is_looked_at():
    made = {name for classes in (2, 3) for name in results(table(classes, signed=False), classes)["studies"]}
    assert made == {name for name, value in vars(SETTINGS).items() if hasattr(value, "study")}


@pytest.mark.parametrize("signed", [False, True])
def test_compared_areas_and_rejections_take_a_weight_of_k_as_k_events(signed):
    columns = table(2, signed)
    weighted, *others = (compared(part) for part in (columns, removed(columns), copied(columns)))
    for other in others:
        assert [one.name for one in other.contenders] == [one.name for one in weighted.contenders]
        for one, two in zip(weighted.contenders, other.contenders, strict=True):
            assert (one.valid.value, one.test.value) == pytest.approx((two.valid.value, two.test.value), abs=1e-12)
            assert one.background_efficiency == pytest.approx(two.background_efficiency, abs=1e-12)
        assert other.differences[0].value.value == pytest.approx(weighted.differences[0].value.value, abs=1e-12)
        known = np.isfinite(weighted.ratios[1].value) & np.isfinite(other.ratios[1].value)  # both errors allow it
        assert other.ratios[1].value[known] == pytest.approx(weighted.ratios[1].value[known], rel=1e-9)
    assert others[0].differences[0].p == pytest.approx(weighted.differences[0].p, abs=1e-12)


def compared(columns):
    good = scored(columns, 2)
    poor = replace(good, scores=np.round(good.scores * 0.5 + (columns["up"] - 0.6) / 2, 2).clip(0, 1))
    return compare([contender(name, events, 1) for name, events in (("good", good), ("poor", poor))])


# What a survey counts event by event, and what follows sum w^2.
COUNTED = ("events", "*.events", "duplicates.*", "warnings*", "*.missing", "*.distinct", "*.minimum", "*.maximum")
ALIKE = ("features[?].mean", "features[?].width", "*.effective", "*.heaviest_fraction", "*.error")


@pytest.mark.parametrize("signed", [False, True])
def test_the_weighted_figures_of_a_survey_take_a_weight_of_k_as_k_events(signed):
    columns = table(2, signed)
    weighted, *others = (surveyed(part) for part in (columns, removed(columns), copied(columns)))
    for other in others:
        assert outside(differences(weighted, other), (*COUNTED, *ALIKE)) == []


def surveyed(columns):
    return survey(
        Events(
            features=columns["features"],
            names=FEATURES,
            labels=columns["labels"],
            weights=columns["weights"],
            classes=("a", "b"),
            processes=columns["processes"],
            process_names=("a1", "a2", "b1", "b2"),
        )
    ).to_dict()
