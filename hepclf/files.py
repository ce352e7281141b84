"""Files that are written to a temporary file and moved, so that no reader sees half of one; YAML read safely."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

PART = ".part"
TEMPORARY = re.compile(rf"\..+\.(?P<place>[^.]*)\.(?P<process>\d+)\.[0-9a-f]+{re.escape(PART)}")
PROC = Path("/proc")
YAML_VALUE_ERRORS = (ValueError, KeyError, TypeError, AttributeError, OverflowError)  # of PyYAML, as for `!!bool x`
ABANDONED_S = 24 * 3600.0  # of silence, after which a process that cannot be seen counts as dead


@contextmanager
def atomic(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; if the block succeeds the file moves to `path`, otherwise it is removed.

    A durable file outlives a crash of the machine: the disk confirms the file before it moves, and then its folder.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        if durable:
            _sync(temporary, os.O_RDWR)
        temporary.replace(path)
        if durable and os.name != "nt":  # which opens no folders
            _sync(path.parent, os.O_RDONLY)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`, which the block may move; it is removed if it is still there at the end."""
    temporary = temporary_path(path)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def temporary_path(path: Path, token: str | None = None) -> Path:
    """A new path beside `path`, .NAME.PLACE.PROCESS.TOKEN.part; no other process on any machine gets the same one.

    tempfile is not used, as its files are for their owner alone, and members of a group read each other's runs.
    """
    return path.with_name(f".{path.name}.{_place()}.{os.getpid()}.{token or secrets.token_hex(4)}{PART}")


def leftovers(folder: Path) -> Iterator[Path]:
    """The temporary files and folders below a folder, of living and of dead processes."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files) if is_temporary(name))


def beside(path: Path) -> Iterator[Path]:
    """The temporary files and folders that processes write for this path."""
    return path.parent.glob(f".{escape(path.name)}.*{PART}")


def remove_abandoned(temporaries: Iterable[Path], is_ours: Callable[[Path], bool] | None = None) -> list[Path]:
    """Remove those temporary files and folders whose processes are dead; returns what was removed.

    is_ours  whether only this process, which holds a lock, can have written a path
    """
    removed = []
    for path in list(temporaries):
        if is_temporary(path.name) and ((is_ours is not None and is_ours(path)) or is_abandoned(path)):
            with suppress(OSError):  # it is gone, or belongs to another user
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                removed.append(path)
    return removed


def is_temporary(name: str) -> bool:
    """Whether a file or folder of this name is a temporary one."""
    return TEMPORARY.fullmatch(name) is not None


def is_abandoned(temporary: Path) -> bool:
    """Whether the process of a temporary file is dead; this is known if its number means the same process to us.

    For a process on another machine, in another boot or container it is a guess: nothing was written for a day, by the
    clock of the file server.
    """
    match = TEMPORARY.fullmatch(temporary.name)
    if match is None:
        return False
    if match["place"] == _place() and os.name != "nt":
        return not _is_alive(int(match["process"]))
    changed = _last_changed(temporary)
    return changed is not None and server_time(temporary.parent) - changed >= ABANDONED_S


def server_time(folder: Path) -> float:
    """The clock of the file server; that of this machine if the folder cannot be written."""
    probe = temporary_path(folder / "clock")
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with suppress(OSError):
            probe.unlink()


def _last_changed(path: Path) -> float | None:
    """When a file, or the newest file in a folder, was last changed; None if there is none."""
    times = []
    for inner in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            times.append(inner.lstat().st_mtime)
    return max(times, default=None)


def _is_alive(process: int) -> bool:
    try:
        with suppress(PermissionError):  # another user's process, which is alive
            os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    return True


def boot_id() -> str:
    """The id of this boot; empty if the system has none (macOS, Windows)."""
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text(errors="replace").strip()
    return ""


def pid_namespace() -> str:
    """The namespace in which the container numbers its processes; empty if there is none."""
    with suppress(OSError):
        return str((PROC / "self/ns/pid").readlink())
    return ""


def _place() -> str:
    """A name for this machine in this boot, and for this container: two containers may have one host name."""
    digest = hashlib.blake2b(f"{boot_id()} {pid_namespace()}".encode(), digest_size=4).hexdigest()
    return f"{socket.gethostname().replace('.', '-')}-{digest}"


def _sync(path: Path, flags: int) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot do this
            raise
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write to a temporary file beside `path` and move it there, so that a reader never sees half a file."""
    with atomic(path, durable=durable) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """UTF-8. A byte of a path that is not UTF-8, which Python keeps as a lone surrogate, is written as its escape."""
    write_bytes(path, text.encode(errors="backslashreplace"), durable=durable)


def write_json(path: Path, contents: Any, *, durable: bool = False) -> None:
    """JSON in the strict standard: NaN and infinity are refused."""
    write_text(path, json.dumps(contents, indent=2, allow_nan=False) + "\n", durable=durable)


def from_json(text: str | bytes) -> Any:
    """The contents of a JSON text; one that is nested too deeply is a ValueError, as any other that cannot be read."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_json(path: Path) -> Any:
    """The contents of a JSON file; the error of a damaged one names it."""
    try:
        return from_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def write_yaml(path: Path, contents: Any, *, comment: str = "", durable: bool = False) -> None:
    """YAML in the order given, below the lines of a comment."""
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    write_text(path, head + yaml_text(contents), durable=durable)


def yaml_text(contents: Any) -> str:
    """YAML in the order given."""
    import yaml

    text: str = yaml.safe_dump(contents, sort_keys=False, width=100, allow_unicode=True)
    return text


def read_yaml(path: Path) -> dict[str, Any]:
    """YAML (or JSON) read safely: no objects, and no aliases, with which a few lines could hold a billion values."""
    import yaml

    class SafeLoader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("it holds aliases")
            return super().compose_node(parent, index)

    try:
        contents = yaml.load(path.read_text(encoding="utf-8"), SafeLoader)
    except RecursionError as error:
        raise ValueError(f"{path} cannot be read: it is nested too deeply") from error
    except (yaml.YAMLError, *YAML_VALUE_ERRORS) as error:
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(contents, Mapping):
        raise ValueError(f"{path} must hold a mapping of settings, not {type(contents).__name__}")
    return dict(contents)


def holds_aliases(text: bytes) -> bool:
    """Whether YAML holds aliases; what is no YAML holds none, and its reader says so."""
    import yaml

    if b"*" not in text:
        return False
    try:
        return any(isinstance(event, yaml.events.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader))
    except yaml.YAMLError:
        return False


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], *, durable: bool = False) -> None:
    """A header and its rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue(), durable=durable)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder and in those below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
