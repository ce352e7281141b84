from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.studies.binned import Binned
from hepclf.presentation.plots.binned import _layers, _stack, overlay_factor
from hepclf.presentation.plots.binned import pictures as binned
from hepclf.presentation.plots.style import style
from hepclf.statistics.counting.template import Template


@pytest.fixture
def picture(judged):
    results = judged(n=3000, binned=Binned())
    with style():
        (drawn,) = binned(results.studies["binned"], results, "title")
    return drawn, results.studies["binned"]


def test_background_lies_under_signal_above_the_significance_of_each_bin(picture):
    drawn, finding = picture
    top, bottom = drawn.figure.axes
    labels = [text.get_text() for text in top.get_legend().get_texts()]
    assert labels == ["background", "signal", "MC stat. uncertainty"]
    assert top.get_yscale() == "log"
    assert [bar.get_height() for bar in bottom.patches] == pytest.approx(list(finding.by_bin[0]))
    assert bottom.texts[0].get_text().startswith("all bins, $\\sigma_B$ = 10 % $\\oplus$ MC stat.: Z = ")
    edges = [text.get_text() for text in bottom.get_xticklabels()]
    assert len(edges) == len(finding.template.edges)
    assert (edges[0], edges[-1]) == ("0", "1")


def test_the_series_hold_what_is_drawn(picture):
    drawn, finding = picture
    names = [series.name for series in drawn.series]
    assert names == ["background", "signal", "significance"]
    np.testing.assert_array_equal(drawn.series[0].columns["events"], finding.template.channels.b)
    for series in drawn.series:
        assert len({len(column) for column in series.columns.values()}) == 1


def test_many_backgrounds_become_five_and_the_others():
    names = tuple(f"b{i}" for i in range(8))
    sums = np.broadcast_to(np.arange(8.0)[None, :, None] + 1, (4, 8, 2))
    layers = _layers(Template(np.array([0, 0.5, 1]), names, np.zeros(8, dtype=bool), sums))
    assert [label for label, _ in layers] == ["3 others", "b3", "b4", "b5", "b6", "b7"]
    np.testing.assert_array_equal(layers[0][1], [6, 6])


def template(*sums):
    """Two bins of an edge at one half, with these events of each process, the last of them signal."""
    events = np.array(sums)
    is_signal = np.arange(len(events)) == len(events) - 1
    return Template(np.array([0, 0.5, 1]), tuple("abcde"[: len(events)]), is_signal, np.stack([events] * 4))


@pytest.mark.parametrize(("signal", "factor"), [(1.0, 1), (1e-2, 100), (3e-4, 1000), (0.0, 1)])
def test_a_signal_that_nobody_sees_is_scaled_by_a_power_of_ten(signal, factor):
    assert overlay_factor(np.array([signal, signal / 2]), np.array([1.0, 1.0])) == factor


def test_the_axis_shows_the_smallest_process_and_the_scaled_signal(ax):
    _stack(ax, template([0.3, 0.2], [1e5, 1e3], [1.0, 1.0]))
    assert ax.get_ylim()[0] == pytest.approx(0.1)
    labels = ax.get_legend_handles_labels()[1]
    assert "c × 1,000" in labels
