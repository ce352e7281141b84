"""Cluster: the resources that a job requests, the same for each batch system."""

from __future__ import annotations

from typing import ClassVar

from hepclf.recipe import recipe


@recipe
class Cluster:
    """The resources of each element of an array, and how many tasks it works on.

    nodes         machines that one training spreads over; more than one: gpus, cpus and memory_gb are of each of them
    at_once       elements that run at the same time
    per_task      maximum number of small jobs, such as those of a sweep, that one element runs one after another
    max_requeues  how often an element is started again after it has written a checkpoint
    tasks         how many processes share the work of one command, such as the workers of a search
    check         first wait for a test job, which checks that hepclf, the files and a GPU are available
    dry           print the files, and submit nothing
    """

    can_spread: ClassVar[bool] = False  # whether a job can have several machines
    nodes: int = 1
    gpus: int = 0
    cpus: int = 4
    memory_gb: float = 8.0
    time_h: float = 4.0
    setup: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    at_once: int = 50
    per_task: int = 20
    max_requeues: int = 20
    tasks: int = 1
    check: bool = False
    dry: bool = False

    def __post_init__(self) -> None:
        least = {"nodes": 1, "gpus": 0, "cpus": 1, "at_once": 1, "per_task": 1, "max_requeues": 0, "tasks": 1}
        for name, bound in least.items():
            if (value := getattr(self, name)) < bound:
                raise ValueError(f"{name} must be at least {bound}, not {value}")
        if self.nodes > 1 and not self.can_spread:
            raise ValueError(f"nodes must be 1 with {type(self).__name__}, not {self.nodes}; use cluster=slurm")
        for name in ("memory_gb", "time_h"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number above 0, not {getattr(self, name)}")
        for name in ("setup", "extra"):
            if any("\n" in line for line in getattr(self, name)):
                raise ValueError(f"{name} must be a list of single lines; give each line for itself")

    def pack(self, count: int) -> int:
        """How many of `count` tasks one element works on: one each, if all elements can run at the same time."""
        return min(self.per_task, -(-count // self.at_once))
