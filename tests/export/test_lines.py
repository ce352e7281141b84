from __future__ import annotations

import numpy as np
from scipy.special import expit

from hepclf.export.lines import straight_lines
from hepclf.statistics.calibration import Isotonic


def test_the_line_after_as_many_knots_as_are_passed_is_the_map():
    before, after = np.sort(np.random.default_rng(0).normal(size=(2, 50)), axis=1)
    calibration = Isotonic(before, after)
    z = np.concatenate([np.linspace(-4, 4, 999), before])
    knots, starts, values, slopes = straight_lines(calibration)
    i = np.searchsorted(knots, z, side="right")
    np.testing.assert_allclose(
        expit(values[i] + slopes[i] * (z - starts[i])), calibration(expit(z)), rtol=0, atol=1e-12
    )


def test_one_knot_is_a_shift():
    assert [column.tolist() for column in straight_lines(Isotonic(np.array([1.0]), np.array([3.0])))] == [
        [1],
        [1, 1],
        [3, 3],
        [1, 1],
    ]
