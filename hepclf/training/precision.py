"""The precision of a training's matrix products; weights and everything else stay in float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

Precision = Literal["auto", "float32", "bf16"]

CPUINFO = Path("/proc/cpuinfo")
INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}  # that multiply bf16 numbers: x86 twice, then Arm


class Products:
    """The matrix products of training steps on a device.

    auto     float32; on a GPU as TF32, which rounds what goes into a product to ten bits
    float32  float32 everywhere
    bf16     rounds what goes into a product to seven bits, and its result; refused where the hardware has no bf16
    """

    def __init__(self, precision: Precision, device: torch.device) -> None:
        check_precision(precision, device)
        self._device = device
        self._is_lowered = precision == "bf16"
        self._is_rounded = precision == "auto" and device.type == "cuda"

    def logits(self, network: nn.Module, inputs: Tensor) -> Tensor:
        """The network's logits, from which the loss is computed in float32."""
        values: Tensor
        if not self._is_lowered:
            values = network(inputs)
            return values
        with torch.autocast(self._device.type, torch.bfloat16):
            values = network(inputs).float()
        return values

    @contextmanager
    def steps(self) -> Iterator[None]:
        """A block of training steps; outside of it, float32 products on a GPU are exact again."""
        matmul = torch.backends.cuda.matmul
        before = matmul.fp32_precision
        if self._is_rounded:
            matmul.fp32_precision = "tf32"
        try:
            yield
        finally:
            matmul.fp32_precision = before


def check_precision(precision: Precision, device: torch.device) -> None:
    """Refuse bf16 where software would emulate it, which takes longer than float32."""
    if precision == "bf16" and not has_bf16(device):
        raise ValueError(
            f"trainer.precision must be auto or float32 on this {_name(device)}, which has no bf16 instructions, "
            "not bf16; use auto"
        )


def has_bf16(device: torch.device, cpuinfo: Path = CPUINFO) -> bool:
    """Whether this device multiplies bf16 numbers in hardware; a processor that cannot be asked does not."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = (line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features")))
    return not INSTRUCTIONS.isdisjoint(next(flags, []))


def _name(device: torch.device) -> str:
    return "GPU" if device.type == "cuda" else "processor"
