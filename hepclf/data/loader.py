"""What every loader is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from hepclf.data.split import Split
from hepclf.events import Events

Tell = Callable[[int, int], None]  # hears how many of how many entries are read


class Loader(Protocol):
    """Reads or makes events, and says how they are split."""

    @property
    def split(self) -> Split:
        """Which events train, validate and test."""
        ...

    def load(self) -> Events:
        """All events."""
        ...


@runtime_checkable
class Watchable(Loader, Protocol):
    """A loader that takes its time, and tells how far it is."""

    def load_watched(self, tell: Tell) -> Events:
        """All events, telling now and then how many of how many entries are read."""
        ...


def load(data: Loader, tell: Tell) -> Events:
    """All events of a loader, which tells how far it is where it can."""
    return data.load_watched(tell) if isinstance(data, Watchable) else data.load()


def silent(done: int, of: int) -> None:
    """Tell nobody."""
