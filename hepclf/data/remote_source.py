"""Remote source: how uproot gets the bytes of a file on a server."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any

from uproot.source.chunk import Chunk, Source
from uproot.source.coalesce import coalesce_requests
from uproot.source.futures import TrivialFuture

from hepclf.data.remote import RemoteFile


class RemoteSource(Source):  # type: ignore[misc]
    """Ranges of bytes, those that lie close together in one piece, many pieces in a request.

    On a distant server it is the number of requests that costs time, not the bytes.
    """

    def __init__(self, file_path: str, *, num_workers: int, **_: Any) -> None:
        super().__init__()
        self._file_path = file_path
        self._file = RemoteFile(file_path)
        self._num_bytes = self._file.state().size
        self._executor = ThreadPoolExecutor(num_workers)
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the file was let go."""
        return self._closed

    def chunk(self, start: int, stop: int) -> Any:
        """A range."""
        return Chunk(self, start, stop, TrivialFuture(self._file.read([(start, stop)])[0]))

    def chunks(self, ranges: list[tuple[int, int]], notifications: Queue[Any]) -> Any:
        """Ranges that are fetched while the first are used already."""
        return coalesce_requests(ranges, self._submit, self, notifications)

    def _submit(self, ranges: list[tuple[int, int]]) -> Future[list[bytes]]:
        return self._executor.submit(self._file.read, ranges)

    def __enter__(self) -> RemoteSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._executor.shutdown(cancel_futures=True)
        self._file.close()
