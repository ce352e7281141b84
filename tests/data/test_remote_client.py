"""The client of XRootD servers: bytes, limits, and which trouble is tried again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from hepclf.data import remote
from hepclf.data.remote import PassingError, RemoteError, RemoteFile


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


def test_a_host_that_is_not_known_is_said_at_once(waits):
    pytest.importorskip("XRootD")
    with pytest.raises(RemoteError, match=r"cannot be read: no host is called no\.such\.invalid"):
        RemoteFile("root://no.such.invalid//a.root").state()
    assert waits == []


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


NOISY = """
import warnings
from hepclf.data.remote import client
class Old:
    @property
    def __class__(self):
        warnings.warn("old", FutureWarning)
        return object
old = Old()
client()
"""


def test_a_process_that_read_remote_files_ends_without_a_word():
    pytest.importorskip("XRootD")
    run = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, check=True)
    assert run.stderr == ""


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
        remote.raise_for_status(status, "root://h//a.root")
