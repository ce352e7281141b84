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
    """Byte ranges: close ones are read as one piece, and many pieces go into one request.

    With a distant server, the time depends on the number of requests, not on the bytes.
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
        """Whether the file was closed."""
        return self._closed

    def chunk(self, start: int, stop: int) -> Any:
        """A range."""
        return Chunk(self, start, stop, TrivialFuture(self._file.read([(start, stop)])[0]))

    def chunks(self, ranges: list[tuple[int, int]], notifications: Queue[Any]) -> Any:
        """Ranges, fetched while the first ones are already used."""
        return coalesce_requests(ranges, self._submit, self, notifications)

    def _submit(self, ranges: list[tuple[int, int]]) -> Future[list[bytes]]:
        return self._executor.submit(self._file.read, ranges)

    def __enter__(self) -> RemoteSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._executor.shutdown(cancel_futures=True)
        self._file.close()
