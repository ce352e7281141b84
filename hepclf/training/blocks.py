"""Blocks of rows that fit the memory of a device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from hepclf.training.memory import DeviceMemoryError, is_out_of_memory

LEAST = 32  # rows; fewer do not help, as what then fills the memory is something else
GIB = 1 << 30

log = logging.getLogger(__name__)


class Blocks:
    """A number of rows at once, halved each time that they do not fit the memory; the smaller number stays.

    A value computed for each row alone does not depend on this number, except by rounding if the device has another
    kernel for fewer rows.
    """

    def __init__(self, rows: int) -> None:
        self.rows, self._first = rows, rows
        self._is_told = False

    def values(self, count: int, value: Callable[[slice], Tensor], device: torch.device) -> Iterator[Tensor]:
        """The value of each block of `count` rows, in their order."""
        start = 0
        while start < count:
            block = slice(start, min(start + self.rows, count))
            result = self._attempt(block, value, device)
            if result is None:
                release(device)
                continue
            self._warn(device)
            yield result
            start = block.stop

    def _attempt(self, block: slice, value: Callable[[slice], Tensor], device: torch.device) -> Tensor | None:
        """The value of a block; None if it does not fit, and then blocks are smaller from now on."""
        size = block.stop - block.start
        try:
            return value(block)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if size <= LEAST:
                raise DeviceMemoryError(
                    shortage(f"the network, for {size} events,", device, "a smaller one")
                ) from error
        self.rows = min(self.rows, max(LEAST, size // 2))
        return None

    def _warn(self, device: torch.device) -> None:
        if self.rows < self._first and not self._is_told:
            self._is_told = True
            log.warning("%s is short of memory: events are scored %d at a time, not %d", device, self.rows, self._first)


def largest_fitting(rows: int, fits: Callable[[int], bool], device: torch.device) -> int | None:
    """The first of rows/2, rows/4... that fits the memory in a trial; None if not even 32 do."""
    while rows > LEAST:
        rows = max(LEAST, rows // 2)
        release(device)
        if fits(rows):
            return rows
    return None


def shortage(subject: str, device: torch.device, remedies: str) -> str:
    """The message that something (in the singular) does not fit."""
    return f"{subject} needs more memory than {limit(device)}; use {remedies} or {alternative(device)}"


def limit(device: torch.device) -> str:
    """The device whose memory is short, and how much of it is in use, if known."""
    if device.type != "cuda":
        return "this machine grants"
    free, total = torch.cuda.mem_get_info(device)
    return f"{device} has ({(total - free) / GIB:.1f} of {total / GIB:.1f} GiB in use)"


def alternative(device: torch.device) -> str:
    """Another place to compute."""
    return "the cpu" if device.type == "cuda" else "a machine with more memory"


def release(device: torch.device) -> None:
    """Give back the memory that PyTorch keeps for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
