"""The cache: tables that were read before, stored as arrays under a key of everything that they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.digests import block_digests, plain_digest
from hepclf.data.turn import SUFFIX, remove_ended, turn
from hepclf.disk import mapped
from hepclf.files import folder_size, is_temporary, read_json, remove_abandoned, temporary_folder, temporary_path

HEAD = "entry.json"
DIGEST = "digest"  # in the head, of all else that is in it
FORMAT = 3  # of the entries; raised when what is stored, or how it is computed, changes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CachedTable:
    """A table in the cache: its folder, its size in bytes, when it was last used, and a description."""

    folder: Path
    size: int
    used: float
    holds: str


@dataclass(frozen=True)
class Cache:
    """Tables in a folder, by key; above `limit` bytes, those that were used longest ago are removed."""

    folder: Path
    limit: int

    def find(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """The arrays under this key as memory maps, and the notes beside them; None if there are none."""
        folder = self.folder / key
        try:
            head = _head(folder)
            arrays = {
                name: _array(folder / f"{index}.bin", file) for index, (name, file) in enumerate(head["arrays"].items())
            }
            os.utime(folder / HEAD)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("what the cache holds in %s is damaged (%s) and is read again", folder, error)
            _remove(folder)
            return None
        return arrays, head["notes"]

    @contextlib.contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """While the block runs, other jobs that need this entry wait; this job may have waited for another first."""
        with contextlib.ExitStack() as stack:
            with unwritable(self.folder):
                stack.enter_context(turn(self.folder / f"{key}{SUFFIX}"))
            yield

    @contextlib.contextmanager
    def draft(self, key: str) -> Iterator[Path]:
        """A folder beside the entries, in which to write this entry; what is left in it afterwards is removed."""
        with contextlib.ExitStack() as stack:
            with unwritable(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                draft = stack.enter_context(temporary_folder(self.folder / key))
            yield draft

    def keep(self, key: str, draft: Path, reading: Reading, holds: str) -> None:
        """Make a draft the entry of this key, unless another job was first; arrays outside its files are added.

        Memory maps of a draft stay valid when it moves.
        """
        files: dict[str, dict[str, Any]] = {}
        with unwritable(self.folder):
            for index, (name, array) in enumerate(reading.arrays.items()):
                files[name] = {"dtype": array.dtype.str, "shape": array.shape, "digests": block_digests(array)}
                if mapped(array) is None:
                    array.tofile(draft / f"{index}.bin")
            head = {"holds": holds, "notes": reading.notes, "arrays": files}
            (draft / HEAD).write_text(json.dumps({**head, DIGEST: plain_digest(head)}))
        with contextlib.suppress(OSError):  # another job's entry is there: it is the same
            draft.rename(self.folder / key)
        self._shrink(key)

    def entries(self) -> list[CachedTable]:
        """The tables in the cache, most recently used first."""
        entries = [_entry(folder) for folder in self.folder.glob("*") if not is_temporary(folder.name)]
        return sorted((entry for entry in entries if entry is not None), key=lambda entry: -entry.used)

    def clear(self) -> int:
        """Remove all entries and what dead jobs left behind; returns the number of entries."""
        entries = self.entries()
        for entry in entries:
            _remove(entry.folder)
        remove_abandoned(self.folder.glob(".*"))
        remove_ended(self.folder)
        return len(entries)

    def _shrink(self, newest: str) -> None:
        """Remove the entries that were used longest ago until the rest fits; never the newest."""
        remove_abandoned(self.folder.glob(".*"))
        total = 0
        for entry in self.entries():
            total += entry.size
            if total > self.limit and entry.folder.name != newest:
                log.info("%s leaves the cache, which may hold %.3g GB", entry.holds, self.limit / 1e9)
                _remove(entry.folder)


def check_cache_size(gigabytes: float) -> None:
    """Refuse a cache_gb that leaves no room for a table."""
    if not gigabytes > 0:
        raise ValueError(f"cache_gb must be above 0, not {gigabytes:g}; cache=false keeps nothing")


def open_cache(chosen: bool | str, gigabytes: float) -> Cache | None:
    """The cache that a loader's setting names: the user's own folder (true), another folder, or none (false)."""
    if not chosen:
        return None
    folder = cache_folder() if isinstance(chosen, bool) else cache_folder(chosen)
    return Cache(folder, int(gigabytes * 1e9))


class UnwritableError(OSError):
    """A folder of the cache cannot be written; the data are not at fault."""


@contextlib.contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Turn an OSError in this block into an UnwritableError of this folder."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(f"{folder}: {error.strerror or error}") from error


class Reading(NamedTuple):
    """What was read: arrays, notes on them in plain data, and whether they may be cached."""

    arrays: dict[str, NDArray[Any]]
    notes: Any
    keep: bool = True


def read_through(
    cache: Cache | None, content: Callable[[], Any], holds: str, read: Callable[[Path | None], Reading]
) -> Reading:
    """The table for this content, from the cache if it is there; otherwise it is read and stored there.

    content  everything that the table depends on, in plain data; None if that cannot be stated
    read     may write its arrays as files 0.bin, 1.bin... into the folder that it receives
    """
    if cache is None or (dependencies := content()) is None:
        return read(None)
    key = content_hash(dependencies)
    if cached := cache.find(key):
        log.info("%s comes from the cache in %s", holds, cache.folder)
        return Reading(*cached)
    try:
        with cache.turn(key):
            if cached := cache.find(key):
                return Reading(*cached)
            return _fill(cache, key, dependencies, content, holds, read)
    except UnwritableError as error:
        log.warning("the cache cannot be written (%s); reading without it", error)
        return read(None)


def _fill(
    cache: Cache,
    key: str,
    dependencies: Any,
    content: Callable[[], Any],
    holds: str,
    read: Callable[[Path | None], Reading],
) -> Reading:
    """Read a table; store it if its files are still the same as when the reading began."""
    with cache.draft(key) as draft:
        reading = read(draft)
        if reading.keep and content() == dependencies:
            cache.keep(key, draft, reading, holds)
        return reading


def content_hash(content: Any) -> str:
    """A hash of everything that a table depends on, in plain data, and of the version of hepclf."""
    text = json.dumps([FORMAT, version("hepclf"), content], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def cache_folder(chosen: str | None = None) -> Path:
    """The folder of the cache: the chosen one, or by default the user's own."""
    if chosen is not None:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hepclf"


