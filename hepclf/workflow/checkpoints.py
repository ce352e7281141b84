"""When a training stores its state and stops, and how it goes on from there."""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.models.model import Fit
from hepclf.run import Run, Stopped
from hepclf.training.checkpoint import read_checkpoint, write_checkpoint
from hepclf.training.device import conditions
from hepclf.training.epoch import Epoch
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.stop import Stop

FREE = {"trainer": ("device", "threads", "checkpoint_s", "exit_after_s")}  # what may differ when a run goes on
SAMPLE = 1000  # events whose features are in the digest of the data

log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one run: call `edge` at each place where its fit can be stopped.

    guard  is called before each write, and raises where another process has taken the run over
    """

    def __init__(self, run: Run, job: Job, stop: Stop, guard: Callable[[], None] | None = None) -> None:
        self._run, self._job, self._stop, self._guard = run, job, stop, guard
        self._last = time.monotonic()
        self._data = ""

    @property
    def folder(self) -> Path:
        """Where they lie, while the run lasts."""
        return self._run.folder / "checkpoint"

    def restore(self, fit: Fit, prepared: Prepared) -> list[Epoch]:
        """Let a fresh fit go on from the newest checkpoint; the epochs that it has behind it."""
        self._data = events_digest(prepared)
        state = read_checkpoint(self.folder)
        if state is None:
            return []
        if state["job"] != job_digest(self._job) or state["data"] != self._data:
            changed = "settings" if state["job"] != job_digest(self._job) else "data"
            raise ValueError(
                f"the checkpoint in {self.folder} belongs to other {changed}; restore them, or train in a new folder"
            )
        if (present := conditions(self._job.trainer.device)) != state["conditions"]:
            names = [name for name in present if present[name] != state["conditions"].get(name)]
            log.warning(
                "the training continues with another %s: its result is equal to that of an undisturbed one to rounding",
                " and ".join(names),
            )
        fit.restore(state["fit"])
        return [Epoch(int(row[0]), *row[1:]) for row in state["history"]]

    def edge(self, fit: Fit, history: list[Epoch]) -> None:
        """Write a checkpoint where one is due, or where the training is to stop; then leave."""
        every_s, reason = self._job.trainer.checkpoint_s, self._stop.reason
        due = every_s is not None and time.monotonic() - self._last >= every_s
        stored = self._write(fit, history) if due or reason else False
        if reason:
            moment = f" after {len(history)} epoch{'s' if len(history) != 1 else ''}"
            raise Stopped(self._farewell(reason + moment, stored=stored))

    def leave(self) -> None:
        """Stop between two stages, where nothing is left to store, if that is asked for."""
        if reason := self._stop.reason:
            raise Stopped(self._farewell(reason, stored=True))

    def remove(self) -> None:
        """The run is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, fit: Fit, history: list[Epoch]) -> bool:
        """Write a checkpoint; False where the fit has no state, or the disk no room: the previous one then stays."""
        if self._guard is not None:
            self._guard()
        self._last = time.monotonic()
        if (state := fit.state()) is None:
            return False
        facts = {"job": job_digest(self._job), "data": self._data, "conditions": conditions(self._job.trainer.device)}
        try:
            write_checkpoint(self.folder, {**facts, "history": [list(epoch) for epoch in history], "fit": state})
        except OSError as error:
            log.warning("no checkpoint could be written to %s (%s); the training goes on", self.folder, error.strerror)
            return False
        return True

    def _farewell(self, reason: str, *, stored: bool) -> str:
        where = "" if stored else "; there is no checkpoint, the training will start again"
        return f"stopped by {reason}{where}; continue with: hepclf train resume={shlex.quote(str(self._run.folder))}"


def difference(stored: Mapping[str, Any], job: Job) -> str | None:
    """The first setting in which a job differs from the stored configuration of its run; None where none counts."""
    before, now = _flat(_decisive(stored)), _flat(_decisive(job.describe()))
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            return f"{name} was {before.get(name)!r} and is {now.get(name)!r} now"
    return None


def job_digest(job: Job) -> str:
    """A digest of all settings that decide the training."""
    text = json.dumps(_decisive(job.describe()), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def events_digest(prepared: Prepared) -> str:
    """A digest of the events: labels, weights and split of all, and the features of a thousand."""
    events, digest = prepared.events, hashlib.sha256()
    rows = np.unique(np.linspace(0, len(events) - 1, SAMPLE).astype(np.int64))
    for array in (events.labels, events.weights, prepared.split, np.asarray(events.features[rows])):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _decisive(description: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of data, model and trainer that may not change while a run lasts."""
    groups = {group: dict(description[group]) for group in ("data", "model", "trainer")}
    for group, names in FREE.items():
        for name in names:
            groups[group].pop(name, None)
    plain: dict[str, Any] = json.loads(json.dumps(groups, default=str))
    return plain


def _flat(settings: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(settings, dict) or not settings:
        return {path: settings}
    inner = ((f"{path}.{key}" if path else key, value) for key, value in settings.items())
    return {name: value for key, value in inner for name, value in _flat(value, key).items()}
