"""The pictures of what a tagger learnt: importances, effective cuts, correlations."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.presentation.plots.correlations import pictures as correlations
from hepclf.presentation.plots.effective_cuts import pictures as effective_cuts
from hepclf.presentation.plots.importance import pictures as importance
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored

DRAWN = {"importance": importance, "effective_cuts": effective_cuts, "correlations": correlations}
OTHERS = ("bands", "retrieval", "overtraining", "calibration", "counting", "binned", "points")


@pytest.fixture
def picture():
    """A function drawing the picture of this study on 1,000 events of d features, the first of which is the score."""

    def draw(study, d=3, names=None, classes=("background", "signal")):
        rng = np.random.default_rng(0)
        labels = np.arange(1000) % 2
        x = rng.normal(size=(1000, d)).astype(np.float32)
        x[:, 0] += labels

        def score(features):
            return 1 / (1 + np.exp(-features[:, 0].astype(float)))

        scored = Scored(labels=labels, scores=score(x), classes=classes)
        inside = Inside(names=names or tuple(f"x{i}" for i in range(d)), read=lambda places: x[places], ask=score)
        results = evaluate(scored, Evaluation(**dict.fromkeys(OTHERS)), inside)
        with style():
            (drawn,) = DRAWN[study](results.studies[study], results, "a title")
        return drawn

    return draw


def test_importances_are_bars_with_the_most_important_on_top(picture):
    drawn = picture("importance")
    left, right = drawn.figure.axes
    assert left.get_yticklabels()[0].get_text() == "x0"
    assert (left.get_xlabel(), right.get_xlabel()) == ("increase of the log-loss", "decrease of the AUC")
    assert left.get_ylim()[0] > left.get_ylim()[1]
    columns = drawn.series[0].columns
    assert list(columns) == ["feature", "log_loss", "log_loss_error", "auc", "auc_error"]
    assert [bar.get_width() for bar in left.patches] == pytest.approx(columns["log_loss"])


def test_of_many_features_the_first_are_drawn_and_all_are_in_the_numbers(picture):
    drawn = picture("importance", d=30)
    assert len(drawn.figure.axes[0].get_yticks()) == 20
    assert "first 20 of 30" in drawn.figure.axes[1].get_title("right")
    assert len(drawn.series[0].columns["feature"]) == 30


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_legend_of_effective_cuts_lies_within_the_figure_and_above_the_panels(picture, d):
    figure = picture("effective_cuts", d=d, classes=("background", "a signal of 20 letters")).figure
    with style():
        FigureCanvasAgg(figure).draw()
    legend = figure.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.x1
    assert legend.y0 >= max(ax.get_window_extent().y1 for ax in figure.axes)


def test_effective_cuts_show_all_and_kept_of_both_classes(picture):
    drawn = picture("effective_cuts", d=7)
    shown = [ax for ax in drawn.figure.axes if ax.axison]
    assert len(shown) == 6
    assert shown[0].get_xlabel() == "x0"
    assert [text.get_text() for text in drawn.figure.legends[0].get_texts()] == [
        "background, all",
        "background, selected",
        "signal, all",
        "signal, selected",
    ]
    columns = drawn.series[0].columns
    assert (columns["background_kept"] <= columns["background"] + 1e-12).all()


@pytest.mark.parametrize(("d", "numbered"), [(3, True), (20, True), (60, False)])
def test_correlations_have_a_panel_a_class(picture, d, numbered):
    drawn = picture("correlations", d=d)
    left, right, bar = drawn.figure.axes
    assert (left.get_title("left"), right.get_title("left")) == ("background", "signal")
    assert bool(left.texts) is numbered
    correlation = drawn.series[0].columns["correlation"]
    assert len(correlation) == (d + 1) * d // 2
    # The bar, the colours and the numbers in the cells are in one unit.
    assert (bar.get_ylabel(), left.images[0].get_clim()) == ("correlation in %", (-100, 100))
    assert left.images[0].get_array()[0, 1] == pytest.approx(100 * correlation[0])
    if numbered:
        assert left.texts[0].get_text() == f"{round(100 * correlation[0])}"


def test_names_are_shown_as_they_are(picture):
    names = ("$m_{jj}$", "_hidden", "<script>")
    labels = [label.get_text() for label in picture("importance", names=names).figure.axes[0].get_yticklabels()]
    assert labels[0] == r"\$m_{jj}\$"
    assert "\u200b_hidden" in labels


@pytest.mark.parametrize("d", [1, 2, 15])
def test_the_bar_of_the_correlations_has_room_for_its_label(picture, d):
    figure = picture("correlations", d=d).figure
    figure.draw_without_rendering()
    label = figure.axes[-1].yaxis.label.get_window_extent()
    assert figure.bbox.y0 <= label.y0 < label.y1 <= figure.bbox.y1
    assert label.x1 <= figure.bbox.x1


@pytest.mark.parametrize("d", [2, 8])
def test_long_names_and_titles_lie_within_the_correlations(picture, d):
    names = ("missing_energy_magnitude", *(f"x{i}" for i in range(1, d)))
    figure = picture("correlations", d=d, names=names).figure
    with style():
        FigureCanvasAgg(figure).draw()
    for ax in figure.axes[:-1]:
        texts = [*ax.get_xticklabels(), ax.title, ax._left_title, ax._right_title, *figure.axes[0].get_yticklabels()]
        boxes = [text.get_window_extent() for text in texts if text.get_text()]
        assert min(min(box.x0, box.y0) for box in boxes) >= 0
        assert max(box.y1 for box in boxes) <= figure.bbox.y1
