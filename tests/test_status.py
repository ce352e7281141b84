from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepclf.holder import Holder
from hepclf.lock import FolderInUseError, LockLostError
from hepclf.run import Run, Stopped

HOLD = """
from hepclf.run import Run
run = Run.create("a")
run.config.write_text("x: 1")
with run.recorded():
    print(1, flush=True)
    input()
"""


@pytest.fixture
def child():
    """Another process that writes the run a."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    yield process
    process.kill()
    process.communicate()


def record(folder="a"):
    return json.loads(Path(folder, "environment.json").read_text())


def test_a_run_that_lives_is_running_and_not_resumed(child):
    run = Run.open("a")
    status = run.status()
    assert (status.name, status.reason) == ("running", f"process {child.pid} on {record()['host']}")
    assert record()["pid"] == child.pid
    with pytest.raises(FolderInUseError, match=f"in use by process {child.pid} on .* since 20"):
        Run.resume("a")
    child.communicate(b"\n")
    assert run.status().name == "finished"
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.yaml", "environment.json"]
    with pytest.raises(ValueError, match=r"a cannot be resumed: its training finished at 20"):
        Run.resume("a")
    assert not (run.folder / "lock").exists()


def test_a_run_that_was_killed_is_lost_and_can_be_resumed(child):
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    run = Run.open("a")
    (run.folder / ".metrics.json.node.1.0123abcd.part").touch()
    assert run.status().name == "lost"
    assert str(run.status()).startswith("was killed; it was last alive at 20")
    with Run.resume("a").recorded():
        assert run.status().name == "running"
        assert record()["pid"] == os.getpid()
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.yaml", "environment.json"]


@pytest.mark.parametrize(
    ("error", "name", "reason"),
    [
        (Stopped("the limit\nis near"), "stopped", "the limit is near"),
        (KeyError("x"), "failed", "KeyError: 'x'"),
    ],
)
def test_what_ended_a_run_is_told_and_it_can_be_resumed(error, name, reason):
    run = Run.create("a")
    run.config.touch()
    with pytest.raises(type(error)), run.recorded():
        raise error
    status = Run.open("a").status()
    assert (status.name, status.reason) == (name, reason)
    assert str(status) == f"{name} at {status.since}: {reason}"
    with Run.resume("a").recorded():
        pass
    assert run.status().name == "finished"


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_record_is_that_of_a_lost_run(text):
    Path("a").mkdir()
    assert Run(Path("a")).status().name == "unknown"
    Path("a/environment.json").write_text(text)
    assert Run(Path("a")).status().name == "lost"


def test_a_process_that_lost_its_folder_fails_and_writes_nothing_there():
    run = Run.create("a")

    def lose():
        moved = run.lock.path.with_name("ffffffff")
        run.lock.path.rename(moved)
        (run.folder / "environment.json").write_text("of the next one")

    with pytest.raises(LockLostError), run.recorded():
        lose()
    assert Path("a/environment.json").read_text() == "of the next one"
    assert sorted(path.name for path in Path("a").iterdir()) == ["environment.json", "heartbeat", "lock"]


def test_the_last_sign_of_life_is_that_of_the_heartbeat():
    run = Run.create("a")
    run.environment.write_text('{"status": "running", "started": "before"}')
    run.lock.release()
    assert run.status().since == "before"
    (run.folder / "heartbeat").touch()
    os.utime(run.folder / "heartbeat", (0, 86400))
    assert run.status().since.startswith(time.strftime("%Y-%m-%d", time.localtime(86400)))


def test_the_record_names_the_process_and_its_job(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    with Run.create("a").recorded():
        pass
    names = set(Holder.__dataclass_fields__) - {"token", "since"}
    assert names < set(record())
    assert (record()["pid"], record()["job_id"]) == (os.getpid(), "42")


def test_what_an_unfinished_run_lacks_is_an_error_and_else_a_warning(caplog):
    run = Run.create("a")
    with pytest.raises(Stopped), run.recorded():
        raise Stopped("asked to")
    with pytest.raises(
        FileNotFoundError,
        match=r"a holds no tagger: its training stopped at 20.*: asked to; continue it with hepclf train resume=DIR",
    ):
        run.require(run.tagger)
    run.tagger.mkdir()
    with caplog.at_level(logging.WARNING):
        run.require(run.tagger)
    assert "a is not a finished run: its training stopped at 20" in caplog.text
    caplog.clear()
    run.environment.write_text('{"status": "finished"}')
    run.require(run.tagger)
    assert caplog.text == ""
