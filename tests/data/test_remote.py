"""Ntuples on servers: a real XRootD server on this machine, as it is, killed, and back again."""

from __future__ import annotations

import os
import socket
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf.data import remote
from hepclf.data.identity import identity
from hepclf.data.parquet import Parquet
from hepclf.data.parts import FileError
from hepclf.data.remote import RemoteError, RemoteFile
from hepclf.data.root import Root
from hepclf.data.samples import Sample, find_sources


@pytest.fixture(scope="module")
def shared(shared_server):
    """A server of a few files, which all tests may ask and none may touch."""
    for place, name in enumerate(("a.root", "b.root", "run1/c.root", "run2/c.root")):
        write(shared_server.data / name, seed=place)
    write(shared_server.data / "n.root", form="RNTuple", seed=9)
    return shared_server


def write(path, form="TTree", events=300, seed=0, pieces=3):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, events)
    columns = {
        "x": rng.normal(size=events),
        "w": rng.choice([1.0, -0.5], events),
        "event": np.arange(events) + 2**60,
        "pt": ak.unflatten(rng.exponential(40, counts.sum()), counts),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with uproot.recreate(path) as file:
        make = file.mktree if form == "TTree" else file.mkrntuple
        made = make(
            "t", {key: ak.type(value).content if form == "TTree" else value[:0] for key, value in columns.items()}
        )
        for low, high in pairwise(np.linspace(0, events, pieces + 1).astype(int)):
            made.extend({key: value[low:high] for key, value in columns.items()})
    path.chmod(0o644)


def loader(*files, **settings):
    known = {"features": ("x", "pt[0]", "count(pt)"), "spectators": ("event",), "weight": "w", "cache": False}
    return Root(samples=(Sample(name="s", class_="s", files=files),), **{**known, **settings})


def same(one, other):
    return (
        len(one) == len(other) > 0
        and np.array_equal(one.features, other.features, equal_nan=True)
        and np.array_equal(one.weights, other.weights)
        and np.array_equal(one.spectators["event"], other.spectators["event"])
    )


@pytest.mark.parametrize(
    "files", [("a.root",), ("n.root",), ("a.root:t", "b.root"), ("*.root",), ("run*/*.root", "a.root")]
)
def test_remote_files_give_the_events_of_the_same_local_ones(shared, files):
    remote_events = loader(*map(shared.url, files), selection="x > -1", chunk=100).load()
    assert same(remote_events, loader(*(f"{shared.data}/{name}" for name in files), selection="x > -1").load())


def test_a_missing_file_is_said_at_once(shared, waits):
    url = shared.url("none.root")
    with pytest.raises(FileError) as error:
        loader(url).load()
    assert str(error.value) == f"file '{url}' does not exist"
    assert waits == []


def test_a_file_that_cannot_be_read_is_left_out_on_demand(shared):
    files = (shared.url("a.root"), shared.url("none.root"), shared.url("b.root"))
    events = loader(*files, on_bad_file="skip").load()
    assert same(events, loader(shared.url("a.root"), shared.url("b.root")).load())
    assert "does not exist" in " ".join(events.origins[0].notes)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (slice(1000), "is it truncated, or still being written"),
        (slice(0), "is it truncated, or still being written"),
        (slice(1, None), "not a ROOT file"),
    ],
)
def test_what_is_no_whole_root_file_is_said_of_its_url(server, part, says):
    write(server.data / "a.root")
    (server.data / "bad.root").write_bytes((server.data / "a.root").read_bytes()[part])
    with pytest.raises(FileError, match=says) as error:
        loader(server.url("bad.root"), tree="t").load()
    assert str(error.value).startswith(f"{server.url('bad.root')} cannot be read: ")
    assert "\n" not in str(error.value)


def test_a_tree_that_is_not_there_is_said_of_its_url(shared):
    with pytest.raises(FileError) as error:
        loader(shared.url("a.root:u")).load()
    assert str(error.value) == f"tree 'u' is not in {shared.url('a.root')}; there are: 't'"


