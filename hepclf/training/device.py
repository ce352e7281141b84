"""The device that training and scoring run on."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import Any

import torch

from hepclf.training.ranks import group


def gpu_count() -> int:
    """The number of GPUs that PyTorch can use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def resolve(name: str) -> torch.device:
    """The device of this name (auto, cpu, cuda, cuda:N); auto is the GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ValueError(f"device must be auto, cpu, cuda or cuda:N, not {name!r}")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= (gpus := gpu_count()):
        available = f"only cuda:0..cuda:{gpus - 1}" if gpus else "no GPU that PyTorch can use"
        raise ValueError(f"device={name} is not there, as this machine has {available}; use device=auto or device=cpu")
    return device


def conditions(device: str) -> dict[str, Any]:
    """The conditions, besides the settings, on which the last bits of a training depend, by their names in messages."""
    place = resolve(device)
    kind = place.type
    name = torch.cuda.get_device_name(place) if kind == "cuda" else torch.backends.cpu.get_cpu_capability()
    counts = {"number of threads": torch.get_num_threads(), "number of processes": group().size}
    return {"device": f"{kind} {name}", **counts, "version": _versions()}


@cache
def _versions() -> dict[str, str]:
    return {library: version(library) for library in ("hepclf", "torch", "numpy")}
