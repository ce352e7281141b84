"""The cache: tables that were read once, as arrays on disk under a key of all that they depend on."""

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

from hepclf.data.turn import SUFFIX, remove_ended, turn
from hepclf.disk import mapped
from hepclf.files import folder_size, is_temporary, remove_abandoned, temporary_folder, temporary_path

HEAD = "entry.json"
FORMAT = 2  # of the entries; raised when what is stored, or how it is computed, changes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CachedTable:
    """A table in the cache: its folder, the bytes it takes, when it was last used, and what it holds in words."""

    folder: Path
    size: int
    used: float
    holds: str


@dataclass(frozen=True)
class Cache:
    """Tables under their keys in a folder; those used longest ago go when there are more than `limit` bytes."""

    folder: Path
    limit: int

    def find(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """The arrays under this key, as memory maps, and what was noted beside them; None where there are none."""
        folder = self.folder / key
        try:
            head = json.loads((folder / HEAD).read_text())
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
        """While the block runs, other jobs that lack this entry wait; this one may have waited for another."""
        with contextlib.ExitStack() as stack:
            with unwritable(self.folder):
                stack.enter_context(turn(self.folder / f"{key}{SUFFIX}"))
            yield

    @contextlib.contextmanager
    def draft(self, key: str) -> Iterator[Path]:
        """A folder beside the entries to write this one in; what is left of it afterwards goes."""
        with contextlib.ExitStack() as stack:
            with unwritable(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                draft = stack.enter_context(temporary_folder(self.folder / key))
            yield draft

    def keep(self, key: str, draft: Path, reading: Reading, holds: str) -> None:
        """Make a draft the entry of this key, unless another job was first; arrays that are not in its files are added.

        The maps of a draft stay valid when it moves.
        """
        files: dict[str, dict[str, Any]] = {}
        with unwritable(self.folder):
            for index, (name, array) in enumerate(reading.arrays.items()):
                files[name] = {"dtype": array.dtype.str, "shape": array.shape}
                if mapped(array) is None:
                    array.tofile(draft / f"{index}.bin")
            (draft / HEAD).write_text(json.dumps({"holds": holds, "notes": reading.notes, "arrays": files}))
        with contextlib.suppress(OSError):  # another job's entry is there: it is the same
            draft.rename(self.folder / key)
        self._shrink(key)

    def entries(self) -> list[CachedTable]:
        """The tables in the cache, last used first."""
        entries = [_entry(folder) for folder in self.folder.glob("*") if not is_temporary(folder.name)]
        return sorted((entry for entry in entries if entry is not None), key=lambda entry: -entry.used)

    def clear(self) -> int:
        """Remove all entries, and what dead jobs left; the number of entries."""
        entries = self.entries()
        for entry in entries:
            _remove(entry.folder)
        remove_abandoned(self.folder.glob(".*"))
        remove_ended(self.folder)
        return len(entries)

    def _shrink(self, newest: str) -> None:
        """Remove the entries used longest ago while there is too much; never the newest."""
        remove_abandoned(self.folder.glob(".*"))
        total = 0
        for entry in self.entries():
            total += entry.size
            if total > self.limit and entry.folder.name != newest:
                log.info("%s leaves the cache, which may hold %.3g GB", entry.holds, self.limit / 1e9)
                _remove(entry.folder)


def check_cache_size(gigabytes: float) -> None:
    """ValueError where a loader's cache_gb can hold nothing."""
    if not gigabytes > 0:
        raise ValueError(f"cache_gb must be above 0, not {gigabytes:g}; cache=false keeps nothing")


def open_cache(chosen: bool | str, gigabytes: float) -> Cache | None:
    """The cache as a loader's settings say: in the user's own folder (true), in another, or none (false)."""
    if not chosen:
        return None
    return Cache(cache_folder(None if isinstance(chosen, bool) else chosen), int(gigabytes * 1e9))


class UnwritableError(OSError):
    """A folder of the cache cannot be written, which is no fault of the data."""


@contextlib.contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """An OSError in here as one of this folder."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(f"{folder}: {error.strerror or error}") from error


class Reading(NamedTuple):
    """What was read: arrays, what is to be noted of them in plain data, and whether they may be kept."""

    arrays: dict[str, NDArray[Any]]
    notes: Any
    keep: bool = True


def read_through(
    cache: Cache | None, content: Callable[[], Any], holds: str, read: Callable[[Path | None], Reading]
) -> Reading:
    """The table that the cache holds for this content; a table that it lacks is read, and then stored there.

    content  all that the reading depends on, in plain data; None where that cannot be said
    read     may leave its arrays as files 0.bin, 1.bin... in the folder it is given
    """
    dependencies = content() if cache else None
    if cache is None or dependencies is None:
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
    """Read a table, and store it where it is still what it was when the reading began."""
    with cache.draft(key) as draft:
        reading = read(draft)
        if reading.keep and content() == dependencies:
            cache.keep(key, draft, reading, holds)
        return reading


def content_hash(content: Any) -> str:
    """A hash of all that a table depends on, in plain data, and of the version of hepclf."""
    text = json.dumps([FORMAT, version("hepclf"), content], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def cache_folder(chosen: str | None = None) -> Path:
    """The folder of the cache: the one chosen, or else the user's own."""
    if chosen is not None:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hepclf"


def _array(path: Path, file: Mapping[str, Any]) -> NDArray[Any]:
    """The array in a file, or an error where its size is another than it was; maps of nothing cannot be."""
    dtype, shape = np.dtype(str(file["dtype"])), tuple(int(length) for length in file["shape"])
    if dtype.hasobject:
        raise ValueError(f"{path.name} cannot hold {dtype}")
    expected, size = dtype.itemsize * int(np.prod(shape)), path.stat().st_size
    if size != expected:
        raise ValueError(f"{path.name} holds {size} bytes and not {expected}")
    return np.memmap(path, dtype=dtype, mode="r", shape=shape) if size else np.empty(shape, dtype=dtype)


def _entry(folder: Path) -> CachedTable | None:
    try:
        head, size = folder / HEAD, folder_size(folder)
        return CachedTable(folder, size, head.stat().st_mtime, str(json.loads(head.read_text())["holds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not an entry, or another job removed it just now


def _remove(folder: Path) -> None:
    """Out of sight at once, so that no other job finds half of it; maps of its files stay valid."""
    trash = temporary_path(folder)
    with contextlib.suppress(OSError):
        folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
