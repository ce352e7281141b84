"""Random numbers that depend on seeds alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(device: torch.device, *seeds: int) -> Iterator[None]:
    """Random numbers in this block depend only on these seeds; the caller's random state is restored afterwards.

    PyTorch's generators belong to the process: two trainings in threads of one process share them.
    """
    # SeedSequence keeps neighbouring seeds apart; PyTorch takes a signed number, so one bit is dropped.
    mixed = int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> np.uint64(1))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(mixed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(mixed)
        yield
