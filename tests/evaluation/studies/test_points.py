from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.points import Points, inverse_efficiency
from hepclf.presentation.plots.points import pictures
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored
from hepclf.statistics.value import Value

OTHERS = {field.name: None for field in fields(Evaluation) if hasattr(getattr(Evaluation(), field.name), "study")}


def alone(**settings):
    """The settings with no study but those named."""
    return Evaluation(**(OTHERS | settings))


NAMES = ("qcd", "ttbar", "higgs")


def three_processes(n=6000, seed=0, signed=False):
    """Two processes of background, one of signal, in all three splits."""
    rng = np.random.default_rng(seed)
    processes = rng.integers(0, 3, n)
    weights = rng.lognormal(0, 0.5, n) * np.where(rng.random(n) < 0.2 * signed, -1, 1)
    return Scored(
        labels=(processes == 2).astype(int),
        scores=1 / (1 + np.exp(-rng.normal(processes))),
        weights=weights,
        split=rng.integers(0, 3, n),
        processes=processes,
        process_names=NAMES,
    )


def points(scored, settings=None, **evaluation):
    return evaluate(scored, alone(points=settings or Points(), **evaluation)).studies["points"]


@pytest.mark.parametrize("signed", [False, True])
def test_a_cut_of_validation_is_quoted_on_test_for_each_process(signed):
    scored = three_processes(signed=signed)
    found = points(scored, Points(background_efficiencies=(0.1,)))
    valid, test = scored.of("valid"), scored.of("test")
    assert [point.wish.target for point in found.points] == [0.3, 0.5, 0.7, 0.9, 0.1]
    for point in found.points[:4]:
        own = valid.labels == 1
        assert valid.weights[own & (valid.scores >= point.cut)].sum() >= point.wish.target * valid.weights[own].sum()
    for point in found.points:
        kept = test.scores >= point.cut
        for i, name in enumerate(NAMES):
            w, passes = test.weights[test.processes == i], kept[test.processes == i]
            e = w[passes].sum() / w.sum()
            error = np.sqrt((w**2 * (passes - e) ** 2).sum()) / w.sum()
            assert point.processes[name].efficiency == pytest.approx(Value(e, error), rel=1e-9)
        assert point.signal_efficiency == point.processes["higgs"].efficiency
        expected = sum(point.processes[name].expected.value for name in ("qcd", "ttbar"))
        assert point.b.value == pytest.approx(expected, rel=1e-12)
        w = scored.scaled_weights("test")[kept & (test.labels == 0)]
        assert point.b == pytest.approx(Value(w.sum(), np.sqrt((w**2).sum())), rel=1e-9)
        assert point.rejection.value == pytest.approx(1 / point.background_efficiency.value, rel=1e-12)


def test_the_error_of_a_rejection_is_the_reference_one():
    # atlas-ftag-tools and puma: 100 events, rejection of 20, 50 and 100
    for rejection, error in ((20, 8.717798), (50, 35.0), (100, 99.498744)):
        e = 1 / rejection
        assert inverse_efficiency(Value(e, np.sqrt(e * (1 - e) / 100))) == pytest.approx(
            Value(rejection, error), rel=1e-7
        )
    assert inverse_efficiency(Value(0.0)) == inverse_efficiency(Value(None)) == Value(None)
    assert inverse_efficiency(Value(1.0)) == Value(1.0)


def test_false_alarms_are_expected_events():
    scored = three_processes()
    (point,) = points(
        scored,
        Points(signal_efficiencies=(), background_efficiencies=(), backgrounds=(200.0,)),
        yields={"qcd": 1000, "ttbar": 1000},
    ).points
    assert point.b.value == pytest.approx(200, abs=4 * point.b.error)


def test_what_cannot_be_granted_is_told_with_the_reason():
    found = points(three_processes(300), Points(background_efficiencies=(1e-5,)))
    assert len(found.points) == 4
    assert found.to_dict()["refused"] == [
        {
            "chosen_for": "background_efficiency",
            "target": 1e-5,
            "reason": "too few background events in the validation set",
        }
    ]
    assert found.sentences[-1].startswith("No cut for 0.001 % of background: too few background events")


