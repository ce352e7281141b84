"""Launchers of ranks: the variables that torchrun, srun and hepclf set for each process that they start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.distributed as dist

from hepclf.training.cores import cores

PORTS = range(20_000, 32_000)  # below those that Linux gives to programs that ask for any


class Placement(NamedTuple):
    """The place of this process: its rank, their number, its rank on its machine, where they meet, and the launcher."""

    rank: int
    size: int
    local: int
    address: str
    launcher: str


def meeting_place(count: int) -> tuple[object, list[dict[str, str]]]:
    """Where the ranks of this machine meet while the first value lives, and the variables by which each finds it.

    The variables are those of torchrun.
    """
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # none of the ranks makes a store
        "WORLD_SIZE": str(count),
        "OMP_NUM_THREADS": str(max(1, cores() // count)),
    }
    return store, [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(count)]


def placed(devices: int | None, variables: Mapping[str, str] = os.environ) -> Placement | None:
    """The place of this process among the ranks of a launcher; None if it trains alone, or starts ranks itself.

    devices  the trainer's setting: 1 trains alone, null joins the existing ranks
    """
    if devices == 1:
        return None
    place = _by_torchrun(variables) or _by_slurm(variables)
    if place is not None and devices not in (None, place.size):
        raise ValueError(
            f"trainer.devices must be the number of processes that {place.launcher} started, {place.size}, "
            f"not {devices}; leave it out"
        )
    return place


def _by_torchrun(variables: Mapping[str, str]) -> Placement | None:
    """The place from torchrun's variables, which hepclf sets as well."""
    size = int(variables.get("WORLD_SIZE", 1))
    if size == 1 or "RANK" not in variables:
        return None
    return Placement(int(variables["RANK"]), size, int(variables.get("LOCAL_RANK", 0)), "env://", "torchrun")


def _by_slurm(variables: Mapping[str, str]) -> Placement | None:
    """The place from srun's variables; a batch script itself is one step, whatever its SLURM_NTASKS is."""
    size = int(variables.get("SLURM_STEP_NUM_TASKS", 1))
    if size == 1:
        return None
    number = 8 * int(variables["SLURM_JOB_ID"]) + int(variables["SLURM_STEP_ID"])
    port = variables.get("MASTER_PORT") or str(PORTS[number % len(PORTS)])
    host = variables.get("MASTER_ADDR") or first_host(variables["SLURM_STEP_NODELIST"])
    rank, local = int(variables["SLURM_PROCID"]), int(variables["SLURM_LOCALID"])
    return Placement(rank, size, local, f"tcp://{host}:{port}", "srun")


def first_host(nodes: str) -> str:
    """The first machine of a list in SLURM's form: gpu01 of gpu[01-04,07],cpu1."""
    first = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    if first is None:
        return nodes
    return re.sub(r"\[(\w+)[^\]]*\]", r"\1", first[0])


def check_gpus(count: int, device: str) -> None:
    """Refuse more ranks on this machine than it has GPUs; without a GPU they share the processor."""
    if device == "cpu" or not torch.cuda.is_available():
        return
    gpus = torch.cuda.device_count()
    if 0 < gpus < count:
        raise ValueError(
            f"trainer.devices must be at most the number of GPUs of this machine, {gpus}, not {count}; or say "
            "trainer.device=cpu"
        )
