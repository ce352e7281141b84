"""Ranks: the processes of one training. Each takes its share of every batch, and their gradients are summed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from hepclf.run import Stopped
from hepclf.training.cores import cores
from hepclf.training.memory import is_out_of_memory

PATIENCE = timedelta(minutes=15)  # that a rank waits for another
PORTS = range(20_000, 32_000)  # below those that Linux gives to programs that ask for any


class RankLostError(OSError):
    """Another rank has ended, or does not answer."""


class Place(NamedTuple):
    """Where a launcher put this process: its rank of so many, that on its machine, where they meet, and who says so."""

    rank: int
    size: int
    local: int
    address: str
    launcher: str


class Halt(NamedTuple):
    """Why a rank cannot go on, and whether it was asked to stop, by Ctrl-C or otherwise."""

    reason: str
    is_stop: bool = False
    is_interrupt: bool = False

    @property
    def error(self) -> BaseException:
        """What the other ranks raise."""
        return Stopped(self.reason, is_interrupt=self.is_interrupt) if self.is_stop else ValueError(self.reason)


class Ranks:
    """The ranks of a training, as one of them sees them. One that is alone exchanges nothing.

    is_told  whether all ranks have heard why one of them cannot go on
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.is_told = False
        self._sums = 0  # of gradients, to come in this block of steps

    @property
    def seeds(self) -> tuple[int, ...]:
        """What a rank adds to the seeds of its dropout; the order of events is the same on all."""
        return (self.rank,) if self.size > 1 else ()

    def share(self, count: int) -> slice:
        """This rank's stretch of so many rows; stretches differ by one row at most."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        return self._exchange(lambda: dist.all_reduce(tensor), tensor)

    def sum_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Add up the gradients of all ranks."""
        self._sums -= 1
        if self.size == 1:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        total = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = torch.split(total, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def spread(self, tensors: Sequence[Tensor]) -> None:
        """Give the tensors of all ranks the values that rank 0 has."""
        for tensor in tensors:
            self._exchange(lambda tensor=tensor: dist.broadcast(tensor, 0), tensor)  # type: ignore[misc]

    def spread_bytes(self, data: bytes, source: int = 0) -> bytes:
        """What one rank says; the others may say anything."""
        size = torch.tensor([len(data)])
        self._exchange(lambda: dist.broadcast(size, source), size)
        text = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        buffer = text if self.rank == source else torch.empty(int(size), dtype=torch.uint8)
        return self._exchange(lambda: dist.broadcast(buffer, source), buffer).numpy().tobytes()

    def spread_value(self, value: Any) -> Any:
        """What rank 0 says, plain values that JSON knows."""
        return value if self.size == 1 else json.loads(self.spread_bytes(json.dumps(value).encode()))

    def agree(self, halt: Halt | None) -> Halt | None:
        """Why the ranks cannot go on: what the first of them says that cannot; None if all can."""
        if self.size == 1:
            return halt
        number = torch.tensor([self.size if halt is None else self.rank])
        self._exchange(lambda: dist.all_reduce(number, dist.ReduceOp.MIN), number)
        if int(number) == self.size:
            return None
        self.is_told = True
        return Halt(*json.loads(self.spread_bytes(json.dumps(halt).encode(), int(number))))

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block that all ranks go through: where one of them raises, all do, at the end of it."""
        if self.size == 1:
            yield
            return
        error: BaseException | None = None
        try:
            yield
        except RankLostError:
            raise
        except (Exception, Stopped) as raised:
            error = raised
        agreed = self.agree(None if error is None else self._halt(error))
        if error is not None:
            raise error
        if agreed is not None:
            raise agreed.error

    @contextmanager
    def steps(self, count: int, parameters: Sequence[Tensor]) -> Iterator[None]:
        """The same for a block of so many sums of gradients: a rank that fails adds zeros to those that are left."""
        with self.together():
            self._sums = count
            try:
                yield
            except RankLostError:
                raise
            except Exception:
                while self.size > 1 and self._sums > 0:
                    self._sums -= 1
                    self.sum(torch.cat([torch.zeros_like(p).flatten() for p in parameters]))
                raise

    def wait(self) -> None:
        """Wait until all ranks are here."""
        self.sum(torch.zeros(1))

    def _halt(self, error: BaseException) -> Halt:
        if isinstance(error, Stopped):
            return Halt(error.reason, is_stop=True, is_interrupt=error.is_interrupt)
        text = " ".join(str(error).split()) or type(error).__name__
        text = "memory ran out; use a smaller trainer.batch" if is_out_of_memory(error) else text
        return Halt(f"process {self.rank} of {self.size} failed: {text}")

    def _exchange(self, collective: Callable[[], object], tensor: Tensor) -> Tensor:
        if self.size > 1:
            try:
                collective()
            except RuntimeError as error:
                raise RankLostError(
                    f"process {self.rank} of {self.size} cannot reach another one, which has ended or is silent for "
                    f"{PATIENCE.seconds // 60} minutes"
                ) from error
        return tensor


ALONE = Ranks()
_group = ALONE


def group() -> Ranks:
    """The ranks that this process has joined."""
    return _group


@contextmanager
def joined(devices: int | None) -> Iterator[Ranks]:
    """Meet the other ranks that torchrun, srun or hepclf started, for the block; `devices` is what the trainer says."""
    global _group
    place = placed(devices)
    if place is None:
        yield ALONE
        return
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.set_device(place.local % torch.cuda.device_count())  # a launcher may show each rank its own alone
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if has_gpu else "gloo",
            init_method=place.address,
            rank=place.rank,
            world_size=place.size,
            timeout=PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        raise RankLostError(
            f"{place.launcher} started {place.size} processes, however they do not meet at {place.address}; "
            "start them all, or say trainer.devices=1 to train alone"
        ) from error
    _group = Ranks(place.rank, place.size)
    try:
        yield _group
    finally:
        _group = ALONE
        dist.destroy_process_group()


def meeting_place(count: int) -> tuple[object, list[dict[str, str]]]:
    """Where so many ranks of this machine meet while the first value lives, and the variables by which each finds it.

    They are those of torchrun.
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


def placed(devices: int | None, variables: Mapping[str, str] = os.environ) -> Place | None:
    """The place of this process among ranks that a launcher started; None where it trains alone, or starts them.

    devices  what the trainer says: 1 trains alone, null joins the ranks that are there
    """
    place = None if devices == 1 else _by_torchrun(variables) or _by_slurm(variables)
    if place is not None and devices not in (None, place.size):
        raise ValueError(
            f"trainer.devices must be the number of processes that {place.launcher} started, {place.size}, "
            f"not {devices}; leave it out"
        )
    return place


def _by_torchrun(variables: Mapping[str, str]) -> Place | None:
    """What torchrun says, and hepclf as well."""
    size = int(variables.get("WORLD_SIZE", 1))
    if size == 1 or "RANK" not in variables:
        return None
    return Place(int(variables["RANK"]), size, int(variables.get("LOCAL_RANK", 0)), "env://", "torchrun")


def _by_slurm(variables: Mapping[str, str]) -> Place | None:
    """What srun says; a batch script of several tasks is itself a step of one, whatever SLURM_NTASKS is."""
    size = int(variables.get("SLURM_STEP_NUM_TASKS", 1))
    if size == 1:
        return None
    number = 8 * int(variables["SLURM_JOB_ID"]) + int(variables["SLURM_STEP_ID"])
    port = variables.get("MASTER_PORT") or str(PORTS[number % len(PORTS)])
    host = variables.get("MASTER_ADDR") or first_host(variables["SLURM_STEP_NODELIST"])
    rank, local = int(variables["SLURM_PROCID"]), int(variables["SLURM_LOCALID"])
    return Place(rank, size, local, f"tcp://{host}:{port}", "srun")


def first_host(nodes: str) -> str:
    """The first machine of a list as SLURM writes it: gpu01 of gpu[01-04,07],cpu1."""
    first = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    return re.sub(r"\[(\w+)[^\]]*\]", r"\1", first[0]) if first else nodes


def check_gpus(count: int, device: str) -> None:
    """Refuse more ranks on this machine than it has GPUs; without a GPU they share the processor."""
    gpus = torch.cuda.device_count() if device != "cpu" and torch.cuda.is_available() else 0
    if 0 < gpus < count:
        raise ValueError(
            f"trainer.devices must be at most the number of GPUs of this machine, {gpus}, not {count}; or say "
            "trainer.device=cpu"
        )


def check_started(devices: int | None) -> None:
    """Refuse a trainer that wants more ranks than this process has joined."""
    if devices not in (None, 1, group().size):
        raise ValueError(
            f"trainer.devices must be 1 (or null) here, not {devices}; several processes are for one hepclf train, "
            "without -m"
        )
