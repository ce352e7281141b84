from __future__ import annotations

import gzip
import hashlib
import io
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from hepclf.cli import terminal
from hepclf.cli.completion import candidates
from hepclf.data.datasets import DATASETS

LINES = ["{},{}\n".format(i % 2, ",".join(f"{(i * k) % 17 + i % 2}.5" for k in range(1, 19))) for i in range(300)]
BODY = gzip.compress("".join(LINES).encode(), mtime=0)


class Handler(BaseHTTPRequestHandler):
    """Serves a file with ranges; its first answer stops halfway, and waits, where its server is to stall."""

    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.send_response(206 if start else 200 if self.path.startswith("/SUSY") else 404)
        self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(BODY) - start))
        self.send_header("ETag", '"one"')
        self.end_headers()
        self.server.asked.append(start)
        stalls, self.server.stalls = self.server.stalls, False
        self.wfile.write(BODY[start : len(BODY) // 2 if stalls else None])
        if stalls:
            self.server.stop.wait(60)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server of a SUSY of 300 events; hepclf knows of it in place of the true one."""
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.stalls, server.stop = [], False, threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/SUSY.csv.gz"
    monkeypatch.setitem(DATASETS, "susy", replace(DATASETS["susy"], url=server.url, events=300))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_a_name_it_lists_what_there_is(hepclf):
    code, out, _ = hepclf("fetch")
    assert code == 0
    for dataset in DATASETS.values():
        for text in (dataset.name, f"{dataset.events:,} events", dataset.licence, dataset.page):
            assert text in out
    assert "2,816 MB" in out
    assert "verified by its sha256" in out
    assert "no checksum is known" in out
    assert max(map(len, out.splitlines())) <= 90


@pytest.mark.parametrize("folder", [".", "data/public", "my data", "it's {odd}, isn't=it"])
def test_the_command_that_it_prints_trains(hepclf, server, folder):
    code, out, err = hepclf("fetch", "susy", f"to={folder}")
    assert code == 0, err
    path = Path(folder) / "SUSY.csv.gz"
    assert path.read_bytes() == BODY
    assert f"{path}  {len(BODY):,} bytes, fetched, verified by its CRC-32 and its 300 events" in out
    assert "licence CC BY 4.0, to be cited as arXiv:1402.4735" in out
    (command,) = re.findall(r"train on it: hepclf (.*)", out)
    quick = ["model=logistic", "trainer.epochs=1", "evaluation.plots=false"]
    code, out, err = hepclf(*shlex.split(command), *quick)
    assert code == 0, err
    assert "susy, logistic" in out


def test_what_is_there_is_not_fetched_again(hepclf, server):
    hepclf("fetch", "susy")
    code, out, _ = hepclf("fetch", "susy")
    assert code == 0
    assert "already there, verified by" in out
    assert len(server.asked) == 1


def test_another_place_serves_the_same_file(hepclf, server, monkeypatch):
    sha = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    there = replace(DATASETS["higgs"], checksum=sha, size=len(BODY))
    monkeypatch.setitem(DATASETS, "higgs", there)
    code, out, err = hepclf("fetch", "higgs", f"from={server.url}")
    assert code == 0, err
    assert "HIGGS.csv.gz" in out
    assert "verified by its sha256" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["suzy"], "'suzy' is not a dataset; nearest: 'susy'"),
        (["susy", "too=x"], "too is not a setting of fetch; nearest: 'to'"),
        (["susy", "to="], "to must not be empty; say to=..."),
        (["susy", "higgs"], "fetch takes one dataset, as in hepclf fetch susy to=data, not 'susy higgs'"),
        (["to=data"], "fetch takes one dataset, as in hepclf fetch susy to=data, not 'to=data'"),
    ],
)
def test_a_wrong_command_is_one_line(hepclf, words, says):
    code, out, err = hepclf("fetch", *words)
    assert (code, out) == (2, "")
    assert err.strip() == f"hepclf: {says}"


def test_a_failure_is_one_line_and_leaves_nothing(hepclf, server):
    code, out, err = hepclf("fetch", "susy", f"from={server.url.replace('SUSY', 'gone')}")
    assert (code, out) == (1, "")
    assert re.search(r"^hepclf: http://\S+/gone\.csv\.gz answers 404 Not Found; if it has moved", err, re.MULTILINE)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [(signal.SIGINT, 130, "interrupted; "), (signal.SIGTERM, 1, "terminated by the system (SIGTERM); ")],
)
@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_download_goes_on_at_the_next_call(hepclf, server, sent, code, says):
    server.stalls = True
    program = (
        "import sys; from dataclasses import replace; from hepclf.cli.main import main;"
        "from hepclf.data.datasets import DATASETS;"
        f"DATASETS['susy'] = replace(DATASETS['susy'], url={server.url!r}, events=300);"
        "sys.exit(main(['fetch', 'susy']))"
    )
    half = len(BODY) // 2
    part = Path("SUSY.csv.gz.part")
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and (not part.exists() or part.stat().st_size < half):
            time.sleep(0.01)
        process.send_signal(sent)
        _, err = process.communicate()
    assert process.returncode == code
    last = err.splitlines()[-1]
    assert last.startswith(f"hepclf: {says}")
    assert last.endswith(f"SUSY.csv.gz.part keeps {half:,} bytes, and the next call goes on from there")
    assert not Path("SUSY.csv.gz").exists()
    assert hepclf("fetch", "susy")[0] == 0
    assert server.asked == [0, half]
    assert [path.name for path in Path().iterdir()] == ["SUSY.csv.gz"]


def test_help_and_completion_know_it(hepclf):
    assert "hepclf fetch [NAME] [to=DIR] [from=URL]" in hepclf("fetch", "--help")[1]
    assert candidates("hepclf fetch h") == ["higgs", "higgsml"]
    assert candidates("hepclf fetch susy t") == ["to="]
    assert "hepclf cache list|clear [DIR]" in hepclf("cache", "--help")[1]


def test_it_does_without_torch():
    code = "import sys; from hepclf.cli.main import main; main(['fetch']); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("of", [922_000_000, None])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_in_megabytes_and_a_new_stage_has_its_own_rate(monkeypatch, is_terminal, of):
    written = io.StringIO()
    console = Console(file=written, force_terminal=is_terminal, width=100, legacy_windows=False)
    monkeypatch.setattr(terminal, "PlainConsole", lambda **_: console)
    monkeypatch.setattr(terminal, "EVERY", -1.0)
    now = iter(range(100))
    watch = terminal.Watch(lambda: float(next(now)))
    watch.transfer("fetching", 500_000_000, of)
    watch.transfer("fetching", 590_000_000, of)
    watch.close()
    shown = written.getvalue()
    assert "fetching" in shown
    assert f"590/{'?' if of is None else 922}" in shown
    rates = [float(rate) for rate in re.findall(r"([\d.]+) MB/s", shown)]
    assert rates[0] == 0.0
    assert 10 < rates[-1] <= 90
