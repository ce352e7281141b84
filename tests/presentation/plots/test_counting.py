from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.studies.counting import Counting
from hepclf.presentation.plots.counting import pictures as counting
from hepclf.presentation.plots.style import style


@pytest.fixture
def pictures(judged):
    results = judged(n=3000, counting=Counting())
    with style():
        return {picture.stem: picture for picture in counting(results.studies["counting"], results, "title")}


def test_each_measure_has_a_line_a_band_and_its_best_cut(pictures):
    top, bottom = pictures["figures_of_merit"].figure.axes
    assert [text.get_text() for text in top.get_legend().get_texts()] == [
        "S/√B", "S/√(S+B)", "Asimov Z", "Asimov Z with $\\sigma_B$", "AMS",
    ]  # fmt: skip
    assert len(top.collections) == 10  # a band and the error bar of a point each
    assert bottom.get_ylabel() == "Punzi"
    for series in pictures["figures_of_merit"].series:
        columns = {name: len(column) for name, column in series.columns.items()}
        assert set(columns) == {"cut", "value", "value_error"}
        assert len(set(columns.values())) == 1


def test_yields_fall_with_the_cut(pictures):
    (ax,) = pictures["yields"].figure.axes
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "expected events above the cut"
    for series in pictures["yields"].series:
        assert (np.diff(series.columns["events"]) <= 0).all()
    assert all(picture.caption.endswith(".") for picture in pictures.values())
