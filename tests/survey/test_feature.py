from __future__ import annotations

import numpy as np
import pytest

from hepclf.events import Events
from hepclf.statistics.value import NOTHING
from hepclf.survey import ascending
from hepclf.survey.feature import columns, feature_summaries


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch):
    monkeypatch.setattr(ascending, "CHUNK", 100)


def events(values, *, names=None, **columns):
    values = np.asarray(values, dtype=np.float32)
    labels = columns.pop("labels", np.arange(len(values)) % 2)
    names = names or tuple(f"x{i}" for i in range(values.shape[1]))
    return Events(features=values, labels=labels, names=names, **columns)


def drawn(n=1000, **given):
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(91.19, 1e-2, n), rng.exponential(50, n), rng.integers(0, 5, n)], axis=1)
    values[::10, 1] = np.nan
    values[3, 1] = np.inf
    return events(values, weights=rng.normal(1, 0.4, n), **given)


def test_a_feature_counts_each_event_once():
    given = drawn()
    for column, row in enumerate(feature_summaries(given)):
        values = given.features[:, column].astype(np.float64)
        finite = values[np.isfinite(values)]
        assert (row.minimum, row.maximum) == (finite.min(), finite.max())
        assert (row.mean, row.width) == pytest.approx((finite.mean(), finite.std()), rel=1e-9)
        assert row.distinct == len(np.unique(finite))
        assert row.at_edges == ((finite == finite.min()).sum(), (finite == finite.max()).sum())
        assert (row.missing, row.infinite) == (np.isnan(values).sum(), np.isinf(values).sum())


def test_the_figures_of_a_class_are_weighted():
    given = drawn()
    for column, row in enumerate(feature_summaries(given)):
        for label, name in enumerate(given.classes):
            values = given.features[given.labels == label, column].astype(np.float64)
            weights = given.weights[given.labels == label]
            finite = np.isfinite(values)
            mean = np.average(values[finite], weights=weights[finite])
            width = np.sqrt(np.average((values[finite] - mean) ** 2, weights=weights[finite]))
            span = row.classes[name]
            assert (span.mean, span.width) == pytest.approx((mean, width), rel=1e-9)
            assert (span.minimum, span.maximum) == (values[finite].min(), values[finite].max())
            assert (span.missing, span.infinite) == (np.isnan(values).sum(), np.isinf(values).sum())


def test_weights_that_cancel_leave_no_mean_and_no_width():
    given = events([[1.0], [1.0], [2.0], [5.0]], weights=[1.0, 1.0, -1.0, -0.9], labels=[0, 1, 0, 1])
    (row,) = feature_summaries(given)
    assert row.classes["background"][4:] == (None, None)
    assert row.classes["signal"].mean == pytest.approx((1 - 0.9 * 5) / 0.1)
    assert row.classes["signal"].width is None
    assert row.width == pytest.approx(np.std([1, 1, 2, 5]))


def test_infinite_weights_leave_no_numbers_of_a_class():
    given = events([[1.0], [2.0], [3.0], [4.0]], weights=[1.0, np.inf, 1.0, 1.0])
    (row,) = feature_summaries(given, shapes=True)
    assert row.classes["signal"][4:] == (None, None)
    assert row.auc["signal"] == NOTHING
    assert row.shape.histograms[1] is None


def test_a_feature_that_is_always_missing_has_no_figures():
    (row,) = feature_summaries(events(np.full((4, 1), np.nan)), shapes=True)
    assert (row.missing, row.distinct, row.minimum, row.mean, row.shape) == (4, 0, None, None, None)
    assert row.auc["signal"] == NOTHING


def test_of_two_classes_the_second_alone_has_an_area_and_of_several_each():
    values = np.arange(9.0)[:, None]
    (row,) = feature_summaries(events(values, labels=np.repeat([0, 1, 2], 3), classes=("a", "b", "c")))
    assert {name: area.value for name, area in row.auc.items()} == {"a": 1.0, "b": 0.5, "c": 1.0}
    (row,) = feature_summaries(events(values, labels=np.repeat([0, 1, 1], 3)))
    assert list(row.auc) == ["signal"]


def test_equal_columns_have_equal_digests():
    values = np.random.default_rng(0).normal(size=(50, 2))
    first, second, third = feature_summaries(events(values[:, [0, 1, 0]]))
    assert first.digest == third.digest != second.digest


@pytest.mark.parametrize("few", [1, 2, 5])
def test_columns_come_a_few_at_a_time_and_in_order(few, monkeypatch):
    given = events(np.random.default_rng(0).normal(size=(40_000, 5)))
    monkeypatch.setattr("hepclf.survey.feature.TOGETHER", few * 4 * len(given))
    parts = list(columns(given))
    assert max(len(names) for names, _ in parts) == few
    np.testing.assert_array_equal(np.concatenate([table for _, table in parts]).T, given.features)
    assert tuple(name for names, _ in parts for name in names) == given.names
