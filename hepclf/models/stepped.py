"""The training of a library that runs to its end by itself, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class _End:
    """The end of the work, with or without an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def stepped(work: Callable[[Callable[[T], bool]], None]) -> Iterator[T]:
    """The reports of `work`, step by step: it runs in a thread, and only while the caller waits for the next report.

    `work` receives a function that takes a report and returns whether to continue. When the caller leaves (closes or
    drops the iterator, or is interrupted), the answer is no, and the caller waits until the work has ended. An error
    in the work is raised where the caller waits.
    """
    answers: SimpleQueue[bool] = SimpleQueue()  # whether to go on
    reports: SimpleQueue[T | _End] = SimpleQueue()

    def report(value: T) -> bool:
        reports.put(value)
        going = answers.get()
        if not going:
            answers.put(False)  # should the work report once more
        return going

    def run() -> None:
        error = None
        try:
            if answers.get():
                work(report)
        except BaseException as raised:
            error = raised
        reports.put(_End(error))

    thread = Thread(target=run, name="hepclf training", daemon=True)
    thread.start()
    try:
        while True:
            answers.put(True)
            value = reports.get()
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            yield value
    finally:
        answers.put(False)
        thread.join()
