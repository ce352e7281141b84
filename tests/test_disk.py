"""Tables that are larger than memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hepclf import disk
from hepclf.events import Events


@pytest.fixture
def table(tmp_path):
    """A map [1000, 3] of 0, 1, 2... on disk."""
    path = tmp_path / "table"
    np.arange(3000, dtype=np.float32).tofile(path)
    return np.memmap(path, dtype=np.float32, mode="r", shape=(1000, 3))


@pytest.fixture
def little(monkeypatch):
    """A machine with four kilobytes of memory, that looks at a hundred rows at a time."""
    monkeypatch.setattr(disk, "memory", lambda: 4096)
    monkeypatch.setattr(disk, "BLOCK", 1200)


def test_a_view_of_a_map_is_mapped_and_a_copy_is_not(table):
    assert disk.mapped(np.asarray(table)[3:]) is not None
    assert disk.mapped(Events(features=table, names=("a", "b", "c")).features) is not None
    assert disk.mapped(np.array(table)) is None


@pytest.mark.parametrize("index", [np.arange(999, -1, -1), np.arange(1000) % 3 > 0, np.arange(0)])
@pytest.mark.usefixtures("little")
def test_rows_of_a_map_are_those_of_an_array(table, index):
    assert np.array_equal(disk.take_rows(table, index), np.array(table)[index])


@pytest.mark.usefixtures("little")
def test_rows_that_do_not_fit_stay_on_disk_in_a_file_without_name(table, tmp_path):
    many, few = disk.take_rows(table, np.arange(500)), disk.take_rows(table, np.arange(10))
    assert disk.mapped(many) is not None
    assert disk.mapped(few) is None
    assert disk.mapped(disk.take_rows(many, np.arange(400))) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


@pytest.mark.usefixtures("little")
def test_events_taken_from_a_map_are_the_same_events(table):
    events = Events(features=table, names=("a", "b", "c"), labels=np.arange(1000) % 2)
    taken = events.take(events.labels == 1)
    assert disk.mapped(taken.features) is not None
    assert np.array_equal(taken.features, np.array(table)[1::2])


def test_rows_of_an_array_stay_in_memory(monkeypatch):
    monkeypatch.setattr(disk, "memory", lambda: 1)
    assert disk.mapped(disk.take_rows(np.ones((100, 2)), np.arange(50))) is None


@pytest.mark.usefixtures("little")
def test_an_infinite_value_in_a_later_block_is_found():
    features = np.zeros((1000, 3), dtype=np.float32)
    features[[700, 900], 1] = np.inf
    with pytest.raises(ValueError, match=r"'b' is infinite in event 700 \(2 infinite values in all\)"):
        Events(features=features, names=("a", "b", "c"), labels=np.arange(1000) % 2).check()


def test_blocks_cover_all_rows_once(monkeypatch):
    monkeypatch.setattr(disk, "BLOCK", 100)
    table = np.arange(1000)
    assert np.array_equal(np.concatenate([table[part] for part in disk.row_blocks(table)]), table)
    assert list(disk.row_blocks(table[:0])) == []


def test_memory_is_at_most_what_the_machine_has():
    assert 0 < disk.memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_memory_is_at_most_what_a_limit_allows():
    limit = 3 << 30
    code = "from hepclf import disk; print(disk.memory())"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert int(answer.stdout) <= limit


@pytest.mark.parametrize(
    ("line", "file"), [("0::/job/step", "job/memory.max"), ("4:memory:/job/step", "memory/job/memory.limit_in_bytes")]
)
def test_memory_is_at_most_what_a_control_group_above_allows(tmp_path, monkeypatch, line, file):
    limit = tmp_path / file
    limit.parent.mkdir(parents=True)
    limit.write_text("123456\n")
    (tmp_path / "membership").write_text(f"9:cpu:/\n{line}\n")
    real = Path
    monkeypatch.setattr(disk, "CGROUPS", tmp_path)
    monkeypatch.setattr(disk, "Path", lambda text: real(tmp_path / "membership" if "proc" in str(text) else text))
    assert disk.memory() == 123456
