"""Holder: the process that holds a run's folder, and whether that process is still alive."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from hepclf.files import PROC, boot_id, from_json, pid_namespace
from hepclf.heartbeat import LOST_S

ENDED = "ZX"  # states of a process that has ended, and that its parent has not yet asked about


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process on a machine, with what distinguishes it from a later process of the same number.

    boot_id, pid_namespace   process numbers are unique in one boot of one machine, and in one container
    process_started          in clock ticks since the boot on Linux, otherwise a date; empty if unknown
    job_id, job_restarts     of the batch system; a requeued job keeps its id
    token                    random, and new each time that a folder is taken
    """

    host: str
    pid: int
    process_started: str
    boot_id: str
    pid_namespace: str
    job_id: str | None
    job_restarts: int
    token: str
    since: str

    @classmethod
    def parse(cls, text: str) -> Holder:
        """The holder in a JSON record; a ValueError if the record is damaged."""
        try:
            record = from_json(text)
        except ValueError as error:
            raise ValueError(f"the record of a process cannot be read: {error}") from error
        types: dict[str, Any] = {"pid": int, "job_restarts": int, "job_id": str | None}
        names = [field.name for field in fields(cls)]
        if not isinstance(record, dict) or set(record) != set(names):
            raise ValueError("the record of a process is incomplete")
        if wrong := [name for name in names if not isinstance(record[name], types.get(name, str))]:
            raise ValueError(f"the record of a process has no valid {wrong[0]}")
        return cls(**record)

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that a run records about its process."""
        return {name: value for name, value in asdict(self).items() if name not in ("token", "since")}

    def __str__(self) -> str:
        text = f"process {self.pid} on {self.host}"
        return f"{text}, job {self.job_id}" if self.job_id else text


def current() -> Holder:
    """This process, with a new token."""
    pid = os.getpid()
    return Holder(
        host=socket.gethostname(),
        pid=pid,
        process_started=process_started(pid) or "",
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        job_id=job_id(),
        job_restarts=_number(os.environ.get("SLURM_RESTART_COUNT", "")),
        token=secrets.token_hex(4),
        since=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def is_alive(holder: Holder, silence_s: float, ours: Holder) -> bool:
    """Whether a process lives: known if `ours` sees it, otherwise guessed from how long its heartbeat is silent.

    A batch system starts a job again only after its end, so a process of an earlier start of our job has ended.
    """
    if ours.job_id and holder.job_id == ours.job_id and holder.job_restarts < ours.job_restarts:
        return False
    if _sees(ours, holder) and (started := process_started(holder.pid)) is not None:
        return started == holder.process_started
    return silence_s < LOST_S


def _sees(ours: Holder, holder: Holder) -> bool:
    """Whether the holder's number means the same process to us: one boot of one machine, one container.

    Two machines may have the same name, so another boot does not prove that the holder has ended.
    """
    places = [(process.host, process.boot_id, process.pid_namespace) for process in (ours, holder)]
    return places[0] == places[1] and holder.process_started != ""


def process_started(pid: int) -> str | None:
    """When a process started; empty if there is no such process, None if that cannot be known."""
    if os.name == "nt":
        return None
    if not (PROC / "self/stat").exists():
        return _started_by_ps(pid)
    try:
        # The name of the program stands in brackets and may hold any character.
        state, *numbers = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if _exists(pid) else ""
    except (OSError, ValueError):
        return None
    return "" if state in ENDED else numbers[18]


def _started_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    try:
        # The date is written in the language and the time zone of the environment.
        environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
        process = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    state, _, started = process.stdout.strip().partition(" ")
    return "" if state[:1] in ENDED else " ".join(started.split())


def _exists(pid: int) -> bool:
    """Whether there is a process; some machines hide those of others in /proc."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def job_id() -> str | None:
    """The id of the batch job that this process belongs to, as SLURM, HTCondor, PBS or LSF write it."""
    names = os.environ
    if array := names.get("SLURM_ARRAY_JOB_ID"):
        return f"{array}_{names.get('SLURM_ARRAY_TASK_ID', '0')}"
    if job := names.get("SLURM_JOB_ID") or names.get("PBS_JOBID"):
        return job
    if job := names.get("LSB_JOBID"):
        index = names.get("LSB_JOBINDEX", "0")
        return job if index == "0" else f"{job}[{index}]"
    if path := names.get("_CONDOR_JOB_AD"):
        return _condor_job_id(path)
    return None


def _condor_job_id(path: str) -> str | None:
    """HTCondor writes the properties of a job into a file, one line `Name = value` each."""
    lines = (line.partition("=") for line in _text(Path(path)).splitlines())
    properties = {name.strip(): value.strip() for name, _, value in lines}
    cluster, process = properties.get("ClusterId"), properties.get("ProcId")
    if not cluster or not process:
        return None
    return f"{cluster}.{process}"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
