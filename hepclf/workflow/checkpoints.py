"""When a training stores its state and stops, and how it resumes."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from typing import Any

from hepclf.files import read_json, write_json
from hepclf.models.model import Fit
from hepclf.run import Run, Stopped
from hepclf.training.checkpoint import packed, read_checkpoint, unpacked, write_checkpoint
from hepclf.training.device import conditions
from hepclf.training.epoch import Epoch
from hepclf.training.ranks import Halt, group
from hepclf.words import typed_setting
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared
from hepclf.workflow.resume import events_digest, job_digest
from hepclf.workflow.stop import Stop

log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one run: call `edge` wherever its fit can be stopped.

    With several ranks, only rank 0 has a run and writes; the others stop where it does, and resume from what it reads.
    """

    def __init__(self, run: Run | None, job: Job, stop: Stop) -> None:
        self._run, self._job, self._stop = run, job, stop
        self._ranks = group()
        self._written = time.monotonic()

    def check(self, prepared: Prepared) -> None:
        """Refuse events other than those of the first start; their digest is stored beside the checkpoints."""
        digests = {"settings": job_digest(self._job), "data": events_digest(prepared)}
        first = self._ranks.spread_value(digests)
        if changed := [name for name, digest in digests.items() if first[name] != digest]:
            raise ValueError(
                f"{' and '.join(changed)} must be those of process 0 in all processes of a training, not others; "
                "say trainer.devices=1 for trainings of their own"
            )
        if self._run is not None:
            self._check_origin(self._run, digests)

    def _check_origin(self, run: Run, digests: Mapping[str, str]) -> None:
        origin = run.checkpoint / "origin.json"
        if not origin.is_file():
            run.checkpoint.mkdir(exist_ok=True)
            write_json(origin, digests)
            return
        try:
            before = read_json(origin)
            changed = [name for name, digest in digests.items() if before[name] != digest]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{origin} was changed and cannot be read; train in a new folder") from error
        if changed:
            raise ValueError(
                f"{run.folder} began with other {' and '.join(changed)}; restore them, or train in a new folder"
            )

    def restore(self, fit: Fit) -> list[Epoch]:
        """Restore a fresh fit from the newest checkpoint; returns the epochs before it."""
        state = None if self._run is None else read_checkpoint(self._run.checkpoint)
        if self._ranks.size > 1:
            state = unpacked(self._ranks.spread_bytes(packed({"checkpoint": state})))["checkpoint"]
        if state is None:
            return []
        _warn_of_rounding(state["conditions"], conditions(self._job.trainer.device))
        fit.restore(state["fit"])
        return [Epoch(int(row[0]), *row[1:]) for row in state["history"]]

    def edge(self, fit: Fit, history: list[Epoch]) -> None:
        """Write a checkpoint if one is due; write one and leave if the training must stop."""
        every_s = self._job.trainer.checkpoint_s
        if (halt := self._ranks.agree(self._halt)) is not None:
            self._leave_with(fit, history, halt)
        elif every_s is not None and time.monotonic() - self._written >= every_s:
            try:
                self._write(fit, history)
            except OSError as error:
                log.warning("no checkpoint could be written (%s); the training continues", error.strerror)

    @property
    def stop_reason(self) -> str | None:
        """Why the training must stop now; None if it continues."""
        limit_s = self._job.trainer.exit_after_s
        if limit_s is not None and self._stop.seconds >= limit_s:
            return f"trainer.exit_after_s={limit_s:g}"
        return self._stop.reason

    @property
    def _halt(self) -> Halt | None:
        if (reason := self.stop_reason) is None:
            return None
        return Halt(reason, is_stop=True, is_interrupt=self._stop.is_interrupt)

    def leave(self) -> None:
        """Leave between two stages, where there is nothing to store, if the training must stop."""
        if (halt := self._halt) is not None:
            raise self._stopped(f"stopped by {halt.reason}", halt)

    def remove(self) -> None:
        """Remove the checkpoints of a finished run."""
        if self._run is not None:
            shutil.rmtree(self._run.checkpoint, ignore_errors=True)

    def stop_error(self, moment: str) -> Stopped:
        """What to raise where a stop was requested and everything is stored; `moment` says how far the training is."""
        halt = self._halt or Halt("a request", is_stop=True)
        return self._stopped(f"stopped by {halt.reason}{moment}", halt)

    def _stopped(self, reason: str, halt: Halt) -> Stopped:
        setting = "resume=" if self._run is None else typed_setting("resume", self._run.folder)
        return Stopped(reason, f"continue with: hepclf train {setting}", is_interrupt=halt.is_interrupt)

    def _leave_with(self, fit: Fit, history: list[Epoch], halt: Halt) -> None:
        epochs = "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
        moment = f"stopped by {halt.reason} after {epochs}"
        try:
            is_stored = self._write(fit, history)
        except OSError as error:
            raise self._stopped(f"{moment}; no checkpoint could be written ({error.strerror})", halt) from error
        finally:
            self._ranks.wait()  # until it is written: a launcher ends all where the first one leaves
        if not is_stored:
            moment += "; this model has no checkpoints, so its training will start again"
        raise self._stopped(moment, halt)

    def _write(self, fit: Fit, history: list[Epoch]) -> bool:
        """Write a checkpoint, as rank 0; False if the fit has no state to store."""
        self._written = time.monotonic()
        if self._run is None:
            return True
        if self._run.lock is not None:
            self._run.lock.check()
        if (state := fit.state()) is None:
            return False
        contents: dict[str, Any] = {"history": [list(epoch) for epoch in history], "fit": state}
        write_checkpoint(self._run.checkpoint, {"conditions": conditions(self._job.trainer.device), **contents})
        return True


def _warn_of_rounding(before: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Warn of changes since the start with which the result differs in its last digits from an uninterrupted run."""
    if changed := [name for name in present if present[name] != before.get(name)]:
        log.warning(
            "the training continues with another %s: its result is no longer byte-equal to an uninterrupted one",
            " and ".join(changed),
        )
    elif present["device"].startswith("cuda"):
        log.warning("the training continues on a GPU, where sums differ by rounding: its result may not be byte-equal")
