from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from hepclf.models.preprocess import BOUND, KNOTS, Preprocess

RNG = np.random.default_rng(0)
SKEWED = RNG.exponential(50, size=(5000, 2)).astype(np.float32) - 5
NAMES = ("pt", "mass")


def prepared(table, **settings):
    prepare = Preprocess(**settings).fit(table, NAMES[: table.shape[1]])
    return prepare(torch.tensor(table)).numpy()


def test_standard_has_mean_zero_and_width_one():
    made = prepared(SKEWED, scaling="standard")
    assert made.mean(0) == pytest.approx([0, 0], abs=1e-5)
    assert made.std(0) == pytest.approx([1, 1], rel=1e-5)


def test_robust_has_median_zero_and_half_the_central_range_one():
    made, shares = prepared(SKEWED, scaling="robust"), (0.1587, 0.5, 0.8413)
    low, middle, high = np.quantile(made, shares, axis=0, method="averaged_inverted_cdf")
    assert middle == pytest.approx([0, 0], abs=1e-5)
    assert (high - low) / 2 == pytest.approx([1, 1], rel=1e-5)


def test_clipped_is_robust_in_the_middle_and_never_beyond_its_bound():
    robust, made = (prepared(SKEWED, scaling=scaling) for scaling in ("robust", "clipped"))
    assert made == pytest.approx(robust / np.sqrt(1 + (robust / BOUND) ** 2), abs=1e-5)
    prepare = Preprocess(scaling="clipped", features={"pt": "none"}).fit(SKEWED, NAMES)
    far = torch.tensor([[7.0, -1e18], [7.0, -1e6], [7.0, 1e6], [7.0, 3e38]])
    found = prepare(far)
    assert found[:, 0].tolist() == [7] * 4
    assert found[:, 1].tolist() == pytest.approx([-BOUND, -BOUND, BOUND, BOUND], abs=1e-3)
    assert (found[:, 1].diff() >= 0).all()
    assert not prepare.linear


def test_quantile_makes_a_normal_distribution():
    made = prepared(SKEWED, scaling="quantile")
    assert np.quantile(made, norm.cdf([-2, -1, 0, 1, 2]), axis=0)[:, 0] == pytest.approx([-2, -1, 0, 1, 2], abs=0.03)
    assert np.abs(made).max() <= norm.ppf(1 - 1 / (2 * (KNOTS - 1))) + 1e-6


def test_quantile_is_monotone_also_outside_the_training_range_and_puts_ties_in_the_middle():
    features = np.concatenate([np.zeros(500), np.ones(500)]).astype(np.float32)[:, None]
    prepare = Preprocess(scaling="quantile").fit(features, ("n_jets",))
    made = prepare(torch.tensor([[-5.0], [0.0], [1.0], [9.0]]))[:, 0].numpy()
    assert (np.diff(made) >= 0).all()
    assert made[1] == pytest.approx(norm.ppf(0.25), abs=0.01)
    assert made[2] == pytest.approx(norm.ppf(0.75), abs=0.01)


def test_log_is_odd_and_compresses():
    values = np.array([-1e6, -3.0, 0.0, 3.0, 1e6], dtype=np.float32)[:, None]
    made = prepared(values, scaling="log")[:, 0]
    raw = np.sign(values) * np.log1p(np.abs(values) / np.median(np.abs(values[values != 0])))
    assert made == pytest.approx(((raw - raw.mean()) / raw.std())[:, 0], abs=1e-5)
    assert made == pytest.approx(-made[::-1], abs=1e-5)


def test_none_leaves_features_as_they_are():
    assert (prepared(SKEWED, scaling="none") == SKEWED).all()


