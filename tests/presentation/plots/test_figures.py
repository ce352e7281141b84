"""What is drawn is what the values say: read back from the Axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_array_equal
from PIL import Image

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.evidence import equation
from hepclf.evaluation.studies.overtraining import Overtraining
from hepclf.presentation.plots import roc
from hepclf.presentation.plots.confusion import draw_confusion
from hepclf.presentation.plots.draw import draw
from hepclf.presentation.plots.find_rate import draw_rates
from hepclf.presentation.plots.losses import draw_losses, draw_members
from hepclf.presentation.plots.plane import EVENTS, draw_decision, pictures
from hepclf.presentation.plots.rejection import draw_rejection
from hepclf.presentation.plots.roc import draw_roc
from hepclf.presentation.plots.scores import draw_scores
from hepclf.presentation.plots.significance import draw_significance
from hepclf.presentation.plots.style import BLUE, VERMILLION, colours, style

THREE = ("qcd", "top", "signal")


def labels(ax):
    """The texts of the legend, its title first."""
    legend = ax.get_legend()
    return [legend.get_title().get_text(), *(text.get_text() for text in legend.get_texts())]


def line(ax, start):
    """The line whose legend entry begins so."""
    return next(curve for curve in ax.lines if str(curve.get_label()).startswith(start))


def test_losses_are_those_of_the_history_and_the_best_epoch_is_marked(ax, history):
    draw_losses(ax, history)
    assert_array_equal(line(ax, "training").get_xydata().T, [history["epoch"], history["train_loss"]])
    assert_array_equal(line(ax, "validation").get_ydata(), history["valid_loss"])
    assert_array_equal(line(ax, "best validation: epoch 3").get_xydata(), [[3, 3]])


def test_members_have_colours_labels_and_their_best_epochs(ax):
    draw_members(
        ax,
        {
            "member": [0, 0, 1, 1],
            "epoch": [1, 2, 1, 2],
            "train_loss": [0.7, 0.6, 0.7, 0.5],
            "valid_loss": [0.5, 0.6, 0.7, 0.6],
        },
    )
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["member 0"].get_color() != lines["member 1"].get_color()
    circles = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in circles] == [(1, 0.5), (2, 0.6)]


def test_a_range_test_shows_its_losses_the_suggestion_and_the_rate_in_use(ax):
    rates = {"rate": [1e-3, 1e-2, 1e-1], "loss": [0.7, 0.5, 0.9], "smoothed": [0.7, 0.6, 0.8]}
    draw_rates(ax, rates | {"suggested": [1e-3], "used": [5e-3]})
    assert_array_equal(line(ax, "single batches").get_xydata().T, [rates["rate"], rates["loss"]])
    assert_array_equal(line(ax, "smoothed").get_ydata(), rates["smoothed"])
    assert_array_equal(line(ax, "suggested: 0.001").get_xdata(), [1e-3, 1e-3])
    assert_array_equal(line(ax, "used: 0.005").get_xdata(), [5e-3, 5e-3])
    assert ax.get_xscale() == "log"


def test_without_validation_no_epoch_is_the_best(ax, history):
    draw_losses(ax, history | {"valid_loss": [np.nan] * 5})
    assert labels(ax)[1:] == ["training"]


def test_scores_are_bars_of_test_and_points_of_train(ax, judged):
    results = judged(threshold=0.37)
    draw_scores(ax, results)
    bars = {patch.get_label(): patch for patch in ax.patches}
    for name, histogram in results.test.histograms.items():
        assert_array_equal(bars[name].get_data().values, histogram.density)
        assert len(bars[name].get_data().values) == 40
    points = [container.lines[0].get_ydata() for container in ax.containers][:2]
    for drawn, histogram in zip(points, results.train.histograms.values(), strict=True):
        assert_array_equal(drawn, histogram.density[histogram.density > 0])
    assert line(ax, "cut 0.37").get_xdata() == [0.37, 0.37]
    assert ax.get_ylabel() == "(1/N) dN/dx"
    assert ax.get_yscale() == "log"


def test_the_processes_of_the_background_are_lines_of_its_histogram(ax, make_scored):
    processes = np.arange(1200) % 7
    scores = np.random.default_rng(0).random(1200)
    names = (*(f"b{i}" for i in range(6)), "signal")
    scored = make_scored((processes == 6).astype(int), scores, processes=processes, process_names=names)
    results = evaluate(scored, Evaluation(bands=None, importance=None))
    draw_scores(ax, results)
    bars = {patch.get_label(): patch.get_data().values for patch in ax.patches}
    drawn = [label for label in bars if label.startswith("background: ")]
    assert len(drawn) == 4, "those with most weight"
    for label in drawn:
        part = results.test.histograms["background"].parts[label.removeprefix("background: ")]
        assert_array_equal(bars[label], part.density)
    assert "signal: signal" not in bars


def test_scores_of_several_classes_have_no_cut(ax, judged):
    draw_scores(ax, judged(THREE))
    assert labels(ax)[1:] == [*THREE, "points: training set"]


def test_the_roc_line_is_the_values_and_its_area_the_auc(ax, judged):
    test = judged().test
    draw_roc(ax, test)
    x, y = line(ax, "test").get_xydata().T
    assert_array_equal(x, test.roc.signal_efficiency)
    assert_array_equal(y, 1 - test.roc.background_efficiency)
    area = np.trapezoid(y, x)
    assert area == pytest.approx(test.auc.value, abs=1e-12)
    assert f"test: AUC {area:.3f} ± {test.auc.error:.3f}" in labels(ax)


def test_the_operating_point_lies_on_the_roc_line(ax, judged):
    test = judged(threshold=0.7).test
    draw_roc(ax, test)
    [(x, y)] = line(ax, "cut 0.7").get_xydata()
    assert (x, 1 - y) == pytest.approx(test.operating)
    drawn_x, drawn_y = line(ax, "test").get_xydata().T
    assert np.hypot(drawn_x - x, drawn_y - y).min() < 1e-12


def test_the_best_possible_curve_is_dashed(ax, judged):
    draw_roc(ax, judged(llr=True).test)
    assert line(ax, "best possible").get_linestyle() == "--"


def test_several_classes_have_a_roc_line_each(ax, judged):
    test = judged(THREE).test
    draw_roc(ax, test)
    assert [text.split(":")[0] for text in labels(ax)] == ["one class against the rest", *THREE]
    assert_array_equal(line(ax, "top").get_xdata(), test.one_vs_rest["top"].roc.signal_efficiency)


def test_the_rejection_is_one_over_the_background_efficiency_with_the_quoted_points(ax, judged):
    test = judged().test
    draw_rejection(ax, test)
    x, y = line(ax, "test").get_xydata().T
    positive = test.roc.background_efficiency > 0
    assert_array_equal(x, test.roc.signal_efficiency[positive])
    assert_array_equal(y, 1 / test.roc.background_efficiency[positive])
    points = ax.containers[0].lines[0].get_ydata()
    assert_array_equal(points, [point.rejection.value for point in test.working_points])


def test_the_band_of_the_rejection_holds_its_line(ax, judged):
    test = judged().test
    draw_rejection(ax, test)
    index = test.roc.background_efficiency.searchsorted(0.3)
    background, error = test.roc.background_efficiency[index], test.roc.background_error[index]
    corners = ax.collections[0].get_paths()[0].vertices[:, 1]
    for edge in (1 / (background + error), 1 / (background - error)):
        assert np.abs(corners / edge - 1).min() < 1e-9


def test_a_working_point_has_the_interval_of_the_band(ax, judged):
    test = judged().test
    draw_rejection(ax, test)
    bars = ax.containers[0].lines[2][0].get_segments()
    for bar, point in zip(bars, test.working_points, strict=True):
        background, error = point.background_efficiency
        np.testing.assert_allclose(np.sort(bar[:, 1]), [1 / (background + error), 1 / (background - error)], rtol=1e-9)


def test_confusion_cells_hold_share_and_count(ax, judged):
    results = judged()
    draw_confusion(ax, results.test.confusion, results.classes, 0.5)
    cells = results.test.confusion
    expected = [f"{100 * cells.fractions[i, j]:.1f} %\n{cells.weights[i, j]:.0f}" for i in (0, 1) for j in (0, 1)]
    assert [text.get_text() for text in ax.texts] == expected
    assert_array_equal(ax.images[0].get_array(), cells.fractions)
    assert ax.get_xlabel() == "predicted class, cut 0.5"


def test_a_class_without_weight_has_no_share(ax, judged):
    cells = judged(weights=lambda n: (np.arange(n) % 2) * 1.0).test.confusion
    draw_confusion(ax, cells, ("background", "signal"))
    assert [text.get_text() for text in ax.texts][:2] == ["-\n0", "-\n0"]


def test_the_significance_is_the_scan_with_the_cut_that_validation_chose(ax, judged):
    results = judged()
    draw_significance(ax, results.scan, results.significance)
    assert_array_equal(line(ax, "Asimov Z:").get_xydata().T, [results.scan.cuts, results.scan.asimov])
    assert_array_equal(line(ax, "S/√B").get_ydata(), results.scan.s_over_sqrt_b)
    assert_array_equal(line(ax, "Asimov Z with $\\sigma_B$").get_ydata(), results.scan.asimov_systematic)
    assert line(ax, "cut").get_xdata() == [results.significance.cut] * 2
    assert labels(ax)[0] == "scan on test, cut chosen on validation"


def test_a_scan_without_a_cut_says_so(ax, judged):
    results = judged(splits=(0, 2))
    draw_significance(ax, results.scan, results.significance)
    assert labels(ax) == ["scan on test, no cut chosen", "S/√B", "Asimov Z", "Asimov Z with $\\sigma_B$"]


def test_the_decision_shows_probability_and_the_contour_at_the_threshold(ax, plane):
    draw_decision(ax, plane, 0.3, ("background", "signal"), "signal", {})
    mesh, contour = ax.collections
    assert_array_equal(mesh.get_array(), plane.probability)
    assert contour.get_paths()[0].vertices[:, 0] == pytest.approx(0.3)
    assert sum(len(curve.get_xdata()) for curve in ax.lines) == EVENTS
    assert ax.get_xlabel() == r"m_{jj}\$"


def test_a_threshold_that_is_never_reached_has_no_contour(ax, plane):
    draw_decision(ax, plane, 1.0, ("background", "signal"), "signal", {})
    assert ax.get_legend_handles_labels()[1] == ["background", "signal"]


def test_signal_is_vermillion_and_background_blue():
    assert colours(("background", "signal"), "signal") == {"background": BLUE, "signal": VERMILLION}
    assert len(set(colours(tuple("abcdefg"), "g").values())) == 7
    assert to_hex(VERMILLION) == "#d55e00"


def test_no_picture_is_cut_off_at_its_edges(judged, history, plane, tmp_path):
    names = ("a background with quite a long name", "a signal of which much the same is true")
    results = replace(judged(names), studies={"plane": plane})
    for path in draw(results, tmp_path, history=history, title="a title of some length, model"):
        if path.suffix == ".png":
            pixels = np.asarray(Image.open(path).convert("L"))
            border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
            assert (border == 255).all(), path.name


def test_scores_state_the_p_value_of_the_overtraining_test(ax, judged):
    results = judged(overtraining=Overtraining(permutations=99))
    draw_scores(ax, results)
    finding = results.studies["overtraining"]
    title = f"overtraining: {equation(finding.evidence.p)}, corrected for 4 tests"
    assert ax.get_legend().get_title().get_text() == finding.quoted
    assert finding.quoted.splitlines()[0] == title


def test_rates_stand_on_the_axes_that_are_asked_for(ax, judged):
    test = judged(roc="tpr_fpr").test
    draw_roc(ax, test, axes="tpr_fpr")
    curve = ax.get_lines()[0]
    assert_array_equal(curve.get_xdata(), test.roc.background_efficiency)
    assert_array_equal(curve.get_ydata(), test.roc.signal_efficiency)
    assert ax.get_xlabel() == "false positive rate (background efficiency)"


def test_the_setting_of_the_axes_reaches_the_picture(judged):
    with style():
        (picture,) = roc.pictures(judged(roc="tpr_fpr"), "title")
    assert picture.figure.axes[0].get_ylabel() == "true positive rate (signal efficiency)"
    assert picture.caption.startswith("ROC curve: true positive rate")


def test_titles_and_units_stand_on_the_axes(judged, plane):
    results = replace(judged(), studies={"plane": plane}, titles={plane.names[0]: ("$m_{jj}$", "GeV")})
    with style():
        (picture,) = pictures(plane, results, "title")
    labels = [picture.figure.axes[0].get_xlabel(), picture.figure.axes[0].get_ylabel()]
    assert labels == ["$m_{jj}$ [GeV]", "Δφ"]
