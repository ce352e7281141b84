"""Status: the state of a run, from its folder alone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hepclf import heartbeat
from hepclf.lock import living_entry

Name = Literal["running", "finished", "failed", "stopped", "lost", "unknown"]


class Status(NamedTuple):
    """The state of a run, since when, and the reason: an error, that of a stop, or the process of a running one.

    lost      its process ended without a record: it was killed, or its machine stopped
    unknown   the folder has no record
    """

    name: Name
    since: str | None = None
    reason: str | None = None

    def __str__(self) -> str:
        time = self.since or "an unknown time"
        match self.name:
            case "running":
                return f"runs since {time} ({self.reason})"
            case "lost":
                return f"was killed; it was last alive at {time}"
            case "unknown":
                return "left no record of its status"
            case "finished":
                return f"finished at {time}"
        moment = f" at {self.since}" if self.since else ""
        return f"{self.name}{moment}: {self.reason or 'its error is not known'}"

    @property
    def way_out(self) -> str:
        """The advice for a run that lacks something."""
        if self.name in ("stopped", "lost"):
            return "continue it with hepclf train resume=DIR"
        if self.name == "running":
            return "wait for its end"
        return "train it again"


def read_status(folder: Path, record: Path) -> Status:
    """The status from the record in a run's folder, its lock and its heartbeat."""
    contents = _contents(record)
    match contents.get("status"):
        case "finished" | "failed" | "stopped" as name:
            return Status(name, contents.get("finished"), contents.get("error"))
    if entry := living_entry(folder):
        since = entry.holder.since if entry.holder else None
        return Status("running", since, str(entry.holder or "an unknown process"))
    if not record.exists():
        return Status("unknown")
    touched = heartbeat.last_touched(folder / heartbeat.NAME)
    if touched is None:
        return Status("lost", contents.get("started"))
    return Status("lost", _date(touched))


def first_start(record: Path) -> str | None:
    """When the process started that first trained a run; None if there is no record."""
    started = _contents(record).get("started")
    return started if isinstance(started, str) else None


def _contents(record: Path) -> dict[str, Any]:
    """The record; empty if it is missing or damaged, as after a full disk or a kill."""
    try:
        contents = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return contents if isinstance(contents, dict) else {}


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
