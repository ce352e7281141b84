"""Errors of exhausted memory: recognised, and explained in one line. No PyTorch here."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# PyTorch's messages on a GPU and on a CPU (Linux; macOS and Windows), and those of cuBLAS and cuDNN without memory.
TEXTS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


class DeviceMemoryError(MemoryError):
    """A table, a network or a batch does not fit the memory; the text names the way out."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is exhausted; PyTorch has no class for it on a CPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in TEXTS)


@contextmanager
def explained(text: Callable[[], str]) -> Iterator[None]:
    """A memory error in this block becomes one with this text, whose computation may try what would fit.

    The variables of the failed functions are cleared first, because they hold the tensors that filled the memory.
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
