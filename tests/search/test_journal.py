"""The journal under what kills and stops workers; real processes, as only they can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepclf.search.journal import Journal, JournalReplacedError
from hepclf.search.journal_lock import JournalLock

KILLED = """
import os, signal, sys
from pathlib import Path
from hepclf.search.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal._mutex.acquire()
with open(sys.argv[1], "ab") as file:
    file.write(b'{"op": "half')
    file.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""

STOPPED = """
import os, signal, sys
from pathlib import Path
from hepclf.search.journal import Journal

class Slow(Journal):
    is_stopped = False

    def _opened(self):
        descriptor = super()._opened()
        if not self.is_stopped:
            self.is_stopped = True
            os.kill(os.getpid(), signal.SIGSTOP)
        return descriptor

Slow(Path(sys.argv[1])).append_logs([{"op": "stopped"}])
"""


def lines(path):
    return [json.loads(line)["op"] for line in path.read_text().splitlines()]


def child(code, path):
    return subprocess.Popen([sys.executable, "-c", code, str(path)])


@pytest.fixture
def path():
    """A journal with one line."""
    path = Path("study.journal").resolve()
    Journal(path).append_logs([{"op": "first"}])
    return path


def test_a_line_that_a_killed_worker_left_unfinished_is_cut_off_and_its_lock_taken_at_once(path):
    process = child(KILLED, path)
    assert process.wait() == -signal.SIGKILL
    assert path.read_bytes().endswith(b"half")
    started = time.monotonic()
    Journal(path, grace_s=600).append_logs([{"op": "second"}])
    assert time.monotonic() - started < 60
    assert lines(path) == ["first", "second"]


def test_a_last_line_that_cannot_be_read_is_cut_off(path):
    with path.open("ab") as file:
        file.write(b'{"op": "dam\x00aged\n')
    Journal(path).append_logs([{"op": "second"}])
    assert lines(path) == ["first", "second"]


def test_a_last_line_longer_than_what_is_read_together_is_cut_off(path):
    with path.open("ab") as file:
        file.write(b"x" * 200_000)
    Journal(path).append_logs([{"op": "second"}])
    assert lines(path) == ["first", "second"]


def test_a_holder_stopped_beyond_the_grace_period_loses_nothing_and_doubles_nothing(path):
    process = child(STOPPED, path)
    while os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.01)
    journal = Journal(path, grace_s=0.2)
    journal.append_logs([{"op": "second"}])
    held = JournalLock(path.with_name("study.journal.lock"))
    held.acquire()
    process.send_signal(signal.SIGCONT)  # it goes on while we hold the lock, and may not release that
    time.sleep(0.3)
    assert held.is_ours()
    assert lines(path) == ["first", "second"]
    held.release()
    assert process.wait(timeout=60) == 0
    assert lines(path) == ["first", "second", "stopped"]


def test_a_lock_that_another_process_took_in_between_is_put_back(path):
    lock, successor = (JournalLock(path.with_name("lock")) for _ in range(2))
    lock.acquire()
    seen = lock._text
    lock.release()
    successor.acquire()
    lock._remove(seen)
    assert successor.is_ours()


def test_a_journal_that_was_removed_or_made_again_takes_no_lines(path):
    journal = Journal(path)
    path.rename("before")
    with pytest.raises(JournalReplacedError, match="was removed"):
        journal.append_logs([{"op": "second"}])
    Journal(path).append_logs([{"op": "other"}])
    with pytest.raises(JournalReplacedError, match="made again"):
        journal.append_logs([{"op": "second"}])
    with pytest.raises(JournalReplacedError, match="made again"):
        list(journal.read_logs(0))
    assert lines(path) == ["other"]


def test_a_full_disk_is_an_error_and_the_next_append_mends_the_journal(tiny):
    path = (tiny / "study.journal").resolve()
    journal = Journal(path)
    journal.append_logs([{"op": "first"}])
    with pytest.raises(OSError, match="No space left"):
        journal.append_logs([{"op": "x" * 400_000}])
    journal.append_logs([{"op": "second"}])
    assert lines(path) == ["first", "second"]
