"""Signals: which of them request that a training stops, and the exit code that follows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hepclf.workflow.stop import Stop

NAMES = ("SIGTERM", "SIGUSR1", "SIGHUP", "SIGINT")
NOTE = b"\nhepclf: stopping at the next checkpoint; press Ctrl-C again to leave at once\n"


class Quit(KeyboardInterrupt):
    """SIGQUIT: leave at once."""


@contextmanager
def signalled(stop: Stop) -> Iterator[None]:
    """While the block runs, signals request a stop; a second Ctrl-C, and SIGQUIT, leave at once.

    A handler only notes the reason. A signal that the caller has switched off, as nohup does with SIGHUP, stays off.
    Outside the main thread, where Python has no signals, nothing changes.
    """

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.write(2, NOTE)
        stop.ask(signal.Signals(number).name, is_interrupt=number == signal.SIGINT)

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise Quit("left at once (SIGQUIT); what was written so far is whole")

    handlers = {getattr(signal, name): ask for name in NAMES if hasattr(signal, name)}
    if hasattr(signal, "SIGQUIT"):
        handlers[signal.SIGQUIT] = leave
    handlers = {number: act for number, act in handlers.items() if signal.getsignal(number) != signal.SIG_IGN}
    try:
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
