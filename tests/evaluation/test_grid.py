"""How numbers are written."""

from __future__ import annotations

import pytest

from hepclf.evaluation.grid import alone, number


@pytest.mark.parametrize(
    ("value", "error", "written"),
    [
        (0.98123, 0.00104, "0.9812 ± 0.0010"),
        (4000.3, 2309.4, "4000 ± 2309"),
        (635.21, 42.1, "635 ± 42"),
        (3.9, 1.23, "3.9 ± 1.2"),
        (3.63e8, 1.04e8, "(3.6 ± 1.0)e+08"),
        (3.96e6, 9.04e5, "(3.96 ± 0.90)e+06"),
        (1.23456e9, 2.04e5, "(1.23456 ± 0.00020)e+09"),
        (8.88e-9, 2.8e-10, "(8.88 ± 0.28)e-09"),
        (-4e6, 3e7, "(-0.4 ± 3.0)e+07"),
        (0.25, None, "0.2500"),
        (2.5e-5, None, "2.5e-05"),
        (0.2, 1e-16, "0.2000"),
        (None, None, "-"),
    ],
)
def test_a_number_has_the_decimals_of_two_digits_of_its_error(value, error, written):
    assert number(value, error) == written


def test_a_number_alone_has_the_decimals_of_its_error():
    assert [alone(2958.2, 4500.0), alone(239.24, 6.9), alone(0.97812, 0.0009)] == ["2958", "239.2", "0.97812"]
