"""The device that training and scoring run on."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import Any

import torch

from hepclf.training.ranks import group


def resolve(name: str) -> torch.device:
    """The device of this name (auto, cpu, cuda, cuda:N); auto is the GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ValueError(f"device must be auto, cpu, cuda or cuda:N, not {name!r}")
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            available = "no GPU that PyTorch can use" if count == 0 else f"only cuda:0..cuda:{count - 1}"
            raise ValueError(
                f"device={name} is not there, as this machine has {available}; use device=auto or device=cpu"
            )
    return device


def conditions(device: str) -> dict[str, Any]:
    """What the last bits of a training depend on, beside its settings, by what a message calls it."""
    place = resolve(device)
    kind = place.type
    name = torch.cuda.get_device_name(place) if kind == "cuda" else torch.backends.cpu.get_cpu_capability()
    counts = {"number of threads": torch.get_num_threads(), "number of processes": group().size}
    return {"device": f"{kind} {name}", **counts, "version": _versions()}


@cache
def _versions() -> dict[str, str]:
    return {library: version(library) for library in ("hepclf", "torch", "numpy")}
