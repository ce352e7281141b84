"""Remote: files on XRootD servers (root://); a request is repeated a few times while a server does not answer."""

from __future__ import annotations

import atexit
import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from threading import Lock
from typing import Any, NamedTuple, TypeVar

TRIES = 3
WAIT = 2.0  # seconds before the second try, three times as many before each further one
# The client's own limits add up to minutes, for a silent server to half an hour. In seconds; the environment (XRD_...)
# takes precedence. The error window, in which the client does not reconnect, is shorter than our wait.
LIMITS = {"ConnectionWindow": 10, "ConnectionRetry": 1, "StreamErrorWindow": 1, "RequestTimeout": 60}
PARTING = 2  # seconds to wait for the answer when a file is closed, which none needs
LONGEST, MOST = 2_097_136, 1024  # bytes of a piece, and pieces of a request, that a server takes by default

# Errors that may pass, numbered as in XrdCl/XrdClStatus.hh: no connection, a lost one, no answer in time. If a server
# answers, numbered as in XProtocol/XProtocol.hh: trouble with its disks, memory or load, or a file handle it forgot.
SILENT = {102, 103, 104, 105, 107, 108, 109, 206, 207}
NO_ADDRESS, NOT_FOUND, ANSWERED = 101, 304, 400
TROUBLED = {3004, 3007, 3008, 3012, 3014, 3024, 3034, 3035}
ABSENT = 3011

T = TypeVar("T")
log = logging.getLogger(__name__)


class RemoteError(OSError):
    """A file or folder on a server that does not exist or cannot be read; the message names it."""


class PassingError(OSError):
    """A problem that may be over at the next try."""


class State(NamedTuple):
    """The size of a file in bytes, and its modification time in seconds."""

    size: int
    modified: int


class RemoteFile:
    """A file on a server, opened at first use; threads may share it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = Lock()
        self._file: Any = None
        self._state: State | None = None

    def state(self) -> State:
        """The state of the version that is read: a file that changes after its first use raises an error."""
        return with_retries(self.url, lambda: self._opened()[1])

    def read(self, ranges: list[tuple[int, int]]) -> list[bytes]:
        """The bytes from start to stop of each range; fewer if the file ends before."""
        return with_retries(self.url, lambda: self._read(ranges))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.close(timeout=PARTING)

    def _opened(self) -> tuple[Any, State]:
        with self._lock:
            if self._file is None or self._state is None:
                file = client().File()
                raise_for_status(file.open(self.url)[0], self.url)
                status, info = file.stat()
                raise_for_status(status, self.url)
                state = State(info.size, info.modtime)
                if self._state not in (None, state):
                    raise RemoteError(f"{self.url} cannot be read: it changed while it was read")
                self._file, self._state = file, state
            return self._file, self._state

    def _read(self, ranges: list[tuple[int, int]]) -> list[bytes]:
        file, (size, _) = self._opened()
        pieces = [list(_pieces(start, min(stop, size))) for start, stop in ranges]
        try:
            blocks = iter(self._fetched(file, [piece for group in pieces for piece in group]))
        except PassingError:
            self._drop(file)
            raise
        return [b"".join(next(blocks) for _ in group) for group in pieces]

    def _fetched(self, file: Any, pieces: list[tuple[int, int]]) -> list[bytes]:
        blocks: list[bytes] = []
        for first in range(0, len(pieces), MOST):
            try:
                status, answer = file.vector_read(pieces[first : first + MOST])
            except ValueError as error:  # so says the client of a file whose connection broke under another thread
                raise PassingError(f"{_host(self.url)} does not answer (connection lost)") from error
            raise_for_status(status, self.url)
            blocks += [chunk.buffer for chunk in answer.chunks]
        return blocks

    def _drop(self, broken: Any) -> None:
        """Open the file anew at the next try, unless another thread did; it is not closed, as others may read it."""
        with self._lock:
            if self._file is broken:
                self._file = None


def list_folder(server: str, folder: str) -> Iterator[tuple[str, bool]]:
    """The names in a folder of a server, in alphabetical order, each with whether it is a folder."""
    flags = client().flags
    url = f"{server}{folder}"

    def request() -> Any:
        status, answer = client().FileSystem(server).dirlist(folder, flags.DirListFlags.STAT)
        raise_for_status(status, url)
        return answer

    for entry in sorted(with_retries(url, request), key=lambda entry: str(entry.name)):
        yield entry.name, bool(entry.statinfo.flags & flags.StatInfoFlags.IS_DIR)


def with_retries(url: str, task: Callable[[], T]) -> T:
    """The result of a task; after an error that may pass, it is tried again after a growing wait."""
    for tried in range(1, TRIES):
        try:
            return task()
        except PassingError as error:
            wait = WAIT * 3 ** (tried - 1)
            log.warning("%s cannot be read yet: %s; try %d of %d in %g s", url, error, tried + 1, TRIES, wait)
            time.sleep(wait)
    try:
        return task()
    except PassingError as error:
        raise RemoteError(f"{url} cannot be read: {error}, tried {TRIES} times") from error


def raise_for_status(status: Any, url: str) -> None:
    """Raise the error that the client or the server reports."""
    if status.ok:
        return
    message = re.sub(r"^\[\w+\] (Server responded with an error: \[\d+\] )?", "", status.message).strip().rstrip(".")
    if status.code == NOT_FOUND or (status.code == ANSWERED and status.errno == ABSENT):
        kind = "folder" if url.endswith("/") else "file"
        raise RemoteError(f"{kind} '{url}' does not exist")
    if status.code in SILENT:
        raise PassingError(f"{_host(url)} does not answer ({message.lower()})")
    if status.code == ANSWERED and status.errno in TROUBLED:
        raise PassingError(f"{_host(url)} says: {message}")
    if status.code == NO_ADDRESS:
        raise RemoteError(f"{url} cannot be read: no host is called {_host(url)}")
    raise RemoteError(f"{url} cannot be read: {message}")


@cache
def client() -> Any:
    """The XRootD client, with its limits set."""
    try:
        from XRootD import client
    except ImportError:
        raise ValueError("files on servers (root://) need xrootd; pip install 'hepclf[remote]'") from None
    for name, seconds in LIMITS.items():
        client.EnvPutInt(name, seconds)
    # When the process ends, XRootD asks every object whether it is a file; some of other libraries then warn.
    atexit.register(warnings.simplefilter, "ignore")
    return client


def _host(url: str) -> str:
    """The host and port of a server."""
    return str(client().URL(url).hostid or url)


def _pieces(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Positions and lengths of a range, in pieces of a size that a server accepts."""
    for position in range(start, stop, LONGEST):
        yield position, min(LONGEST, stop - position)
