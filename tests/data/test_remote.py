"""Files on servers: a real XRootD server on this machine, as it is, silent, killed, and back again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf.data import remote
from hepclf.data.identity import identity
from hepclf.data.parquet import Parquet
from hepclf.data.parts import FileError
from hepclf.data.remote import PassingError, RemoteError, RemoteFile
from hepclf.data.root import Root
from hepclf.data.samples import Sample, find


@pytest.fixture(scope="module")
def shared(shared_server):
    """A server of a few files, which all tests may ask and none may touch."""
    for place, name in enumerate(("a.root", "b.root", "run1/c.root", "run2/c.root")):
        write(shared_server.data / name, seed=place)
    write(shared_server.data / "n.root", form="RNTuple", seed=9)
    return shared_server


@pytest.fixture
def waits(monkeypatch):
    """The waits between tries, which are noted and not waited."""
    noted = []
    monkeypatch.setattr(remote.time, "sleep", noted.append)
    return noted


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
    assert len(one) == len(other) > 0
    assert np.array_equal(one.features, other.features, equal_nan=True)
    assert np.array_equal(one.weights, other.weights)
    assert np.array_equal(one.spectators["event"], other.spectators["event"])


@pytest.mark.parametrize(
    "files", [("a.root",), ("n.root",), ("a.root:t", "b.root"), ("*.root",), ("run*/*.root", "a.root")]
)
def test_remote_files_give_the_events_of_the_same_local_ones(shared, files):
    remote_events = loader(*map(shared.url, files), selection="x > -1", chunk=100).load()
    same(remote_events, loader(*(f"{shared.data}/{name}" for name in files), selection="x > -1").load())


def test_a_missing_file_is_said_at_once(shared, waits):
    url = shared.url("none.root")
    with pytest.raises(FileError) as error:
        loader(url).load()
    assert str(error.value) == f"file '{url}' does not exist"
    assert waits == []


def test_a_file_that_cannot_be_read_is_left_out_on_demand(shared):
    files = (shared.url("a.root"), shared.url("none.root"), shared.url("b.root"))
    events = loader(*files, on_bad_file="skip").load()
    same(events, loader(shared.url("a.root"), shared.url("b.root")).load())
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


def test_ranges_of_bytes_are_those_of_the_file(server):
    content = np.random.default_rng(0).bytes(5_000_000)
    (server.data / "bytes").write_bytes(content)
    many = [(7 * i, 7 * i + 5) for i in range(3000)]
    asked = [(0, 4_500_000), (10, 10), *many, (4_999_990, 5_000_010), (6_000_000, 6_000_001)]
    file = RemoteFile(server.url("bytes"))
    assert file.read(asked) == [content[start:stop] for start, stop in asked]
    assert file.state().size == 5_000_000
    assert file.read([]) == []
    file.close()


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


def test_a_host_that_is_not_known_is_said_at_once(waits):
    pytest.importorskip("XRootD")
    with pytest.raises(RemoteError, match=r"cannot be read: no host is called no\.such\.invalid"):
        RemoteFile("root://no.such.invalid//a.root").state()
    assert waits == []


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
    same(events, loader(str(server.data / "a.root")).load())


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


def told(code, **limits):
    """The lines that this code prints, run where the environment sets these limits in seconds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XRD_")}
    environment |= {f"XRD_{name}": str(seconds) for name, seconds in limits.items()}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=50)
    return run.stdout.splitlines()


OPENING = """
from hepclf.data import remote
remote.TRIES, remote.WAIT = 2, 0.1
file = remote.RemoteFile({url!r})
try:
    print(file.read([(0, 4)]))
    {then}
    file.read([(0, 4)])
except remote.RemoteError as error:
    print(error)
"""


def test_a_server_that_accepts_and_says_nothing_is_given_up():
    pytest.importorskip("XRootD")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"root://localhost:{mute.getsockname()[1]}//a.root"
        said = told(OPENING.format(url=url, then=""), CONNECTIONWINDOW=1, TIMEOUTRESOLUTION=1)
    host = url.split("/")[2]
    assert said == [f"{url} cannot be read: {host} does not answer (socket timeout), tried 2 times"]


def test_a_server_that_falls_silent_is_given_up(server):
    (server.data / "bytes").write_bytes(b"root" * 100)
    stop = f"import os; os.kill({server.process.pid}, {int(signal.SIGSTOP)})"
    sooner = "remote.client().EnvPutInt('RequestTimeout', 1)"
    first, last = told(OPENING.format(url=server.url("bytes"), then=f"{stop}; {sooner}"), TIMEOUTRESOLUTION=1)
    assert first == "[b'root']"
    assert last.endswith("does not answer (operation expired), tried 2 times")


def test_limits_are_seconds_unless_the_environment_says_otherwise():
    pytest.importorskip("XRootD")
    code = (
        "from hepclf.data.remote import client; print(*map(client().EnvGetInt, ['RequestTimeout', 'ConnectionWindow']))"
    )
    assert told(code) == ["60 10"]
    assert told(code, REQUESTTIMEOUT=600) == ["600 10"]


@pytest.mark.parametrize(
    ("code", "errno", "kind"),
    [
        (108, 0, PassingError),  # connection error
        (103, 0, PassingError),  # socket timeout
        (206, 0, PassingError),  # operation expired
        (400, 3007, PassingError),  # the server's disk
        (400, 3024, PassingError),  # overloaded
        (400, 3010, RemoteError),  # not authorized
        (400, 3011, RemoteError),  # not found
        (204, 0, RemoteError),  # authentication failed
        (110, 0, RemoteError),  # TLS
    ],
)
def test_only_what_may_pass_is_tried_again(code, errno, kind):
    pytest.importorskip("XRootD")
    status = SimpleNamespace(ok=False, code=code, errno=errno, message="[ERROR] something\n")
    with pytest.raises(kind):
        remote.check(status, "root://h//a.root")


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


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    remote.client.cache_clear()
    monkeypatch.setitem(sys.modules, "XRootD", None)
    says = r"files on servers \(root://\) need xrootd; pip install 'hepclf\[remote\]'$"
    for broken in (lambda: loader("root://h//a.root").load(), lambda: find("root://h//*.root")):
        with pytest.raises(ValueError, match=says):
            broken()


def test_other_formats_say_that_they_read_local_files():
    sample = Sample(name="s", class_="s", files="root://h//a.parquet")
    with pytest.raises(ValueError, match=r"file 'root://h//a.parquet' is remote, which data=root alone reads"):
        Parquet(samples=(sample,), features=("x",), cache=False).load()
