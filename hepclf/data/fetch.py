"""Fetch: the file of a public dataset, complete and verified, or no file at all."""

from __future__ import annotations

import gzip
import hashlib
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hepclf.data.datasets import Dataset
from hepclf.data.partial import Partial
from hepclf.data.transfer import BLOCK, Size, Tell, download
from hepclf.data.web import is_address
from hepclf.words import size as text_size

DAMAGED = (OSError, EOFError, zlib.error)
LONGEST_ROW = 4096  # bytes of an event, on average


class Fetched(NamedTuple):
    """A file of a dataset, how it was verified, and whether it existed before."""

    path: Path
    verified: str
    before: bool


def fetch(
    dataset: Dataset,
    folder: Path | str = ".",
    *,
    source: str | None = None,
    tell: Tell = lambda *_: None,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch the file of a dataset into this folder, from its publisher or from another `source`.

    The file gets its name when it is complete and verified; until then its bytes lie in a file beside it, from which
    the next call continues. A file that exists is verified again and not fetched.
    """
    url = source or dataset.url
    if not is_address(url):
        raise ValueError(f"the source of a dataset must be an http:// or https:// address, not {url!r}")
    target = Path(folder).expanduser() / dataset.file
    if target.exists():
        try:
            return Fetched(target, verify(target, dataset, tell), True)
        except ValueError as error:
            raise ValueError(f"{error}; remove or rename it, or choose another folder") from error
    partial = Partial(target.with_name(f"{target.name}.part"))
    with partial.held():
        try:
            download(url, partial, size=_size(dataset), tell=tell, pause=pause)
            verified = _verified(partial, dataset, tell)
        except KeyboardInterrupt as stop:
            raise type(stop)(f"{str(stop) or 'interrupted'}{partial.resume_hint()}") from stop
        except OSError as error:
            raise OSError(f"{error}{partial.resume_hint()}") from error
        partial.become(target)
    return Fetched(target, verified, False)


def verify(path: Path, dataset: Dataset, tell: Tell = lambda *_: None) -> str:
    """How this file of a dataset was verified; a ValueError if it is not complete."""
    if not dataset.checksum:
        return _intact(path, dataset, tell)
    algorithm, _, digits = dataset.checksum.partition(":")
    digest = _digest(path, algorithm, tell)
    if digest != digits:
        raise ValueError(f"{algorithm} of {path} must be {digits}, as published for {dataset.name}, not {digest}")
    return f"its {algorithm}"


def _verified(partial: Partial, dataset: Dataset, tell: Tell) -> str:
    try:
        return verify(partial.path, dataset, tell)
    except ValueError as error:
        partial.remove()
        raise ValueError(f"{error}; it is removed: fetch it again, or from another place") from error


def _size(dataset: Dataset) -> Size:
    """With a checksum the size is exact; otherwise it is rounded, and another compression may change it."""
    if dataset.checksum:
        return Size(dataset.size, dataset.size)
    return Size(None, 2 * dataset.size + 1_000_000)


def _digest(path: Path, algorithm: str, tell: Tell) -> str:
    size, done, adler = path.stat().st_size, 0, 1
    digest = None if algorithm == "adler32" else hashlib.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if digest is None:
                adler = zlib.adler32(block, adler)
            else:
                digest.update(block)
            tell("verifying", done := done + len(block), size)
    return f"{adler:08x}" if digest is None else digest.hexdigest()


def _intact(path: Path, dataset: Dataset, tell: Tell) -> str:
    """Verify the CRC-32 at the end of a gzip file, and the number of rows."""
    size, length, rows, last = path.stat().st_size, 0, 0, b"\n"
    try:
        with path.open("rb") as raw, gzip.open(raw) as file:
            while block := file.read(BLOCK):
                rows, last = rows + block.count(b"\n"), block[-1:]
                if (length := length + len(block)) > LONGEST_ROW * (dataset.events + 1):  # a gzip bomb
                    raise ValueError(f"{path} must hold {dataset.events:,} events, not more than {text_size(length)}")
                tell("verifying", raw.tell(), size)
    except DAMAGED as error:
        raise ValueError(f"{path} is no whole gzip file: {error}") from error
    events = rows + (last != b"\n") - dataset.header
    if events != dataset.events:
        raise ValueError(f"{path} must hold {dataset.events:,} events, as {dataset.name} does, not {events:,}")
    return f"its CRC-32 and its {events:,} events"