def test_a_server_that_is_not_there_is_asked_three_times(waits, caplog):
    pytest.importorskip("XRootD")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"localhost:{free.getsockname()[1]}"
        url = f"root://{host}//a.root"
        with pytest.raises(FileError) as error:
            loader(url).load()
    assert str(error.value) == f"{url} cannot be read: {host} does not answer (connection error), tried 3 times"
    warnings = [record.getMessage() for record in caplog.records]
    assert [line.rpartition("; ")[2] for line in warnings] == ["try 2 of 3 in 2 s", "try 3 of 3 in 6 s"]
    assert all(line.startswith(url) for line in warnings)
    assert waits == [2.0, 6.0]


def test_a_server_that_dies_while_it_is_read_is_an_error_in_one_line(server, waits):
    write(server.data / "a.root", pieces=30)
    with pytest.raises(FileError) as error:
        loader(server.url("a.root"), chunk=10).load_watched(lambda *_: server.kill())
    said = f"{server.url('a.root')} cannot be read: localhost:{server.port} does not answer"
    assert str(error.value).startswith(said)
    assert str(error.value).endswith("tried 3 times")
    assert set(waits) == {2.0, 6.0}


def test_a_server_that_comes_back_is_read_on(server, monkeypatch):
    write(server.data / "a.root", pieces=30)
    seen, back = [], []

    def first_then_kill(done, entries):
        seen.append(done)
        if len(seen) == 1:
            server.kill()

    def restart(seconds):
        if not back:
            back.append(seconds)
            server.start()
        pause(remote.LIMITS["StreamErrorWindow"] + 0.2)

    pause = time.sleep
    monkeypatch.setattr(remote, "time", SimpleNamespace(sleep=restart))
    events = loader(server.url("a.root"), chunk=10).load_watched(first_then_kill)
    assert back
    assert same(events, loader(str(server.data / "a.root")).load())


def test_a_file_that_is_another_after_a_break_is_not_read_on(server, monkeypatch):
    write(server.data / "a.root")
    file = RemoteFile(server.url("a.root"))
    file.read([(0, 100)])
    server.kill()

    def replaced(seconds):
        write(server.data / "a.root", events=301)
        server.start()
        pause(remote.LIMITS["StreamErrorWindow"] + 0.2)

    pause = time.sleep
    monkeypatch.setattr(remote, "time", SimpleNamespace(sleep=replaced))
    with pytest.raises(RemoteError, match="it changed while it was read"):
        file.read([(0, 100)])


def test_the_identity_of_a_remote_file_changes_with_it(server):
    write(server.data / "a.root")
    before, local = identity(server.url("a.root")), identity(server.data / "a.root")
    assert before["path"] == server.url("a.root")
    assert [before[key] for key in ("size", "head")] == [local[key] for key in ("size", "head")]
    assert before["modified"] == local["modified"] // 10**9
    assert identity(server.url("a.root")) == before
    write(server.data / "a.root")  # the same content, but for the UUID in the head
    assert identity(server.url("a.root"))["head"] != before["head"]
    with pytest.raises(OSError, match="does not exist"):
        identity(server.url("b.root"))


def test_remote_files_come_from_the_cache_until_they_change(server):
    write(server.data / "a.root")
    first = loader(server.url("a.root"), cache=True).load()
    assert same(loader(server.url("a.root"), cache=True).load(), first)
    assert len(list(Path(os.environ["XDG_CACHE_HOME"]).glob("**/entry.json"))) == 1
    write(server.data / "a.root", seed=1)
    changed = loader(server.url("a.root"), cache=True).load()
    assert same(changed, loader(str(server.data / "a.root")).load())
    assert not same(changed, first)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    remote.client.cache_clear()
    monkeypatch.setitem(sys.modules, "XRootD", None)
    says = r"files on servers \(root://\) need xrootd; pip install 'hepclf\[remote\]'$"
    for broken in (lambda: loader("root://h//a.root").load(), lambda: find_sources("root://h//*.root")):
        with pytest.raises(ValueError, match=says):
            broken()


def test_other_formats_say_that_they_read_local_files():
    sample = Sample(name="s", class_="s", files="root://h//a.parquet")
    with pytest.raises(ValueError, match=r"file 'root://h//a.parquet' is remote, which data=root alone reads"):
        Parquet(samples=(sample,), features=("x",), cache=False).load()