def _head(folder: Path) -> dict[str, Any]:
    """What an entry says of itself, or an error where it was changed."""
    head = read_json(folder / HEAD)
    if not isinstance(head, dict):
        raise ValueError(f"{HEAD} holds no mapping")
    if head.pop(DIGEST) != plain_digest(head):
        raise ValueError(f"{HEAD} was changed")
    return head


def _array(path: Path, file: Mapping[str, Any]) -> NDArray[Any]:
    """The array in a file, or an error where its size or bytes are not what they were; maps of nothing cannot be."""
    dtype, shape = np.dtype(str(file["dtype"])), tuple(int(length) for length in file["shape"])
    if dtype.hasobject:
        raise ValueError(f"{path.name} cannot hold {dtype}")
    expected, size = dtype.itemsize * int(np.prod(shape)), path.stat().st_size
    if size != expected:
        raise ValueError(f"{path.name} holds {size} bytes and not {expected}")
    array = np.memmap(path, dtype=dtype, mode="r", shape=shape) if size else np.empty(shape, dtype=dtype)
    if block_digests(array) != file["digests"]:
        raise ValueError(f"{path.name} holds other bytes than were written")
    return array


def _entry(folder: Path) -> CachedTable | None:
    try:
        head, size = folder / HEAD, folder_size(folder)
        return CachedTable(folder, size, head.stat().st_mtime, str(read_json(head)["holds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not an entry, or another job removed it just now


def _remove(folder: Path) -> None:
    """Out of sight at once, so that no other job finds half of it; maps of its files stay valid."""
    trash = temporary_path(folder)
    with contextlib.suppress(OSError):
        folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
