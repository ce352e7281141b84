from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hepclf.presentation.plots.picture import write_figure


def labels(folder, low, high):
    """The words at the minor ticks of a logarithmic axis, as it was written."""
    figure = Figure()
    ax = figure.subplots()
    ax.set_yscale("log")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(low, high)
    write_figure(figure, folder, "axis")
    return [tick.label1.get_text() for tick in ax.yaxis.get_minor_ticks() if tick.label1.get_text()]


def test_a_short_logarithmic_axis_has_its_minor_ticks_labelled_and_a_long_one_has_not(tmp_path):
    assert {"20", "30"} <= set(labels(tmp_path, 8, 50))
    assert labels(tmp_path, 1, 1000) == []
