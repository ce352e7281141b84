"""Reading ahead: a thread prepares the next value while the present one is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(values: Iterator[T]) -> Iterator[T]:
    """The same values, each computed in a thread while the caller uses the one before; an error reaches the caller."""
    nothing = object()
    with ThreadPoolExecutor(1, "hepclf reads ahead") as thread:
        upcoming = thread.submit(next, values, nothing)
        while (value := upcoming.result()) is not nothing:
            upcoming = thread.submit(next, values, nothing)
            yield value  # type: ignore[misc]  # as it is not `nothing`, it is one of the values