def test_a_rejection_without_background_left_has_a_limit(make_scored):
    labels, split = np.arange(600) % 2, 1 + np.arange(600) // 2 % 2
    found = points(make_scored(labels, np.where(labels, 0.9, 0.1), split=split))
    point = found.points[0]
    assert point.rejection == Value(None)
    assert point.limit.at_95 == pytest.approx(150 / 2.995732)
    assert found.tables[0].rows[0][3:] == ("< 0.02 (95 %)", "> 50.07 (95 %)")
    assert found.to_dict()["points"][0]["rejection_limit"]["at_90"] == pytest.approx(150 / 2.302585)
    # Each event on test stands for two of the whole sample.
    assert found.to_dict()["points"][0]["b_limit"]["at_95"] == pytest.approx(2 * 2.995732)
    assert found.tables[0].rows[0][-1] == "> 50.07 (95 %)"
    assert points(three_processes()).points[0].limit is None


def test_processes_that_are_the_classes_have_no_table(make_scored, drawn):
    labels, scores, weights = drawn(900)
    found = points(make_scored(labels, scores, weights, split=np.arange(900) % 3))
    assert len(found.tables) == 1
    assert "processes" not in found.to_dict()["points"][0]
    assert found.sentences == ()


def test_the_tables_fit_a_terminal_of_80_columns():
    for grid in points(three_processes()).tables:
        widths = [max(len(cell) for cell in column) for column in zip(grid.header, *grid.rows, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80, grid.title


def test_the_process_that_is_left_is_named():
    assert (
        points(three_processes())
        .sentences[0]
        .startswith("Largest background at the cut chosen on validation for 70 % of signal: ttbar, ")
    )


def test_each_process_is_drawn_where_there_are_more_than_classes(make_scored, drawn):
    results = evaluate(three_processes(400), alone(points=Points()))
    with style():
        (picture,) = pictures(results.studies["points"], results, "title")
        picture.figure.canvas.draw()
    assert [series.name for series in picture.series][:2] == ["cut for 30 % of signal", "cut for 50 % of signal"]
    assert picture.series[0].columns["process"] == list(NAMES)
    labels, scores, weights = drawn(900)
    plain = evaluate(make_scored(labels, scores, weights, split=np.arange(900) % 3), alone(points=Points()))
    assert list(pictures(plain.studies["points"], plain, "title")) == []


def test_a_process_of_which_nothing_is_left_has_an_upper_limit():
    processes = np.repeat([0, 1, 2], [400, 200, 400])
    scores = np.repeat([0.3, 0.1, 0.9], [400, 200, 400]) + np.tile([0.0, 0.01], 500)
    split = 1 + np.arange(1000) // 2 % 2
    scored = Scored(
        labels=(processes == 2).astype(int), scores=scores, split=split, processes=processes, process_names=NAMES
    )
    results = evaluate(scored, alone(points=Points(signal_efficiencies=(0.9,), background_efficiencies=(0.9,))))
    finding = results.studies["points"]
    limits = [finding.points[0].processes[name].limit for name in NAMES]
    assert [limit.at_95 for limit in limits[:2]] == pytest.approx([2.995732 / 200, 2.995732 / 100])
    assert limits[2] is None
    row = {name: cells[0] for name, *cells in finding.tables[1].rows}
    assert (row[NAMES[0]], row[NAMES[1]]) == ("< 0.015 (95 %)", "< 0.03 (95 %)")
    with style():
        (picture,) = pictures(finding, results, "title")
    np.testing.assert_allclose(picture.series[0].columns["upper_limit_95"][:2], [2.995732 / 200, 2.995732 / 100])
    assert "An open triangle is an upper limit" in picture.caption


@pytest.mark.parametrize("split", [0, 2])
def test_without_validation_or_test_there_are_no_points(make_scored, drawn, split):
    labels, scores, weights = drawn(300)
    assert (
        "points"
        not in evaluate(make_scored(labels, scores, weights, split=np.full(300, split)), alone(points=Points())).studies
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"signal_efficiencies": (1.5,)}, "signal_efficiencies must lie above 0 and up to 1, not 1.5"),
        ({"backgrounds": (0.0,)}, "backgrounds must be above 0 expected events, not 0"),
    ],
)
def test_points_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Points(**settings)
