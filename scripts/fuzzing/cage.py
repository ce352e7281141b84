"""A case under limits of memory and a watch over what it does; the process is used for nothing else."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

MEMORY = 1 << 30  # bytes that a case may add
LONGEST = 2000  # letters of a message
RUNS = {
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen", "pty.spawn"),
    *(
        "socket.connect",
        "socket.bind",
        "socket.getaddrinfo",
        "pickle.find_class",
        "webbrowser.open",
        "ensurepip.bootstrap",
    ),
}
CHANGES = {
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown", "os.truncate"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "os.setxattr", "os.putenv", "os.unsetenv"),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LIBRARIES = tuple(path for path in sys.path if path)  # a case may add a folder of its own later


class Outcome(NamedTuple):
    """What became of a case: `failure` is None where it held."""

    failure: str | None
    message: str = ""
    seconds: float = 0.0
    memory: int = 0


class Cage:
    """Notes forbidden events while a case runs. Python has no way to take such a hook away again."""

    def __init__(self) -> None:
        self.folder = Path()
        self.events: list[str] = []
        self._is_closed = False
        sys.dont_write_bytecode = True
        warnings.simplefilter("ignore")
        logging.disable()
        sys.addaudithook(self._note)

    def outcome(self, task: Callable[[], Any], folder: Path) -> Outcome:
        """Run the task of a case, whose files lie in this folder."""
        from hepclf.cli.errors import explain

        self.folder, self.events = folder, []
        failure, message, before, started = None, "", _reset_peak(), time.process_time()
        with _limited(MEMORY):
            self._is_closed = True
            try:
                task()
            except Exception as error:
                self._is_closed = False
                message = explain(error)[0]
                if isinstance(error, MemoryError):
                    failure = "more memory than allowed"
                elif message.startswith("unexpected"):
                    failure = f"{type(error).__name__}"
                    message += "\n" + "".join(traceback.format_exception(error)[-12:])
                elif len(message) > LONGEST:
                    failure = f"a message of {len(message):,} letters"
            finally:
                self._is_closed = False
        if self.events:
            failure = f"forbidden: {self.events[0]}"
        seconds, memory = time.process_time() - started, _peak() - before
        return Outcome(failure, message[:4000], seconds, memory)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_closed:
            return
        if event in RUNS or (event == "exec" and not _is_library(arguments[0])):
            self.events.append(f"{event} {str(arguments)[:200]}")
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            self._note_change(event, arguments[0])
        elif event in CHANGES:
            self._note_change(event, arguments[0])

    def _note_change(self, event: str, path: Any) -> None:
        if isinstance(path, int) or str(path) == os.devnull:
            return
        self._is_closed = False  # a path is resolved by calls that are events themselves
        target = Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100  # a link counts as where it lies
        if not target.is_relative_to(self.folder):
            self.events.append(f"{event} {target}")
        self._is_closed = True


def _is_library(code: Any) -> bool:
    """Whether the code comes from a module, or a library makes it: dataclasses and namedtuples are made by exec."""
    place = getattr(code, "co_filename", "")
    if place.startswith((*LIBRARIES, "<frozen", str(Path(__file__).parents[2] / "hepclf"))):
        return True
    caller = sys._getframe(2)
    return caller.f_code.co_filename.startswith(LIBRARIES)


@contextlib.contextmanager
def _limited(extra: int) -> Any:
    """So many more bytes of address space than the process has."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + extra, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _reset_peak() -> int:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """The most memory in bytes that was resident since the last reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
