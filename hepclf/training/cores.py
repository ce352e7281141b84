"""The cores that this process may use: those it is granted, whatever the load of the machine. No PyTorch here."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

SYSTEM = Path("/")  # what holds /proc and /sys


def cores(system: Path = SYSTEM, variables: Mapping[str, str] = os.environ) -> int:
    """The minimum of the affinity mask, the cgroups' quota (rounded up) and OMP_NUM_THREADS; at least 1."""
    return min(granted(system), _requested(variables) or granted(system))


def granted(system: Path = SYSTEM) -> int:
    """The minimum of the affinity mask and the cgroups' quota, rounded up."""
    return max(1, min([affinity(), *(math.ceil(quota) for quota in _quotas(system))]))


def affinity() -> int:
    """The cores of the affinity mask; all of the machine if the system has none (macOS)."""
    mask = getattr(os, "sched_getaffinity", None)
    return len(mask(0)) if mask else os.cpu_count() or 1


def _requested(variables: Mapping[str, str]) -> int | None:
    """OMP_NUM_THREADS, of a list (one number per level) the first; anything else is ignored, as in OpenMP."""
    first = variables.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    count = int(first) if first.isdecimal() else 0
    return count or None


def _quotas(system: Path) -> Iterator[float]:
    """The quota in cores of each cgroup that contains this process."""
    for folder in _cgroups(system):
        if maximum := _words(folder / "cpu.max"):  # v2: "max 100000" or "150000 100000"
            quota, period = (*maximum, "100000")[:2]
        else:
            quota = "".join(_words(folder / "cpu.cfs_quota_us"))  # v1: -1 is none
            period = "".join(_words(folder / "cpu.cfs_period_us"))
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield int(quota) / int(period)


def _cgroups(system: Path) -> Iterator[Path]:
    """The folders of this process's cgroups and of their parents, for v2 and for v1's cpu controller."""
    for line in _lines(system / "proc/self/cgroup"):
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        inner = PurePosixPath(path.lstrip("/"))
        for mount in _mounts(controllers.split(",")):  # a container may see its host's path, of which the root is left
            yield from (system / "sys/fs/cgroup" / mount / part for part in (inner, *inner.parents))


def _mounts(controllers: list[str]) -> tuple[str, ...]:
    if controllers == [""]:
        return "", "unified"  # v2, alone or beside v1
    if "cpu" not in controllers:
        return ()
    return "cpu", "cpu,cpuacct", "cpuacct,cpu"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()
