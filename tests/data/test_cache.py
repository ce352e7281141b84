"""Tables that were read once come from disk the next time, and never when they should not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf import files
from hepclf.data import digests
from hepclf.data.cache import Cache, cache_folder
from hepclf.data.csv import CSV
from hepclf.data.root import Root
from hepclf.disk import mapped
from hepclf.files import ABANDONED_S, temporary_path

READ = """
import sys
from hepclf.data.root import Root
samples = [{"name": name, "class": name, "files": f"{name}.root"} for name in ("s", "b")]
print(Root(samples=samples, features=("x",)).load().features.sum())
"""


def write(name, *, events=100, shift=0.0, **more):
    columns = {"x": np.arange(events) + shift, "w": np.ones(events), "n": np.arange(events), **more}
    with uproot.recreate(name) as file:
        file.mktree("t", {key: column.dtype for key, column in columns.items()}).extend(columns)


@pytest.fixture(autouse=True)
def _files(_own_folder):
    write("s1.root")
    write("s2.root", events=50)
    write("b.root", events=80, shift=10.0)


def root(**settings):
    signal = {"name": "s", "class": "signal", "files": "s*.root", "cross_section_pb": 2.0}
    background = {"name": "b", "class": "background", "files": "b.root", "cross_section_pb": 3.0}
    return Root(**{"samples": [signal, background], "features": ("x",), "spectators": ("n",), **settings})


@pytest.fixture
def forbidden(monkeypatch):
    """A function after whose call reading a file is an error."""

    def forbid():
        monkeypatch.setattr(Root, "open", lambda *_: pytest.fail("the files were read again"))

    return forbid


def cache():
    return Cache(cache_folder(), 10**9)


def entry():
    (found,) = cache().entries()
    return found.folder


def told(events):
    """All that events hold, to be compared bit by bit."""
    columns = [getattr(events, name) for name in ("features", "labels", "weights", "processes")]
    spectators = {name: (column.dtype, column.tobytes()) for name, column in events.spectators.items()}
    names = (events.names, events.classes, events.process_names, events.origins)
    return *(column.tobytes() for column in columns), spectators, names


def test_the_second_reading_comes_from_the_cache_and_is_the_same(forbidden):
    plain, first = root(cache=False).load(), root().load()
    forbidden()
    second = root().load()
    assert told(plain) == told(first)
    assert told(first) == told(second)
    assert mapped(first.features) is not None
    assert mapped(second.features) is not None
    assert mapped(plain.features) is None


def test_luminosity_cross_sections_names_and_chunks_need_no_reading(forbidden):
    root(luminosity_fb=1.0).load()
    forbidden()
    events = root(luminosity_fb=10.0, chunk=7, threads=1, classes=("signal", "background")).load()
    assert events.sums == pytest.approx({"signal": 20_000.0, "background": 30_000.0})
    assert events.classes == ("signal", "background")


@pytest.mark.parametrize(
    "settings",
    [
        {"features": ("x", "w")},
        {"features": {"x": "x + 1"}},
        {"features": {"z": "x"}},
        {"selection": "x > 3"},
        {"weight": "w"},
        {"spectators": ("w",)},
        {"max_events": 5},
    ],
)
def test_whatever_changes_the_table_is_read_again(settings):
    root().load()
    assert told(root(**settings, cache=False).load()) == told(root(**settings).load())
    assert len(cache().entries()) == 2


def test_a_changed_file_is_never_served_stale():
    before = root().load()
    state = Path("s2.root").stat()
    write("s2.root", events=50, shift=1.0)
    assert Path("s2.root").stat().st_size == state.st_size
    os.utime("s2.root", ns=(state.st_atime_ns, state.st_mtime_ns))
    after = root().load()
    assert after.features[100:150].sum() == before.features[100:150].sum() + 50


def test_a_change_after_the_first_bytes_that_keeps_size_and_time_is_seen():
    root().load()
    path = Path("s1.root")
    state, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 0
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    root().load()
    assert len(cache().entries()) == 2


def test_a_file_that_changes_while_it_is_read_is_not_kept(monkeypatch):
    reading = Root._read

    def changing(self, *arguments):
        found = reading(self, *arguments)
        os.utime("b.root")
        return found

    monkeypatch.setattr(Root, "_read", changing)
    assert len(root().load()) == 230
    assert cache().entries() == []


def test_a_new_file_of_a_pattern_is_read():
    assert len(root().load()) == 230
    write("s3.root", events=7)
    assert len(root().load()) == 237


def test_what_was_read_without_a_bad_file_is_not_kept():
    Path("s2.root").write_bytes(Path("s2.root").read_bytes()[:300])
    assert len(root(on_bad_file="skip").load()) == 180
    assert cache().entries() == []


def test_no_cache_leaves_nothing_and_a_folder_of_ones_own_is_used():
    root(cache=False).load()
    assert not cache_folder().exists()
    root(cache="mine/cache").load()
    assert [entry.holds for entry in Cache(Path("mine/cache"), 1).entries()] == ["s, b"]
    assert not cache_folder().exists()


def test_without_any_event_selected_of_one_process_the_cache_holds_the_other(forbidden):
    samples = [{"name": name, "class": name, "files": f"{name}*.root"} for name in "sb"]
    samples.append({"name": "none", "class": "b", "files": "b.root", "selection": "x < 0"})
    first = root(samples=samples, spectators=()).load()
    forbidden()
    assert told(first) == told(root(samples=samples, spectators=()).load())


def test_what_was_used_longest_ago_leaves_first():
    for shift in (1, 2, 3):
        root(features={"x": f"x + {shift}"}).load()
        for entry in cache().entries():
            state = (entry.folder / "entry.json").stat()
            os.utime(entry.folder / "entry.json", ns=(state.st_atime_ns, state.st_mtime_ns - 10**9))
    size = cache().entries()[0].size
    root(features={"x": "x + 1"}).load()  # used again, so no longer the oldest
    root(features={"x": "x + 4"}, cache_gb=3.5 * size / 1e9).load()
    kept = {json.loads((entry.folder / "entry.json").read_text())["holds"] for entry in cache().entries()}
    assert (len(cache().entries()), kept) == (3, {"s, b"})
    before = {entry.folder for entry in cache().entries()}
    for shift in (1, 3, 4):
        root(features={"x": f"x + {shift}"}).load()
    assert {entry.folder for entry in cache().entries()} == before


def test_a_table_larger_than_the_cache_stays_until_the_next():
    for shift in (1, 2):
        root(features={"x": f"x + {shift}"}, cache_gb=1e-9).load()
        assert len(cache().entries()) == 1


def test_arrays_outlive_their_entry():
    events = root().load()
    total = float(np.array(events.features).sum())
    assert cache().clear() == 1
    assert float(events.features.sum()) == total
    assert list(cache_folder().iterdir()) == []


def _truncated(folder):
    os.truncate(folder / "0.bin", 10)


def _no_json(folder):
    (folder / "entry.json").write_text("{")


def _other_json(folder):
    (folder / "entry.json").write_text('{"arrays": {"features": {"dtype": "O", "shape": [9]}}, "notes": []}')


@pytest.mark.parametrize("damage", [_truncated, _no_json, _other_json])
def test_a_damaged_entry_is_read_again_and_mended(damage, caplog):
    before = root(cache=False).load()
    root().load()
    damage(entry())
    assert told(before) == told(root().load())
    assert "is damaged" in caplog.text
    caplog.clear()
    assert told(before) == told(root().load())
    assert caplog.text == ""


def _flip(path, rng):
    """Flip one bit at a random place of a file."""
    data = bytearray(path.read_bytes())
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    path.write_bytes(data)


def test_a_flipped_bit_anywhere_is_said_and_the_table_read_again(caplog):
    rng, before = np.random.default_rng(0), told(root(cache=False).load())
    root().load()
    flips = [path.name for path in sorted(entry().iterdir()) for _ in range(12 if path.suffix == ".json" else 4)]
    assert len(flips) > 20
    for name in flips:
        _flip(entry() / name, rng)
        caplog.clear()
        assert told(root().load()) == before
        assert [record.message.partition(" is damaged (")[1] for record in caplog.records] == [" is damaged ("]


def test_the_blocks_of_a_large_array_are_digested_one_by_one(monkeypatch):
    monkeypatch.setattr(digests, "BLOCK", 1000)
    array = np.arange(500, dtype=np.float64).reshape(100, 5)
    blocks = [zlib.crc32(array.tobytes()[start : start + 1000]) for start in range(0, 4000, 1000)]
    assert digests.block_digests(array) == blocks
    assert digests.block_digests(np.asfortranarray(array)) == blocks
    assert digests.block_digests(array[:0]) == []


def test_an_entry_without_one_of_its_files_is_read_again():
    before = root().load()
    (entry() / "1.bin").unlink()
    assert told(before) == told(root().load())
    assert told(before) == told(root().load())


def test_two_jobs_that_fill_it_at_once_both_get_their_table():
    shutil.copy("s1.root", "s.root")
    jobs = [subprocess.Popen([sys.executable, "-c", READ], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [job.communicate()[0].strip() for job in jobs] == ["8910.0"] * 3
    assert len(list(cache_folder().iterdir())) == 1


def test_a_draft_goes_after_a_day_and_no_sooner_as_its_process_may_be_hidden_by_a_container(monkeypatch):
    with monkeypatch.context() as container:
        container.setattr(files, "pid_namespace", lambda: "pid:[1]")
        hidden = temporary_path(cache_folder() / "hidden")
    dead, alive = (cache_folder() / f".{name}.elsewhere.1.00.part" for name in ("dead", "alive"))
    for folder in (dead, alive, hidden):
        folder.mkdir(parents=True)
        (folder / "0.bin").write_bytes(b"half")
    for path in (dead / "0.bin", dead):
        os.utime(path, (time.time() - ABANDONED_S - 1,) * 2)
    root().load()
    assert [folder.exists() for folder in (dead, alive, hidden)] == [False, True, True]
    assert len(cache().entries()) == 1
    assert cache().clear() == 1
    assert [folder.exists() for folder in (alive, hidden)] == [True, True]


def test_clearing_leaves_the_draft_of_a_living_job_and_takes_that_of_a_dead_one():
    with cache().draft("mine") as draft:
        killed = draft.with_name(draft.name.replace(f".{os.getpid()}.", ".999999999."))
        killed.mkdir()
        cache().clear()
        assert (draft.exists(), killed.exists()) == (True, False)


def test_a_cache_that_cannot_be_made_is_warned_of_and_the_table_read(caplog):
    Path("file").write_text("")
    assert told(root(cache=False).load()) == told(root(cache="file/below").load())
    assert "the cache cannot be written (file/below: Not a directory); reading without it" in caplog.text


def test_a_full_disk_is_warned_of_and_the_table_read(tiny, caplog):
    write("s3.root", events=50_000)
    assert told(root(cache=False).load()) == told(root(cache=str(tiny)).load())
    assert "tiny: No space left on device); reading without it" in caplog.text
    assert list(tiny.iterdir()) == []


def test_a_missing_file_is_still_the_error_that_it_was():
    samples = [{"name": name, "class": name, "files": f"{name}.root"} for name in ("s1", "gone")]
    with pytest.raises(FileNotFoundError, match=r"file 'gone\.root' does not exist"):
        root(samples=samples).load()
    assert not cache_folder().exists()


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="cache_gb must be above 0, not 0; cache=false keeps nothing"):
        root(cache_gb=0)


def table(**settings):
    return CSV(**{"files": "table*.csv", "spectators": ("n", "name"), "weight": "w", **settings})


@pytest.fixture
def _csv():
    for number in (1, 2):
        rows = [f"{i % 2},{i * number},{i % 3 - 0.5},{i},run{i % 4}" for i in range(60)]
        Path(f"table{number}.csv").write_text("\n".join(["label,x,w,n,name", *rows]) + "\n")


@pytest.mark.usefixtures("_csv")
def test_csv_files_come_from_the_cache_and_are_the_same(monkeypatch):
    plain, first = table(cache=False).load(), table().load()
    monkeypatch.setattr(CSV, "_read", lambda *_: pytest.fail("the files were read again"))
    second = table().load()
    assert told(plain) == told(first)
    assert told(plain) == told(second)
    assert mapped(second.features) is not None
    assert cache().entries()[0].holds == "table1.csv, table2.csv"


@pytest.mark.usefixtures("_csv")
@pytest.mark.parametrize(
    "settings",
    [
        {"selection": "x > 3"},
        {"features": {"z": "x * 2"}},
        {"classes": {"signal": 1, "background": 0}},
        {"max_events": 70},
        {"missing": (16,)},
        {"weight": None},
    ],
)
def test_whatever_changes_a_csv_table_is_read_again(settings):
    table().load()
    assert told(table(**settings, cache=False).load()) == told(table(**settings).load())
    assert len(cache().entries()) == 2


@pytest.mark.usefixtures("_csv")
def test_a_changed_csv_file_is_read_again():
    table().load()
    path = Path("table2.csv")
    state = path.stat()
    path.write_text(path.read_text().replace("\n0,0,", "\n0,9,", 1))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert table().load().features[60, 0] == 9


@pytest.mark.usefixtures("_csv")
def test_changed_labels_in_a_file_of_their_own_are_read_again():
    Path("labels.csv").write_text("label\n" + "0\n1\n" * 60)
    settings = {"labels_file": "labels.csv", "features": ("x",)}
    assert table(**settings).load().labels[:2].tolist() == [0, 1]
    Path("labels.csv").write_text("label\n" + "1\n0\n" * 60)
    assert table(**settings).load().labels[:2].tolist() == [1, 0]
