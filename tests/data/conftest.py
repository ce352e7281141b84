"""A real XRootD server of the tests' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from hepclf.data import remote

XROOTD = shutil.which("xrootd")
CONFIG = """
xrd.port {port}
xrd.network nodnr
all.role server
all.export /
oss.localroot {folder}/data
all.adminpath {folder}/adm
all.pidpath {folder}/adm
"""


class Server:
    """An XRootD server of a folder of its own, outside those of pytest, which only their owner may enter."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="xrootd-"))
        self.data = self.folder / "data"
        for folder in (self.folder, self.data, self.folder / "adm"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.folder / "x.cfg").write_text(CONFIG.format(port=self.port, folder=self.folder))
        self.start()

    def start(self):
        as_root = ["-R", "daemon"] if os.geteuid() == 0 else []  # which it refuses to be
        log = self.folder / "x.log"
        self.process = subprocess.Popen([XROOTD, "-c", "x.cfg", "-l", log, *as_root], cwd=self.folder)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.remove()
        raise RuntimeError(f"xrootd did not start: {log.read_text()[-500:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder)

    def url(self, name):
        return f"root://localhost:{self.port}//{name}"


def served():
    if XROOTD is None:
        pytest.skip("xrootd, the server, is not installed")
    pytest.importorskip("XRootD", reason="xrootd, the client of the extra `remote`, is not installed")
    made = Server()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def shared_server():
    """A server that all tests of a module may ask and none may touch."""
    yield from served()


@pytest.fixture
def server():
    """A server of one test alone."""
    yield from served()


@pytest.fixture
def waits(monkeypatch):
    """The waits between tries, which are noted and not waited."""
    noted = []
    monkeypatch.setattr(remote.time, "sleep", noted.append)
    return noted
