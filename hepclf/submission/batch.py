"""Batch system: what hepclf asks of SLURM, HTCondor or this machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from hepclf.submission.submission import Submission


class Batch(Protocol):
    """A cluster recipe that writes its files, hands them over, and says what is in its queue."""

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
        """How often a command is started that shares its work."""

    def pack(self, count: int) -> int:
        """How many of so many tasks an element works on."""

    def files(self, submission: Submission) -> dict[str, str]:
        """The files of the batch system."""

    def check_there(self, submission: Submission) -> str:
        """Run a test job and wait for it; gives what it says."""

    def submit(self, submission: Submission, after: Collection[str] = (), *, is_closing: bool = False) -> Submission:
        """Hand the submission over; gives it with its ids."""

    def queued(self, submissions: Sequence[Submission]) -> list[set[int]]:
        """Of each submission the elements that wait or run."""
