from __future__ import annotations

import json

import numpy as np
import pytest

from hepclf.evaluation.files.workspace import workspace
from hepclf.statistics.counting.likelihood import discovery
from hepclf.statistics.counting.significance import z_value
from hepclf.statistics.counting.template import Template

NAMES = ("qcd", "top", "higgs", "higgs2")


def template(values, weight=0.5):
    """Four processes, the last two signal, of events of one weight."""
    rows = np.asarray(values, dtype=float)
    powers = np.stack([np.abs(rows) * weight**p if p else rows for p in range(4)])
    return Template(np.linspace(0, 1, rows.shape[1] + 1), NAMES, np.array([False, False, True, True]), powers)


USUAL = [[400, 60, 9], [100, 30, 6], [2, 4, 5], [1, 1, 1]]
NEGATIVE = [[400, 60, 12], [100, 30, -3], [2, 4, 5], [1, 1, -0.5]]


@pytest.fixture
def pyhf():
    return pytest.importorskip("pyhf", reason="pyhf, of the extra hep, is not installed")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("values", [USUAL, NEGATIVE])
@pytest.mark.parametrize("systematic", [0.0, 0.2])
def test_pyhf_reads_it_and_finds_the_same_significance(pyhf, values, systematic):
    of = template(values)
    spec = json.loads(json.dumps(workspace(of, systematic)))
    found = pyhf.Workspace(spec)  # checks it against the schema
    model = found.model()
    assert model.config.poi_name == "mu"
    assert model.config.parameters.count("background_normalisation") == (systematic > 0)
    p = float(pyhf.infer.hypotest(0.0, found.data(model), model, test_stat="q0"))
    assert float(z_value(p)) == pytest.approx(discovery(of.channels, systematic).value, rel=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_statistical_factor_of_a_bin_is_that_of_all_backgrounds_together(pyhf):
    of = template(USUAL)
    model = pyhf.Workspace(workspace(of, 0.1)).model()
    expected = np.sqrt(of.channels.b_squares) / of.channels.b
    np.testing.assert_allclose(model.config.param_set("staterror_score").sigmas, expected)


def test_what_is_below_zero_is_written_as_zero_and_the_totals_stay():
    spec = workspace(template(NEGATIVE), 0.1)
    rows = {sample["name"]: sample["data"] for sample in spec["channels"][0]["samples"]}
    np.testing.assert_allclose(rows["top"], [100, 30, 0])
    np.testing.assert_allclose(rows["qcd"], [400, 60, 9])
    np.testing.assert_allclose(rows["higgs"], [2, 4, 4.5])
    np.testing.assert_allclose(spec["observations"][0]["data"], np.sum(NEGATIVE, axis=0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pyhf_finds_the_upper_limit_on_a_faint_signal_within_the_bounds(pyhf):
    model = pyhf.Workspace(workspace(template([*USUAL[:2], [0.02, 0.04, 0.05], [0.001] * 3]), 0.2)).model()
    place, background = model.config.poi_index, model.config.suggested_init()
    background[place] = 0.0
    low, high = model.config.suggested_bounds()[place]
    limits = pyhf.infer.intervals.upper_limits
    observed, (_, _, median, _, high_2_sigma) = limits.upper_limit(model.expected_data(background), model)
    assert observed == pytest.approx(median, rel=1e-3)
    # The median of CLs is at 1.96 standard deviations where the likelihood is a Gaussian; staterror widens it.
    assert median == pytest.approx(1.96 * (high - 1) / 10, rel=0.1)
    assert low < high_2_sigma < high


def test_without_a_systematic_there_is_no_modifier_for_it():
    for systematic in (0.0, 0.1):
        samples = workspace(template(USUAL), systematic)["channels"][0]["samples"]
        kinds = [[modifier["type"] for modifier in sample["modifiers"]] for sample in samples]
        assert kinds == [["staterror", "normsys"][: 1 + (systematic > 0)]] * 2 + [["normfactor"]] * 2
