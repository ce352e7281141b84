"""Where the rows of a table live during a training."""

from __future__ import annotations

from typing import Literal

import torch

from hepclf import disk

Residency = Literal["auto", "device", "pinned", "disk"]

SHARE = 2  # a table that needs more than 1/SHARE of a GPU's free memory stays in the memory of the machine
GB = 1e9


def place(residency: Residency, size: int, device: torch.device, *, is_on_disk: bool) -> Residency:
    """Where a table of this many bytes lives: device, pinned or disk. A place that does not exist is refused.

    is_on_disk  whether the loader left the table on disk, because it is large beside the memory
    """
    if residency == "pinned" and device.type != "cuda":
        raise ValueError(
            "trainer.residency must be auto, device or disk on the processor, not pinned: its memory is the device's"
        )
    if residency in ("device", "pinned") and size > disk.memory():
        raise ValueError(
            f"trainer.residency must be auto or disk for a table of {size / GB:.3g} GB, not {residency}: this process "
            f"may use {disk.memory() / GB:.3g} GB of memory"
        )
    if residency != "auto":
        return residency
    if is_on_disk:
        return "disk"
    if device.type == "cuda" and size * SHARE > torch.cuda.mem_get_info(device)[0]:
        return "pinned"
    return "device"
