"""Memory of the processor that stays with a training between its steps."""

from __future__ import annotations

import torch

LARGEST = 31 << 20  # bytes: the C library of Linux learns from blocks below 32 MiB only


def keep_freed_memory() -> None:
    """Let the C library keep up to 62 MiB that a step frees, for the next step to use.

    By default it hands freed tensors back to the system, which then clears and maps them again, page by page: a fourth
    of a step of model=mlp. glibc keeps twice the largest block that was ever freed; this one is never touched, so it
    takes no memory. Other C libraries take no notice.
    """
    torch.empty(LARGEST, dtype=torch.uint8)
