"""Which member trains on an event, validates on it, and tests it."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from hepclf import CSV, GW, HDF5, NPZ, KFold, Mixture, Parquet, PlainMLP, Root, Sample, Split, Trainer
from hepclf.recipe import RecipeError
from hepclf.workflow.job import Job
from hepclf.workflow.members.sets import NOBODY, fold_sets

N = 12_000
SETTINGS = [
    {"count": 2, "by": "event"},
    {"count": 5, "by": "event"},
    {"count": 3, "by": ("run", "event")},
    {"count": 10, "by": "event"},
    {"count": 4},
    {"count": 5, "valid": 0.25},
]


@pytest.fixture(scope="module")
def numbered():
    """Events of which two or three rows have the same number, beyond 2^53, in random order."""
    rng = np.random.default_rng(1)
    event, run = rng.integers(0, N // 2, N) + 2**62, rng.integers(1, 4, N)
    events = Mixture(events=N).load()
    return replace(events, spectators={"event": event, "run": run})


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_each_event_is_tested_by_one_member_and_validates_at_most_one_other(numbered, settings):
    folds = KFold(**settings)
    sets = folds.sets(numbered)
    splits = np.stack([sets.split(member) for member in range(folds.count)])
    np.testing.assert_array_equal((splits == 2).sum(axis=0), 1)
    assert (splits == 1).sum(axis=0).max() == 1
    assert (sets.validators != sets.folds).all()
    np.testing.assert_array_equal(splits.argmax(axis=0), sets.folds)
    seen, valid = (splits != 2).sum(axis=1), (splits == 1).sum(axis=1)
    sigma = np.sqrt(folds.share * (1 - folds.share) / seen)
    assert np.abs(valid / seen - folds.share).max() < 5 * sigma.max()


@pytest.mark.parametrize("settings", [settings for settings in SETTINGS if "by" in settings], ids=str)
def test_rows_of_one_event_are_in_the_same_set_of_every_member(numbered, settings):
    sets = KFold(**settings).sets(numbered)
    columns = (settings["by"],) if isinstance(settings["by"], str) else settings["by"]
    keys = np.stack([numbered.spectators[name] for name in columns], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    assert len(first) < 0.95 * N, "else there are no duplicates to test"
    np.testing.assert_array_equal(sets.folds, sets.folds[first][group.ravel()])
    np.testing.assert_array_equal(sets.validators, sets.validators[first][group.ravel()])


def test_the_fold_is_the_number_modulo_the_count_and_the_seed_moves_the_validation_sets_alone(numbered):
    first, second = (KFold(by="event", seed=seed).sets(numbered) for seed in (0, 1))
    np.testing.assert_array_equal(first.folds, numbered.spectators["event"] % 5)
    np.testing.assert_array_equal(first.folds, second.folds)
    assert (first.validators != second.validators).mean() > 0.5


def test_random_folds_have_equal_sizes_and_equal_fractions_of_the_classes(numbered):
    folds = KFold(count=4)
    sets = folds.sets(numbered)
    fraction = numbered.labels.mean()
    for member in range(4):
        tested = sets.folds == member
        assert tested.sum() == N // 4
        assert abs(numbered.labels[tested].mean() - fraction) < 2 / tested.sum()
        validated = sets.validators == member
        assert abs(validated.sum() - folds.share * (N - N // 4)) < 4
        assert abs(numbered.labels[validated].mean() - fraction) < 10 / validated.sum()
    np.testing.assert_array_equal(sets.folds, KFold(count=4).sets(numbered).folds)
    assert (sets.folds != KFold(count=4, seed=1).sets(numbered).folds).mean() > 0.5


def test_a_learner_has_trained_on_the_event(numbered):
    sets = KFold(by="event").sets(numbered)
    splits = np.stack([sets.split(member) for member in range(5)])
    assert (sets.learners != NOBODY).all()
    assert (splits[sets.learners, np.arange(N)] == 0).all()
    two = KFold(count=2, by="event").sets(numbered)
    np.testing.assert_array_equal(two.learners == NOBODY, two.validators != NOBODY)


def test_a_position_gives_the_member_that_many_shares_after_the_fold():
    sets = fold_sets(4, np.array([0, 0, 0, 3, 3]), np.array([0.0, 0.2, 0.39, 0.15, 0.95]), 0.1)
    assert sets.validators.tolist() == [1, 3, NOBODY, 1, NOBODY]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 1}, "count must be from 2 to 1000, not 1"),
        ({"by": ("a", "a")}, "by must name different columns"),
        ({"valid": 1.0}, "valid must be a fraction between 0 and 1, not 1"),
        ({"valid": 0.3}, r"valid must be at most 1 / \(folds.count - 1\) = 0.25.*not 0.3"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_folds_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        KFold(**settings)


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"event": [-1, 2, 3, 4]}, {"by": "event"}, "at least 0.*not -1 in event 0"),
        ({"event": [0.5, 2, 3, 4]}, {"by": "event"}, "whole numbers.*not 0.5 in event 0"),
        ({"event": [2.0**60, 2, 3, 4]}, {"by": "event"}, "exactly stored"),
        ({"evt": [1, 2, 3, 4]}, {"by": "event"}, "'event' must be a spectator.*nearest: 'evt'"),
        ({"event": [2, 4, 6, 8]}, {"by": "event", "count": 2}, "without fold 0 of 2, the training set .* is empty"),
        ({}, {"count": 6}, "without fold 0 of 6, the .* set of 4 events"),
    ],
)
def test_data_that_cannot_be_in_these_folds_are_refused(gaussians, columns, settings, message):
    events = gaussians(events=4, spectators={name: np.array(values) for name, values in columns.items()})
    with pytest.raises(ValueError, match=message):
        KFold(**settings).sets(events)


def root(**settings):
    samples = tuple(Sample(name=name, class_=name, files=f"{name}.root") for name in ("background", "signal"))
    return Root(samples=samples, **settings)


@pytest.mark.parametrize("spectators", [("mass",), {"mass": "m_jj"}])
def test_the_columns_of_the_folds_become_spectators_of_the_data(spectators):
    folds = KFold(by=("mass", "event"))
    job = Job.of(root(features=("x",), spectators=spectators), PlainMLP(), folds=folds)
    added = ("mass", "event") if isinstance(spectators, tuple) else {"mass": "m_jj", "event": "event"}
    assert job.data.spectators == added
    assert job.describe()["folds"]["by"] == ["mass", "event"]
    assert "folds" not in Job.of(root(features=("x",)), PlainMLP()).describe()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (root(features=("x", "event")), "feature 'event' must not be made of 'event'"),
        (root(features={"odd": "event % 2"}), "feature 'odd' must not be made of 'event'"),
        (CSV(files="x.csv", features="event"), "feature 'event' must not be made of 'event'"),
        (Mixture(), "folds.by='event' must be a spectator of the data.*'llr'"),
    ],
)
def test_a_column_of_the_folds_is_never_a_feature(data, message):
    with pytest.raises(RecipeError, match=message):
        Job.of(data, PlainMLP(), folds=KFold(by="event"))


NUMBERS = np.array([2**53 + 1, 2**60 + 7, 2**63 - 2, 5, 2**53 + 4, 8, 9, 2**62 + 3])


def write_csv(path, columns):
    pd.DataFrame(columns).to_csv(path, index=False)


def write_root(path, columns):
    with uproot.recreate(path) as file:
        file.mktree("t", {name: column.dtype for name, column in columns.items()}).extend(columns)


def write_hdf5(path, columns):
    with h5py.File(path, "w") as file:
        for name, column in columns.items():
            file[name] = column


LOADERS = {
    "root": (Root, write_root),
    "npz": (NPZ, lambda path, columns: np.savez(path, **columns)),
    "h5": (HDF5, write_hdf5),
    "parquet": (Parquet, lambda path, columns: pq.write_table(pa.table(columns), path)),
}


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize("suffix", [*LOADERS, "csv"])
def test_every_loader_reads_the_numbers_of_events_without_loss(suffix, dtype, tmp_path):
    numbers = NUMBERS.astype(dtype)
    if dtype == np.uint64:
        numbers[2] = 2**64 - 3
    columns = {"x": np.arange(8.0), "event": numbers}
    folds = KFold(by="event")
    if suffix == "csv":
        write_csv(tmp_path / "all.csv", {**columns, "label": np.arange(8) // 4})
        data = CSV(files=str(tmp_path / "all.csv"), features=("x",), cache=False)
    else:
        loader, write = LOADERS[suffix]
        names = ("background", "signal")
        for place, name in enumerate(names):
            part = slice(4 * place, 4 * place + 4)
            write(tmp_path / f"{name}.{suffix}", {key: column[part] for key, column in columns.items()})
        samples = tuple(Sample(name=name, class_=name, files=f"{tmp_path}/{name}.{suffix}") for name in names)
        data = loader(samples=samples, features=("x",), cache=False)
    events = Job.of(data, PlainMLP(), folds=folds).data.load()
    assert events.spectators["event"].tolist() == numbers.tolist()
    assert folds.key.folds(events).tolist() == [int(number) % 5 for number in numbers]


def test_several_processes_for_one_training_are_refused():
    with pytest.raises(RecipeError, match=r"trainer\.devices must be 1 \(or null\) with folds, not 2"):
        Job.of(Mixture(), PlainMLP(), Trainer(devices=2), folds=KFold())


def test_a_test_of_rates_is_for_a_training_without_folds():
    with pytest.raises(RecipeError, match=r"trainer\.find_rate must be false with folds, not true"):
        Job.of(Mixture(), PlainMLP(), Trainer(find_rate=True), folds=KFold())


def test_random_folds_are_warned_of_before_the_training():
    (caution,) = Job.of(GW(), PlainMLP(), folds=KFold()).warnings
    assert caution.kind == "random_folds"
    assert caution.text.endswith("use folds.by=event, or folds.by=[run,lumi,event]")
    numbered = root(features=("x",))
    assert Job.of(numbered, PlainMLP(), folds=KFold(by="event")).warnings == ()
    assert Job.of(numbered, PlainMLP()).warnings == ()


def test_settings_of_the_split_have_no_effect_and_a_warning_says_so():
    data = GW(split=Split(by="tail", test=0.1, seed=3))
    (caution,) = Job.of(data, PlainMLP(), folds=KFold()).unused_settings
    assert caution.text.startswith("data.split.by=tail, data.split.test=0.1 have no effect with folds")
    assert Job.of(data, PlainMLP()).unused_settings == ()
    assert Job.of(GW(split=Split(seed=3)), PlainMLP(), folds=KFold()).unused_settings == ()
