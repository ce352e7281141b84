"""Batch system: the interface of SLURM, HTCondor and this machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from hepclf.submission.submission import Submission


class Batch(Protocol):
    """A cluster recipe that writes job files, submits them, and knows what is in the queue."""

    @property
    def dry(self) -> bool:
        """Whether the files are only printed."""

    @property
    def check(self) -> bool:
        """Whether a test job runs first."""

    @property
    def nodes(self) -> int:
        """How many machines one training spreads over."""

    @property
    def tasks(self) -> int:
        """How many processes share the work of one command."""

    def pack(self, count: int) -> int:
        """How many of `count` tasks one element works on."""

    def files(self, submission: Submission) -> dict[str, str]:
        """The files of the batch system."""

    def check_there(self, submission: Submission) -> str:
        """Run a test job, wait for it, and return its message."""

    def submit(self, submission: Submission, after: Collection[str] = (), *, is_closing: bool = False) -> Submission:
        """Submit the jobs; returns the submission with their ids."""

    def queued(self, submissions: Sequence[Submission]) -> list[set[int]]:
        """For each submission, the elements that wait or run."""
