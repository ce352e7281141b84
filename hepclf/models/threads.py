"""The threads that scoring computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hepclf.training.threads import thread_limit


@contextmanager
def scoring_threads() -> Iterator[int]:
    """Keep PyTorch to the cores that this process is granted in the block, as a training does; gives their number."""
    with thread_limit(None) as threads:
        yield threads
