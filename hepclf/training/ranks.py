"""Ranks: the processes of one training. Each takes its share of every batch, and their gradients are summed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from hepclf.run import Stopped
from hepclf.training.launchers import placed
from hepclf.training.memory import is_out_of_memory

PATIENCE = timedelta(minutes=15)  # that a rank waits for another


class RankLostError(OSError):
    """Another rank has ended, or does not answer."""


class Halt(NamedTuple):
    """Why a rank cannot continue, and whether it was told to stop, by Ctrl-C or otherwise."""

    reason: str
    is_stop: bool = False
    is_interrupt: bool = False

    @property
    def error(self) -> BaseException:
        """The error that the other ranks raise."""
        if self.is_stop:
            return Stopped(self.reason, is_interrupt=self.is_interrupt)
        return ValueError(self.reason)


class Ranks:
    """The ranks of a training, as one of them sees them. A single rank exchanges nothing.

    is_told  whether all ranks know why one of them cannot continue
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.is_told = False
        self._sums = 0  # of gradients, to come in this block of steps

    @property
    def seeds(self) -> tuple[int, ...]:
        """What a rank adds to the seeds of its dropout; the order of events is the same on all ranks."""
        return () if self.size == 1 else (self.rank,)

    def share(self, count: int) -> slice:
        """This rank's share of `count` rows; the shares differ by one row at most."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        return self._exchange(lambda: dist.all_reduce(tensor), tensor)

    def sum_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Sum the gradients over all ranks."""
        self._sums -= 1
        if self.size == 1:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        total = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = torch.split(total, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def spread(self, tensors: Sequence[Tensor]) -> None:
        """Replace the tensors of all ranks by those of rank 0."""
        for tensor in tensors:
            self._exchange(lambda tensor=tensor: dist.broadcast(tensor, 0), tensor)  # type: ignore[misc]

    def spread_bytes(self, data: bytes, source: int = 0) -> bytes:
        """The bytes of one rank, on all ranks; the arguments of the others are ignored."""
        size = torch.tensor([len(data)])
        self._exchange(lambda: dist.broadcast(size, source), size)
        buffer = torch.empty(int(size), dtype=torch.uint8)
        if self.rank == source:
            buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        return self._exchange(lambda: dist.broadcast(buffer, source), buffer).numpy().tobytes()

    def spread_value(self, value: Any) -> Any:
        """The value of rank 0 (plain data for JSON), on all ranks."""
        if self.size == 1:
            return value
        return json.loads(self.spread_bytes(json.dumps(value).encode()))

    def agree(self, halt: Halt | None) -> Halt | None:
        """Why the ranks cannot continue: the reason of the first rank that cannot; None if all can."""
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
        """A block that all ranks go through: if one of them raises, all raise at the end of it."""
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
        """The same for a block with `count` sums of gradients: a rank that fails adds zeros to the remaining sums."""
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
        """Wait until all ranks have arrived."""
        self.sum(torch.zeros(1))

    def _halt(self, error: BaseException) -> Halt:
        if isinstance(error, Stopped):
            return Halt(error.reason, is_stop=True, is_interrupt=error.is_interrupt)
        text = " ".join(str(error).split()) or type(error).__name__
        if is_out_of_memory(error):
            text = "memory ran out; use a smaller trainer.batch"
        return Halt(f"process {self.rank} of {self.size} failed: {text}")

    def _exchange(self, collective: Callable[[], object], tensor: Tensor) -> Tensor:
        if self.size > 1:
            try:
                with torch.no_grad():  # else the next backward pass would go through it
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
    """Meet the other ranks that torchrun, srun or hepclf started, in this block; `devices` is the trainer's setting."""
    global _group
    place = placed(devices)
    if place is None:
        yield ALONE
        return
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(place.local % torch.cuda.device_count())  # a launcher may show each rank only its own
    try:
        dist.init_process_group(
            backend,
            init_method=place.address,
            rank=place.rank,
            world_size=place.size,
            timeout=PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        raise RankLostError(
            f"all {place.size} processes that {place.launcher} started must meet at {place.address}, which they do "
            "not; start them all, set MASTER_PORT if another program has taken that port, or say trainer.devices=1 to "
            "train alone"
        ) from error
    _group = Ranks(place.rank, place.size)
    try:
        yield _group
    finally:
        _group = ALONE
        dist.destroy_process_group()


def check_started(devices: int | None) -> None:
    """Refuse a trainer that wants more ranks than this process has joined."""
    if devices not in (None, 1, group().size):
        raise ValueError(
            f"trainer.devices must be 1 (or null) here, not {devices}; several processes are for one hepclf train, "
            "without -m"
        )
