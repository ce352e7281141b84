"""Errors of memory that ran out: recognised, and explained in one line. No PyTorch here."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What PyTorch says on a GPU, on a processor (Linux; macOS and Windows), and where cuBLAS or cuDNN find no room.
TEXTS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


class DeviceMemoryError(MemoryError):
    """A table, a network or a batch does not fit the memory; the text names the way out."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; on a processor, PyTorch has no class for it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in TEXTS)


@contextmanager
def explained(text: Callable[[], str]) -> Iterator[None]:
    """An error of memory in the block becomes one with this text, which may try what would fit.

    The variables of the functions that failed are cleared first, as they hold the tensors that filled the memory.
    """
    try:
        yield
    except DeviceMemoryError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)
        raise DeviceMemoryError(text()) from error
