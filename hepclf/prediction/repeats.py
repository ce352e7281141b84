"""Repeats: a warning that differs from an earlier one only in its numbers is not shown again."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager


class _RepeatFilter(logging.Filter):
    """Lets each message pass once."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = re.sub(r"(?<=\s)\d[\d,.]*", "#", record.getMessage())
        is_new = text not in self._texts
        self._texts.add(text)
        return is_new


@contextmanager
def no_repeated_warnings(parent: str) -> Iterator[None]:
    """Within this block, each message of the loggers below `parent` is shown once, not for every block of a file."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith(f"{parent}.")]
    loggers = [logging.getLogger(name) for name in names]
    repeat_filter = _RepeatFilter()
    for logger in loggers:
        logger.addFilter(repeat_filter)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(repeat_filter)
