"""The script that measures coverage, in small."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "coverage.py"


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("coverage_of_bands", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.REPLICAS = 100
    module.EVENTS = {1: 400, 0: 600}
    return module


@pytest.mark.parametrize("name", ["unit", "log-normal, width 1", "20 % negative"])
def test_bands_of_68_percent_hold_the_truth_about_as_often(coverage, name):
    kind = next(one for one in coverage.KINDS if one.name == name)
    # 100 samples know a share of 68 % to 4.7 %, and their own spread, by quantiles, to 12 %; measured 0.64 to 0.78 and
    # 0.95 to 1.29.
    for quantity, analytic, drawn, analytic_size, drawn_size in coverage.rows(kind, 100, 1):
        assert (analytic, drawn) == pytest.approx((0.683, 0.683), abs=0.14), quantity
        assert (analytic_size, drawn_size) == pytest.approx((1, 1), abs=0.4), quantity


def test_the_truths_are_those_of_a_large_sample(coverage):
    for kind in coverage.KINDS[:4]:
        big = dict(coverage.EVENTS)
        coverage.EVENTS = {label: 200 * expected for label, expected in big.items()}
        try:
            sample = coverage.sample(kind, coverage.np.random.default_rng(3))
            found = {name: band.value for name, band in coverage.bands(sample, 0).items()}
            truths = coverage.truths(kind)
        finally:
            coverage.EVENTS = big
        assert found["AUC"] == pytest.approx(truths["AUC"], rel=0.02)
        assert found["rejection at 50 %"] == pytest.approx(truths["rejection at 50 %"], rel=0.04)
        assert found["S/sqrt(B)"] == pytest.approx(truths["S/sqrt(B)"], rel=0.03)
