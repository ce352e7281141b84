"""The number of threads for scoring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hepclf.training.threads import thread_limit


@contextmanager
def scoring_threads() -> Iterator[int]:
    """Limit PyTorch in this block to the cores of this process, as in training; yields their number."""
    with thread_limit(None) as threads:
        yield threads