def test_common_divides_by_one_root_mean_square_so_that_zero_stays_zero():
    features = np.array([[3.0, 0.0, 5.0], [0.0, 4.0, 7.0]], dtype=np.float32)
    names, weights = ("x_0", "x_1", "y"), np.array([1.0, 3.0])
    prepare = Preprocess(scaling="common", features={"y": "none"}).fit(features, names, weights)
    root_mean_square = np.sqrt((1 * 3**2 + 3 * 4**2) / 8)  # of x_0 and x_1
    expected = features / np.array([root_mean_square, root_mean_square, 1])
    assert prepare(torch.tensor(features)).numpy() == pytest.approx(expected, rel=1e-6)


def test_single_features_may_have_a_scaling_of_their_own():
    made = prepared(SKEWED, scaling="none", features={"mass": "standard"})
    assert (made[:, 0] == SKEWED[:, 0]).all()
    assert made[:, 1].std() == pytest.approx(1, rel=1e-5)
    with pytest.raises(ValueError, match="names 'pT', which is not a feature; nearest: 'pt'"):
        prepared(SKEWED, features={"pT": "log"})


@pytest.mark.parametrize("scaling", ["none", "standard", "robust", "clipped", "quantile", "log", "common"])
def test_a_missing_value_becomes_the_median_and_is_flagged(scaling):
    features = SKEWED.copy()
    features[::7, 1] = np.nan
    prepare = Preprocess(scaling=scaling).fit(features, NAMES)
    assert prepare.inputs == ("pt", "mass", "mass is missing")
    made = prepare(torch.tensor(features))
    assert torch.isfinite(made).all()
    assert made[:, 2].tolist() == np.isnan(features[:, 1]).tolist()
    median = features[0].copy()
    median[1] = np.nanmedian(features[:, 1])
    assert torch.allclose(made[0, :2], prepare(torch.tensor(median[None]))[0, :2])


def test_a_constant_feature_is_refused_by_name_or_dropped_with_a_warning(caplog):
    features = np.column_stack([SKEWED, np.full(len(SKEWED), 3.5)]).astype(np.float32)
    names = ("pt", "mass", "year")
    with pytest.raises(ValueError, match=r"feature 'year' is always 3\.5.*preprocess\.constant=drop"):
        Preprocess().fit(features, names)
    prepare = Preprocess(constant="drop").fit(features, names)
    assert prepare.inputs == ("pt", "mass")
    assert prepare(torch.tensor(features[:, :2])).shape == (5000, 2)
    assert "'year' is always 3.5 and is dropped" in caplog.text


def test_a_feature_that_is_always_missing_is_constant_too():
    features = SKEWED.copy()
    features[:, 0] = np.nan
    with pytest.raises(ValueError, match="feature 'pt' is missing in every training event"):
        Preprocess().fit(features, NAMES)
    with pytest.raises(ValueError, match="no feature varies"):
        Preprocess(constant="drop").fit(np.ones((5, 2), dtype=np.float32), NAMES)


def test_a_table_is_prepared_in_slices_with_the_same_result(monkeypatch):
    prepare = Preprocess().fit(SKEWED, NAMES)
    whole = prepare(torch.tensor(SKEWED))
    monkeypatch.setattr("hepclf.models.preprocess.ROWS", 999)
    assert torch.equal(prepare.all(SKEWED, torch.device("cpu")), whole)


@pytest.mark.parametrize("scaling", ["none", "standard", "robust", "clipped", "quantile", "log", "common"])
def test_features_beyond_float32_are_refused_by_name(scaling):
    features = SKEWED.copy()
    features[7, 1] = -3e20
    with pytest.raises(ValueError, match=r"feature 'mass' reaches 3e\+20 in size.*rescale it"):
        Preprocess(scaling=scaling).fit(features, NAMES)


def test_a_width_beyond_float32_is_refused_by_name():
    with pytest.raises(ValueError, match=r"feature 'pt' varies by .* alone.*rescale it"):
        Preprocess().fit(SKEWED * np.float32(1e-38), NAMES)


def test_a_log_of_values_many_orders_apart_is_finite():
    values = np.concatenate([np.full(90, 1e-30), np.full(10, 1e17)]).astype(np.float32)[:, None]
    assert np.isfinite(prepared(values, scaling="log")).all()
