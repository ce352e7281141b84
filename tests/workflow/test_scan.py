"""The picture of a sweep over one or two numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hepclf.statistics.value import Value
from hepclf.workflow.scan import _mean, draw_scan
from hepclf.workflow.sweep_row import Row


def row(number, loss=0.5, status="finished", **varied):
    varied = {key.replace("__", "."): str(value) for key, value in varied.items()}
    measured = Value(loss, 0.1)
    return Row(number, varied, Path("x"), status, loss=measured, fitted=measured, accuracy=Value(0.8, 0.01))


@pytest.mark.usefixtures("sketched")
def test_one_number_has_a_curve_and_two_have_a_plane():
    curve = [
        row(i, model__degree=degree, seed=seed) for i, (degree, seed) in enumerate([(1, 0), (1, 1), (2, 0), (9, 0)])
    ]
    plane = [row(i, rate=rate, size=size) for i, (rate, size) in enumerate([(1, 5), (1, 6), (2, 5)])]
    for number, rows in enumerate((curve, plane)):
        assert [path.name for path in draw_scan(rows, Path(str(number)))] == ["scan.png", "scan.pdf"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(0, model="mlp"), row(1, model="knn"), row(2, model="svm")],
        [row(0, degree=1), row(1, degree=2)],
        [row(0, degree=1), row(1, degree=2), row(2, degree=3, status="failed")],
        [row(i, seed=i) for i in range(4)],
    ],
)
def test_any_other_sweep_has_none(rows):
    assert draw_scan(rows, Path("none")) == []


def test_repeats_are_averaged_with_their_deviation_and_a_single_one_has_its_own_error():
    assert _mean([Value(1.0, 0.5)]) == (1.0, 0.5)
    assert _mean([Value(1.0, 0.5), Value(3.0, 0.5)]) == (2.0, pytest.approx(2**0.5))
