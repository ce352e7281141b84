"""What is drawn of a comparison is what its values say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from hepclf.comparison.comparison import compare
from hepclf.comparison.contenders import contender
from hepclf.presentation.plots.compare import (
    MAX_CURVES,
    draw_comparison,
    draw_ratios,
    draw_rejections,
    draw_rocs,
    legend_title,
    tagger_curves,
)
from hepclf.presentation.plots.picture import add_legend
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored


@pytest.fixture
def compared():
    """A function comparing some taggers, each noisier than the one before."""

    def make(count=3, names=None, valid=True):
        rng = np.random.default_rng(0)
        labels = np.arange(1200) % 2
        z = 1.5 * labels + rng.normal(size=1200)
        split = np.where(np.arange(1200) % 3 == 0, 1, 2) if valid else np.full(1200, 2)
        scores = [1 / (1 + np.exp(-z - noise * rng.normal(size=1200))) for noise in range(count)]
        names = names or [f"tagger {i}" for i in range(count)]
        return compare(
            [
                contender(name, Scored(labels=labels, scores=column, split=split), 1)
                for name, column in zip(names, scores, strict=True)
            ]
        )

    return make


def test_each_roc_line_is_the_curve_and_its_band_the_error(ax, compared):
    comparison = compared()
    draw_rocs(ax, tagger_curves(comparison))
    for line, tagger, band in zip(ax.lines, comparison.contenders, ax.collections, strict=False):
        assert_array_equal(line.get_xdata(), tagger.roc.signal_efficiency)
        assert_array_equal(line.get_ydata(), 1 - tagger.roc.background_efficiency)
        index = tagger.roc.signal_efficiency.searchsorted(0.6)
        low = 1 - tagger.roc.background_efficiency[index] - tagger.roc.background_error[index]
        assert np.abs(band.get_paths()[0].vertices[:, 1] - low).min() < 1e-12


def test_rejections_are_one_over_the_background_efficiency(ax, compared):
    comparison = compared()
    draw_rejections(ax, tagger_curves(comparison))
    for line, tagger in zip(ax.lines, comparison.contenders, strict=True):
        passed = tagger.roc.background_efficiency > 0
        assert_array_equal(line.get_ydata(), 1 / tagger.roc.background_efficiency[passed])
    assert ax.get_yscale() == "log"


def test_the_ratio_of_the_reference_is_one_and_the_others_are_those_of_the_values(ax, compared):
    comparison = compared()
    draw_ratios(ax, tagger_curves(comparison))
    drawn = [line.get_ydata() for line in ax.lines[:3]]
    assert_allclose(drawn[0][np.isfinite(drawn[0])], 1)
    for line, values in zip(drawn, comparison.ratios, strict=True):
        assert_array_equal(line, values.value)
    low, high = ax.get_ylim()
    assert low <= np.nanmin(drawn) < np.nanmax(drawn) <= high


def test_the_legend_says_area_and_error_in_the_order_of_the_lines(compared):
    comparison = compared()
    with style():
        figure = Figure()
        draw_rocs(figure.subplots(), tagger_curves(comparison))
        add_legend(figure, legend_title(comparison))
        FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert legend.get_window_extent().y0 >= figure.axes[0].get_window_extent().y1, "no curve runs behind it"
    assert legend.get_title().get_text() == "AUC ± statistical uncertainty, bands ±1σ,\nbest on validation first"
    for text, tagger in zip(legend.get_texts(), comparison.contenders, strict=True):
        assert text.get_text() == f"{tagger.name}: {tagger.test.value:.3f} ± {tagger.test.error:.3f}"


def test_many_taggers_are_drawn_up_to_a_number_that_is_said(compared):
    comparison = compared(MAX_CURVES + 2)
    drawn = tagger_curves(comparison)
    assert [line.name for line in drawn] == [tagger.name for tagger in comparison.contenders][:MAX_CURVES]
    assert len({(line.colour, line.dashes) for line in drawn}) == MAX_CURVES
    assert f"the first {MAX_CURVES} of {MAX_CURVES + 2}" in legend_title(comparison)


def test_several_classes_and_no_validation_are_said(compared):
    assert legend_title(compared(valid=False), signal="top") == (
        "AUC of top against the rest ± statistical uncertainty, bands ±1σ,\nin the order given"
    )


def test_no_picture_is_cut_off_at_its_edges(compared, tmp_path):
    names = [f"a tagger with quite a long name, number {i}" for i in range(5)]
    written = draw_comparison({"": compared(5, names)}, tmp_path / "plots", title="some data of a long name")
    assert sorted(path.name for path in written) == ["rejection.pdf", "rejection.png", "roc.pdf", "roc.png"]
    for path in written:
        if path.suffix == ".png":
            pixels = np.asarray(Image.open(path).convert("L"))
            border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
            assert (border == 255).all(), path.name


def test_without_a_curve_there_is_no_picture(tmp_path):
    alone = contender("a", Scored(labels=np.zeros(9, dtype=int), scores=np.linspace(0, 1, 9)), 1)
    assert draw_comparison({"": compare([alone, alone])}, tmp_path / "plots") == []
    assert not (tmp_path / "plots").exists()


def test_each_set_of_test_events_has_pictures_of_its_own(compared, tmp_path):
    written = draw_comparison(
        {"fold=0": compared(2), "fold=1": compared(3), "fold=2": compared(1)}, tmp_path, title="gw"
    )
    assert sorted(path.stem for path in written if path.suffix == ".png") == [
        "rejection",
        "rejection_2",
        "roc",
        "roc_2",
    ]
    captions = {stem: row["caption"] for stem, row in json.loads((tmp_path / "pictures.json").read_text()).items()}
    assert captions["roc_2"] == (
        "ROC curves, best on validation first; bands: statistical uncertainty of the test events, ±1σ."
    )


def test_runs_that_share_no_test_events_are_drawn_together_and_not_ranked(compared, tmp_path):
    samples = {"fold=0": compared(1, ["mlp fold=0"]), "fold=1": compared(1, ["mlp fold=1"])}
    written = draw_comparison(samples, tmp_path)
    assert sorted(path.stem for path in written if path.suffix == ".png") == ["rejection", "roc"]
    assert [line.name for line in tagger_curves(*samples.values())] == ["mlp fold=0", "mlp fold=1"]
    assert legend_title(*samples.values()).endswith("\non different test events")
    assert "the runs cannot be ranked" in json.loads((tmp_path / "pictures.json").read_text())["rejection"]["caption"]


def test_a_copy_is_not_drawn_a_second_time(compared):
    comparison = compared(2)
    copy = replace(comparison.contenders[0], name="again", copy_of=comparison.contenders[0].name)
    extended = replace(
        comparison, contenders=(*comparison.contenders, copy), ratios=(*comparison.ratios, comparison.ratios[0])
    )
    assert [line.name for line in tagger_curves(extended)] == [run.name for run in comparison.contenders]
