from __future__ import annotations

import numpy as np
import pytest

from hepclf.scored import Scored
from hepclf.statistics.counting.yields import expected_weights, masks_by_name


@pytest.fixture
def samples():
    """Two backgrounds, qcd of 40 and top of 20, under a signal higgs of 8; half of each is on test."""
    return Scored(
        labels=[0, 0, 0, 0, 1, 1, 0, 0],
        weights=[10, 10, 5, 5, 2, 6, 20, 10.0],
        scores=np.linspace(0, 1, 8),
        split=[2, 2, 2, 2, 2, 1, 1, 1],
        classes=("background", "signal"),
        processes=[0, 0, 1, 1, 2, 2, 0, 1],
        process_names=("qcd", "top", "higgs"),
    )


def test_without_yields_the_whole_sample_counts(samples):
    np.testing.assert_allclose(expected_weights(samples, "test", {}), [20, 20, 10, 10, 8])
    np.testing.assert_allclose(expected_weights(samples, "valid", {}), [8, 40, 20])


def test_a_process_has_its_yield_and_others_their_totals(samples):
    found = expected_weights(samples, "test", {"qcd": 1000, "higgs": 3})
    np.testing.assert_allclose(found, [500, 500, 10, 10, 3])


def test_the_yield_of_a_class_keeps_the_shares_of_its_processes(samples):
    found = expected_weights(samples, "test", {"background": 6})
    np.testing.assert_allclose(found, [2, 2, 1, 1, 8])


def test_a_yield_of_zero_takes_a_process_out(samples):
    np.testing.assert_allclose(expected_weights(samples, "test", {"qcd": 0}), [0, 0, 10, 10, 8])


def test_a_name_of_nothing_is_refused_with_the_nearest(samples):
    with pytest.raises(ValueError, match=r"yield of 'hgigs', which is no process or class .*; nearest: 'higgs'"):
        masks_by_name(samples, {"hgigs": 3})


def test_a_yield_by_process_and_by_class_is_refused(samples):
    for names in (["qcd", "background"], ["background", "top"]):
        with pytest.raises(ValueError, match=r"yield of process '(qcd|top)' is given twice"):
            masks_by_name(samples, names)


def test_a_name_that_is_a_process_and_another_class_is_refused(samples):
    columns = {
        name: getattr(samples, name) for name in ("labels", "weights", "scores", "split", "classes", "processes")
    }
    odd = Scored(**columns, process_names=("qcd", "signal", "higgs"))
    with pytest.raises(ValueError, match="'signal' is a process and a class of different events"):
        masks_by_name(odd, ["signal"])
    plain = Scored(**(columns | {"processes": samples.labels}), process_names=("background", "signal"))
    np.testing.assert_array_equal(masks_by_name(plain, ["signal"])["signal"], samples.labels == 1)


def test_weights_that_sum_to_nothing_cannot_be_scaled_to_a_yield():
    of = Scored(
        labels=[0, 0, 1],
        weights=[-1, -1, 1.0],
        scores=[0.1, 0.2, 0.3],
        split=[2, 2, 2],
        classes=("background", "signal"),
        processes=[0, 0, 1],
        process_names=("qcd", "higgs"),
    )
    with pytest.raises(ValueError, match="'qcd' has weights that sum to -2 in the test split"):
        expected_weights(of, "test", {"qcd": 10})
