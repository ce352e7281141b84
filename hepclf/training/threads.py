"""The number of threads that a training computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from hepclf.training.cores import cores


@contextmanager
def thread_limit(threads: int | None) -> Iterator[int]:
    """Let PyTorch, and the models that ask it, compute with this number of threads in the block; yields the number.

    null takes PyTorch's own number, but not more than the cores that this process may use.
    """
    before = torch.get_num_threads()
    count = min(before, cores()) if threads is None else threads
    _set(count)  # before the limit below, which holds in this thread alone and would pass for PyTorch's own number
    try:
        with threadpool_limits(threads):  # NumPy's too, where a number was chosen
            yield count
    finally:
        _set(before)


def library_limit() -> threadpool_limits:
    """In this block and thread, let a library with its own OpenMP use as many threads as PyTorch."""
    return threadpool_limits(torch.get_num_threads(), "openmp")


def _set(count: int) -> None:
    if count != torch.get_num_threads():  # setting a number ends the choice that MKL makes for each product
        torch.set_num_threads(count)
