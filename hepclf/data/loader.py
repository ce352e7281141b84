"""What every loader is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

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


class Outline(NamedTuple):
    """What the settings of a loader say of its events before any is read; None is what only the files can tell.

    luminosity_fb  in which the weights sum to the expected yields
    """

    classes: tuple[str, ...] | None = None
    processes: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    spectators: tuple[str, ...] | None = None
    luminosity_fb: float | None = None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Spectators and features, where both are known."""
        if self.features is None or self.spectators is None:
            return None
        return (*self.spectators, *self.features)


@runtime_checkable
class Outlined(Loader, Protocol):
    """A loader whose settings say something of its events."""

    def outline(self) -> Outline:
        """What they say."""
        ...


def outline(data: Loader) -> Outline:
    """What is known of the events of a loader before they are read."""
    return data.outline() if isinstance(data, Outlined) else Outline()


def load(data: Loader, tell: Tell) -> Events:
    """All events of a loader, which tells how far it is where it can."""
    return data.load_watched(tell) if isinstance(data, Watchable) else data.load()


def silent(done: int, total: int) -> None:
    """Tell nobody."""
