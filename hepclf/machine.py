"""Where the number of a process means the same process: one boot of a machine, and one container on it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def boot_id() -> str:
    """The id of this boot; empty where the system tells none (macOS, Windows)."""
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text(errors="replace").strip()
    return ""


def pid_namespace() -> str:
    """The container's own numbering of processes; empty where there is none."""
    with suppress(OSError):
        return str((PROC / "self/ns/pid").readlink())
    return ""
