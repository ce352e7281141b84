"""The lock of a study's journal: a symbolic link with the name of its holder, which a file system creates only once."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from hepclf.holder import Holder, current, is_alive

GRACE_S = 30.0  # seconds for which a holder may be silent
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.001, 0.05


class JournalLock:
    """A lock for an append. With Optuna's own lock, a suspended holder could release the lock of its successor.

    The lock of a killed process on this machine is taken over at once, that of another machine after `grace_s` seconds.
    """

    def __init__(self, path: Path, grace_s: float = GRACE_S) -> None:
        self._path, self._grace_s = path, grace_s
        self._holder = current()
        self._text = json.dumps(asdict(self._holder))

    def acquire(self) -> None:
        """Wait for the lock."""
        holder, since, pause_s = "", time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                self._path.symlink_to(self._text)
            except FileExistsError:
                if (present := self._present()) != holder:
                    holder, since = present, time.monotonic()
                if holder and (self._has_died(holder) or time.monotonic() - since > self._grace_s):
                    self._remove(holder)
                    continue
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                return

    def is_ours(self) -> bool:
        """Whether this process still has the lock."""
        return self._present() == self._text

    def release(self) -> None:
        """Release the lock; the lock of a successor is kept."""
        if self.is_ours():
            self._remove(self._text)

    def _present(self) -> str:
        """The text of the present holder; empty where there is none."""
        try:
            return os.readlink(self._path)  # noqa: PTH115  # a Path would change the text
        except OSError:
            return ""

    def _has_died(self, text: str) -> bool:
        try:
            return not is_alive(Holder.parse(text), 0.0, self._holder)
        except ValueError:  # the lock of another program, such as Optuna's dashboard
            return False

    def _remove(self, text: str) -> None:
        """Remove the lock of this holder; the lock of another holder, taken in between, is put back."""
        aside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.rename(aside)
        except FileNotFoundError:
            return
        try:
            if os.readlink(aside) != text:  # noqa: PTH115
                with suppress(FileExistsError):
                    os.link(aside, self._path, follow_symlinks=False)
        finally:
            aside.unlink()
