"""Rectangular cuts: what is printed selects what the tagger selects."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import hepclf
from hepclf import Trainer, load_tagger
from hepclf.data.expressions import parse
from hepclf.events import Events
from hepclf.models.cuts import Cuts
from hepclf.models.grid import cut_expression, grid

NO_PLOTS = hepclf.Evaluation(plots=False)


def fitted(events, trainer=None, valid=None, **settings):
    fit = Cuts(**settings).fit(events, valid or events, trainer or Trainer())
    list(fit)
    return fit.tagger()


def passes(selection, features, names):
    columns = dict(zip(names, features.astype(np.float64).T, strict=True))
    return parse(selection).evaluate(columns, len(features))


def test_two_features_are_cut_as_well_as_by_trying_all_cuts(gaussians):
    events = gaussians(features=2, events=1000)
    settings = {"places": 12, "sides": {"x0": "above", "x1": "below"}, "efficiency": 0.6}
    tagger = fitted(events, **settings)
    x, signal = events.features.astype(float), events.labels == 1
    cuts = [grid(events.features[:, i], events.weights, signal, 12) for i in range(2)]
    best = 1.0
    for low, high in product([-np.inf, *cuts[0]], [*cuts[1], np.inf]):
        inside = (x[:, 0] > low) & (x[:, 1] < high)
        if inside[signal].mean() >= 0.6:
            best = min(best, inside[~signal].mean())
    inside = passes(tagger.summary["selection"], events.features, events.names)
    assert inside[signal].mean() >= 0.6
    assert inside[~signal].mean() == pytest.approx(best, abs=1e-12)


def test_every_selection_keeps_the_events_above_a_score(gaussians):
    events, others = gaussians(separation=1.0), gaussians(separation=1.0, seed=1)
    tagger = fitted(events, sides={"x1": "window"})
    scores, thresholds = tagger.scores(others), tagger.arrays["scores"]
    assert len(tagger.summary["selections"]) == 19
    for threshold, selection in zip(thresholds[1:], tagger.summary["selections"].values(), strict=True):
        kept = passes(selection, others.features, others.names)
        assert np.array_equal(kept, scores >= threshold)
    assert tagger.summary["selection"] in tagger.summary["selections"].values()


def test_a_missing_value_passes_no_cut_on_its_feature_as_in_a_selection(gaussians):
    events = gaussians()
    features = events.features.copy()
    features[::5, 0] = np.nan
    features[1::5, 2] = np.nan
    holes = Events(features=features, labels=events.labels, names=events.names)
    tagger = fitted(holes)
    for threshold, selection in zip(tagger.arrays["scores"][1:], tagger.summary["selections"].values(), strict=True):
        assert np.array_equal(passes(selection, features, events.names), tagger.scores(holes) >= threshold)
    for target, selection in tagger.summary["selections"].items():
        assert passes(selection, features, events.names)[events.labels == 1].mean() >= float(target) - 1e-9
    assert any("x0" in selection for selection in tagger.summary["selections"].values())


def test_the_sides_of_a_feature_are_those_that_the_data_show():
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % 2
    x = rng.normal(size=(4000, 3))
    x[:, 0] += labels
    x[:, 1] -= labels
    x[:, 2] *= np.where(labels, 0.5, 2)
    events = Events(features=x, labels=labels, names=("larger", "smaller", "narrower"))
    selection = fitted(events, efficiency=0.5).summary["selection"]
    words = selection.split(" and ")
    assert [word.split()[:2] for word in words[:2]] == [["larger", ">"], ["smaller", "<"]]
    assert words[2].split()[1:4] == ["<", "narrower", "<"]


def test_the_printed_cuts_are_those_of_the_largest_significance_on_validation(gaussians):
    events, valid = gaussians(weights=np.where(np.arange(4000) % 2, 0.1, 30.0)), gaussians(seed=1)
    tagger = fitted(events, valid=valid)
    found = {}
    for selection in tagger.summary["selections"].values():
        kept = passes(selection, valid.features, valid.names)
        s, b = (kept & (valid.labels == 1)).sum(), (kept & (valid.labels == 0)).sum()
        found[selection] = s / b**0.5 if b >= 10 else 0
    # The boxes around the anchor are fitted to it once it is chosen, so the best may be its neighbour.
    assert found[tagger.summary["selection"]] > 0.97 * max(found.values())


def test_scores_rise_and_are_the_share_of_signal(gaussians):
    valid = gaussians(events=40_000, seed=1)
    tagger = fitted(gaussians(), valid=valid)
    scores, levels = tagger.scores(valid), tagger.arrays["scores"]
    assert (np.diff(levels) > 0).all()
    assert 0 <= levels[0] < levels[-1] <= 1
    for level in levels:
        count = (scores == level).sum()
        share = valid.labels[scores == level].mean()
        assert share == pytest.approx(level, abs=5 * (0.25 / count) ** 0.5)


def alike(values, places):
    """The grid of a signal alone, whose events weigh the same."""
    return grid(values, np.ones(len(values)), np.ones(len(values), dtype=bool), places)


def test_whole_numbers_are_cut_between_them():
    values = np.array([0, 1, 1, 2, 2, 3, 5, 8], dtype=np.float32)
    assert alike(values, 8).tolist() == [-0.5, 0.5, 1.5, 2.5, 4.0, 6.0]


def test_cuts_on_a_real_feature_are_short_and_no_value_of_it():
    values = np.random.default_rng(0).normal(50, 20, 10_000).astype(np.float32)
    cuts = alike(values, 50)
    assert len(cuts) == 50
    assert all(len(repr(value)) <= 7 for value in cuts.tolist())
    assert not np.isin(cuts.astype(np.float32), values).any()


def test_values_on_a_coarse_grid_keep_their_side_in_doubles():
    tenths = np.arange(10) / 10
    cuts = alike(tenths.astype(np.float32), 10)
    for value in cuts:
        assert np.array_equal(tenths > value, tenths.astype(np.float32) > value)


@pytest.mark.parametrize(
    ("name", "says"),
    [("MET", "MET > 1.5"), ("max(Jet_pt)", "(max(Jet_pt)) > 1.5"), ("Muon.pt", "`Muon.pt` > 1.5")],
)
def test_a_cut_is_written_so_that_it_can_be_read(name, says):
    text = cut_expression(name, 1.5, None)
    assert text == says
    columns = {"MET": np.array([1.0, 2.0]), "Muon.pt": np.array([1.0, 2.0]), "Jet_pt": np.array([[1.0], [2.0]])}
    assert parse(text).evaluate({c: columns[c] for c in parse(text).columns}, 2).tolist() == [False, True]
    assert cut_expression("a + b", -1e-7, 2.0) == "-1e-07 < (a + b) < 2.0"
    assert parse("-1e-07 < (a + b) < 2.0").columns == ("a", "b")


def test_one_feature_with_one_side_is_cut_too(gaussians):
    events = gaussians(features=1)
    tagger = fitted(events, sides={"x0": "above"}, efficiency=0.5)
    selection = tagger.summary["selection"]
    assert selection.startswith("x0 > 1.")
    assert passes(selection, events.features, events.names)[events.labels == 1].mean() == pytest.approx(0.5, abs=0.011)


def test_the_same_seed_gives_the_same_cuts(gaussians):
    events = gaussians()
    assert fitted(events).summary == fitted(events).summary


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"efficiency": 1.0}, "efficiency must lie between 0 and 1, not 1.0"),
        ({"steps": 1}, "steps must lie between 2 and 1000"),
        ({"places": 255}, "places must lie between 2 and 250"),
        ({"sides": {"x0": "up"}}, "must be one of above, below, window"),
    ],
)
def test_settings_out_of_range_are_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        Cuts(**settings)


def test_what_cuts_cannot_do_is_refused(gaussians):
    with pytest.raises(ValueError, match="model=cuts needs two classes, the data has 3"):
        fitted(gaussians(classes=3))
    with pytest.raises(ValueError, match="names 'x9', which is not a feature; nearest"):
        fitted(gaussians(), sides={"x9": "above"})
    signed = gaussians(weights=np.where(np.arange(4000) % 5, 1.0, -1.0))
    with pytest.raises(ValueError, match="model=cuts cannot learn from negative weights"):
        fitted(signed, Trainer(negative_weights="keep"))


def test_a_run_has_a_tagger_that_loads_and_its_cuts_in_the_record():
    data = hepclf.GW(signals=300, noise=900)
    trained = hepclf.train(data, Cuts(), evaluation=NO_PLOTS, folder="run")
    again = load_tagger("run/tagger")
    events = data.load()
    assert np.array_equal(again.scores(events), trained.scored.scores)
    assert trained.results.test.auc.value > 0.85
    selection = json.loads(Path("run/metrics.json").read_text())["model"]["selection"]
    assert 0 < passes(selection, events.features, events.names).mean() < 0.5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scores": np.linspace(1, 0, 20)}, "scores that rise from 0 to 1"),
        ({"scores": np.linspace(0, 2, 20)}, "scores that rise from 0 to 1"),
        ({"scores": np.linspace(0, 1, 19)}, "'scores' must have shape"),
        ({"low": np.linspace(1, 0, 19)[:, None] * np.ones(3)}, "must lie inside the one before"),
        ({"high": np.zeros((19, 2))}, "'high' must have shape"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(gaussians, planted, changes, says):
    tagger = fitted(gaussians())
    planted(tagger, changes)
    with pytest.raises(ValueError, match=says):
        load_tagger("tagger")
