from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.bands import Bands
from hepclf.evaluation.studies.retrieval import Retrieval
from hepclf.presentation.plots import rejection
from hepclf.presentation.plots.bands import pictures as bands
from hepclf.presentation.plots.rejection import draw_rejection, highest_rejection
from hepclf.presentation.plots.retrieval import pictures as retrieval
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored

ASKED = {"bands": Bands(), "retrieval": Retrieval()}


def drawn(function, study, results):
    with style():
        return list(function(results.studies[study], results, "title"))


def test_the_bands_of_a_verdict_are_one_picture_with_its_numbers(judged):
    (picture,) = drawn(bands, "bands", judged(n=3000, **ASKED))
    lower = picture.figure.axes[1]
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == [
        "95 % of 1,000 replicas",
        "68 % of 1,000 replicas",
        "measured",
    ]
    assert [line.get_label() for line in lower.get_lines()[:2]] == ["analytic", "bootstrap"]
    columns = picture.series[0].columns
    assert {len(column) for column in columns.values()} == {100}
    low, high = np.asarray(columns["bootstrap_low"]), np.asarray(columns["bootstrap_high"])
    assert (low <= high).all()
    assert (np.asarray(columns["bootstrap_low_95"]) <= low).all()


def test_the_axis_of_several_classes_says_what_is_rejected(judged):
    (picture,) = drawn(bands, "bands", judged(classes=("u", "c", "b"), n=3000, **ASKED))
    assert picture.figure.axes[0].get_ylabel() == "rejection, 1 / efficiency of the rest"


def test_purity_and_what_is_kept_are_two_pictures(judged):
    purity, efficiencies = drawn(retrieval, "retrieval", judged(n=3000, **ASKED))
    assert (purity.stem, efficiencies.stem) == ("purity", "kept")
    assert purity.caption
    assert efficiencies.caption
    assert list(efficiencies.series[0].columns)[:2] == ["cut", "signal"]
    labels = [text.get_text() for text in efficiencies.figure.legends[0].get_texts()]
    assert labels == [
        "signal efficiency",
        "background efficiency",
        "purity",
        "95 % lower limit",
        "cut 0.5",
    ]


def test_the_legend_of_what_is_kept_fits_its_picture(judged):
    _, efficiencies = drawn(retrieval, "retrieval", judged(n=3000, **ASKED))
    with style():
        FigureCanvasAgg(efficiencies.figure).draw()
    (legend,) = efficiencies.figure.legends
    extent, picture = legend.get_window_extent(), efficiencies.figure.bbox
    assert picture.x0 <= extent.x0
    assert extent.x1 <= picture.x1


def test_the_rejection_is_hatched_where_no_background_is_left(judged, ax):
    results = judged(n=600, scores=lambda labels: np.linspace(0.1, 0.6, len(labels)) + 0.3 * labels)
    limit = results.test.roc.limit
    assert limit is not None
    draw_rejection(ax, results.test)
    hatched = [patch for patch in ax.collections if isinstance(patch, PolyCollection) and patch.get_hatch()]
    assert len(hatched) == 1
    low = hatched[0].get_paths()[0].vertices[:, 1].min()
    assert low == pytest.approx(limit.at_95)
    assert any(text.get_text().startswith("no background left: > ") for text in ax.legend().get_texts())


def test_nothing_is_hatched_where_background_is_left_everywhere(judged, ax):
    results = judged(n=600, scores=lambda labels: np.linspace(0.1, 0.9, len(labels)) - 0.05 * labels)
    assert results.test.roc.limit is None
    draw_rejection(ax, results.test)
    assert not [patch for patch in ax.collections if patch.get_hatch()]


def test_legends_of_a_small_run_lie_above_the_panels(judged):
    results = judged(n=60, **ASKED)
    with style():
        pictures = [*rejection.pictures(results, "title"), *drawn(bands, "bands", results)]
        pictures.append(drawn(retrieval, "retrieval", results)[0])
        for picture in pictures:
            FigureCanvasAgg(picture.figure).draw()
    assert [picture.stem for picture in pictures] == ["rejection", "bands", "purity"]
    for picture in pictures:
        legend = picture.figure.legends[0].get_window_extent()
        assert legend.y0 >= max(ax.get_window_extent().y1 for ax in picture.figure.axes), picture.stem
        assert legend.x1 <= picture.figure.bbox.x1, picture.stem


@pytest.fixture
def light():
    """A results whose loudest background event weighs next to nothing, after 0.4 % of the signal."""
    rng = np.random.default_rng(4)
    labels = np.repeat([1, 0], 500)
    scores = np.where(labels == 1, rng.uniform(0.3, 0.98, 1000), rng.uniform(0.0, 0.8, 1000))
    scores[:2], scores[500] = 0.999, 0.99
    weights = np.ones(1000)
    weights[500] = 1e-4
    return evaluate(Scored(labels=labels, scores=scores, weights=weights), Evaluation(bands=Bands()))


def test_the_axis_ends_where_rejections_are_measured_and_a_narrow_region_has_no_hatch(light, ax):
    roc = light.test.roc
    positive = roc.background_efficiency > 0
    assert roc.limit is not None
    assert (1 / roc.background_efficiency[positive]).max() == pytest.approx(499.0001 / 1e-4)
    draw_rejection(ax, light.test)
    assert ax.get_ylim()[1] == 4 * highest_rejection(light.test, "test", "signal") <= 4 * 499.0001
    assert not [patch for patch in ax.collections if patch.get_hatch()]
    (picture,) = drawn(bands, "bands", light)
    assert picture.figure.axes[0].get_ylim()[1] < 4 * 500


def test_bands_that_no_replica_has_are_not_in_the_legend():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    weights = np.where(rng.random(200) < 0.42, -1.0, 1.0)
    results = evaluate(Scored(labels=labels, scores=rng.random(200), weights=weights), Evaluation(bands=Bands()))
    (picture,) = drawn(bands, "bands", results)
    lower = picture.figure.axes[1]
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["measured"]
    assert [text.get_text() for text in lower.get_legend().get_texts()] == ["analytic"]
