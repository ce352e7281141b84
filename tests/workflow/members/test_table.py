"""Events in files that several processes map."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from hepclf import KFold
from hepclf.events import Events
from hepclf.workflow.members.table import stored_table
from hepclf.workflow.prepare import Prepared

NOT_NEEDED = {"origins"}  # that describe where all events came from


def prepared(features):
    n = len(features)
    events = Events(
        features=features,
        names=("x", "y"),
        labels=np.arange(n) % 3,
        weights=np.linspace(-1, 2, n),
        classes=("a", "b", "c"),
        processes=np.arange(n) % 4,
        process_names=("p", "q", "r", "s"),
        spectators={"event": np.arange(n) + 2**60, "run": np.arange(n, dtype=np.uint32), "kind": np.array(["é"] * n)},
        sentinels={"y": (-999.0, float("inf"))},
    )
    folds = KFold(count=2).sets(events)
    return Prepared(events=events, split=folds.split(0), folds=folds)


def test_everything_of_the_events_comes_back(tmp_path):
    first = prepared(np.random.default_rng(0).normal(size=(60, 2)))
    second = stored_table(first, tmp_path).read()
    for field in fields(Events):
        if field.name not in NOT_NEEDED:
            np.testing.assert_equal(getattr(second.events, field.name), getattr(first.events, field.name))
    np.testing.assert_array_equal(second.split, first.split)
    np.testing.assert_array_equal(second.folds.validators, first.folds.validators)
    assert second.events.spectators["event"].dtype == np.int64


def test_a_table_that_is_a_map_of_a_file_is_not_written_again(tmp_path):
    whole = np.memmap(tmp_path / "table.bin", dtype=np.float32, mode="w+", shape=(60, 2))
    whole[:] = np.random.default_rng(0).normal(size=(60, 2))
    whole.flush()
    mapped = np.memmap(tmp_path / "table.bin", dtype=np.float32, mode="r", shape=(60, 2))
    (tmp_path / "files").mkdir()
    table = stored_table(prepared(mapped), tmp_path / "files")
    assert table.arrays["features"].path == str(tmp_path / "table.bin")
    assert not (tmp_path / "files" / "0.npy").exists()
    np.testing.assert_array_equal(table.read().events.features, whole)
    part = stored_table(prepared(mapped[6:]), tmp_path / "files")
    assert part.arrays["features"].path == str(tmp_path / "files" / "0.npy"), "a part is no map of the whole file"
    np.testing.assert_array_equal(part.read().events.features, whole[6:])
