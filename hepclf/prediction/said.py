"""Said once: a warning that differs from an earlier one in its numbers alone is not repeated."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager


class _Once(logging.Filter):
    """Lets each message by once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = re.sub(r"(?<=\s)\d[\d,.]*", "#", record.getMessage())
        new = text not in self._seen
        self._seen.add(text)
        return new


@contextmanager
def said_once(name: str) -> Iterator[None]:
    """What the loggers below this name say in here is said once, though it is said of each block of a file."""
    loggers = [logging.getLogger(other) for other in logging.root.manager.loggerDict if other.startswith(f"{name}.")]
    once = _Once()
    for logger in loggers:
        logger.addFilter(once)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(once)
