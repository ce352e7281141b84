"""Lock: one process holds a run's folder; the lock of a lost process is taken over.

`lock` is a folder with one file, named by the token of the holder. A new `lock` is renamed to its place, which fails
if there is one. The lock of a lost process is taken over by renaming its file; of several processes exactly one can.
Both also work on network file systems, where flock does not.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from hepclf import heartbeat
from hepclf.files import remove_abandoned, temporary_path
from hepclf.holder import Holder, current, is_alive

LOCK = "lock"
OWN_PLACES = ("tagger", "checkpoint", "plots")  # of a run's folder, where only the holder of its lock writes


class FolderInUseError(OSError):
    """A living process holds the folder."""


class LockLostError(OSError):
    """Another process holds the folder that was ours."""


@dataclass(frozen=True)
class Lock:
    """Our hold on a run's folder."""

    folder: Path
    holder: Holder

    @property
    def path(self) -> Path:
        """The file that names us."""
        return self.folder / LOCK / self.holder.token

    def is_ours(self) -> bool:
        """Whether the folder is still ours; a touch asks the file server itself and not its cache."""
        try:
            os.utime(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # a server in trouble has given the folder to nobody
            return True
        return True

    def check(self) -> None:
        """Stop if another process has taken the folder."""
        if not self.is_ours():
            names = [str(entry.holder) for entry in entries(self.folder) if entry.holder]
            successor = names[0] if names else "another process"
            raise LockLostError(
                f"{successor} has taken over {self.folder}, because this process was silent for more than "
                f"{heartbeat.LOST_S / 60:g} minutes or its lock was removed; this process ends and writes nothing more"
            )

    def release(self) -> None:
        """Release the folder; a lock that is no longer ours stays unchanged."""
        with suppress(OSError):  # what stays is the lock of a process that has ended, which the next one takes over
            if self.is_ours():
                (self.folder / heartbeat.NAME).unlink(missing_ok=True)
                self.path.unlink()
                (self.folder / LOCK).rmdir()

    def _create(self) -> bool:
        """Create our lock if there is none."""
        self._temporary.mkdir()
        try:
            (self._temporary / self.holder.token).write_text(self._text())
            with suppress(OSError):
                (self.folder / LOCK).rmdir()  # an empty one, to which Windows renames nothing
            self._temporary.rename(self.folder / LOCK)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                return False
            raise
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)
        return True

    def _take(self, path: Path) -> bool:
        """Take over the lock of a lost process; of several processes that try, exactly one succeeds."""
        try:
            os.utime(path)  # for a moment it bears our token but describes the lost holder: it must look alive
            path.rename(self.path)
        except FileNotFoundError:
            return False
        try:
            self._temporary.write_text(self._text())
            self._temporary.replace(self.path)
        except OSError:
            self.path.unlink(missing_ok=True)
            raise
        finally:
            self._temporary.unlink(missing_ok=True)
        is_alone = [entry.path for entry in entries(self.folder)] == [self.path]
        if not is_alone:  # it slept between the two steps and was taken for lost, or there is another damaged file
            self.path.unlink(missing_ok=True)
        return is_alone

    @property
    def _temporary(self) -> Path:
        return temporary_path(self.folder / LOCK, self.holder.token)

    def _text(self) -> str:
        return json.dumps(asdict(self.holder), indent=2) + "\n"


class Entry(NamedTuple):
    """A file in a lock and the holder in it; None if it is damaged, or is just being taken over."""

    path: Path
    holder: Holder | None

    def is_held(self, ours: Holder) -> bool:
        """Whether its process lives; for an unknown process, whether lock or heartbeat were touched recently."""
        silence_s = heartbeat.silence_s(self.path.parent.parent, self.path)
        if self.holder is None:
            return silence_s < heartbeat.LOST_S
        return is_alive(self.holder, silence_s, ours)


def acquire(folder: Path) -> Lock:
    """Take the lock of a folder, also from a lost process; the lock of a living one raises an error."""
    lock = Lock(folder, current())
    while not lock._create():
        found = entries(folder)
        if living := [entry for entry in found if entry.is_held(lock.holder)]:
            raise FolderInUseError(_in_use(folder, living[0].holder))
        if found and lock._take(found[0].path):
            break
    (folder / heartbeat.NAME).touch()
    return lock


def living_entry(folder: Path) -> Entry | None:
    """The entry of the living process that holds a folder, if there is one."""
    ours = current()
    return next((entry for entry in entries(folder) if entry.is_held(ours)), None)


def entries(folder: Path) -> list[Entry]:
    """The files in the lock of a folder; more than one only for a moment."""
    try:
        paths = sorted((folder / LOCK).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Entry(path, _read(path)) for path in paths]


def clean(folder: Path, leftovers: Iterable[Path]) -> list[Path]:
    """Remove the temporary files of dead processes from a folder whose lock we hold; returns what was removed.

    If only the holder of the lock writes, they belong to a dead one, whatever else is known about it.
    """

    def is_ours(path: Path) -> bool:
        return path.parent == folder or path.relative_to(folder).parts[0] in OWN_PLACES

    asking = f".{LOCK}."  # another process is asking for the lock at this moment
    others = (path for path in leftovers if path.parent != folder or not path.name.startswith(asking))
    return remove_abandoned(others, is_ours)


def _read(path: Path) -> Holder | None:
    try:
        holder = Holder.parse(path.read_text(errors="replace"))
    except (OSError, ValueError):
        return None
    return holder if holder.token == path.name else None


def _in_use(folder: Path, holder: Holder | None) -> str:
    if holder is None:
        minutes = f"{heartbeat.LOST_S / 60:g} minutes"
        reason = f"its lock changed less than {minutes} ago"
        return f"{folder} is in use by an unknown process: {reason}; try again in {minutes}"
    return f"{folder} is in use by {holder} since {holder.since}; wait for its end, or stop it"
