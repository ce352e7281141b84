"""The interface of all loaders."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from hepclf.data.split import Split
from hepclf.events import Events

Tell = Callable[[int, int], None]  # hears how many of how many entries are read


class Loader(Protocol):
    """Reads or generates events, and states how they are split."""

    @property
    def split(self) -> Split:
        """The split into training, validation and test set."""
        ...

    def load(self) -> Events:
        """All events."""
        ...


@runtime_checkable
class Watchable(Loader, Protocol):
    """A loader that reports its progress."""

    def load_watched(self, tell: Tell) -> Events:
        """All events; now and then, the number of entries read and the total are reported."""
        ...


class Outline(NamedTuple):
    """What a loader's settings say about its events before any is read; None stands for what only the files can tell.

    luminosity_fb  the luminosity at which the weights sum to the expected yields
    """

    classes: tuple[str, ...] | None = None
    processes: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    spectators: tuple[str, ...] | None = None
    luminosity_fb: float | None = None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Spectators and features, if both are known."""
        if self.features is None or self.spectators is None:
            return None
        return (*self.spectators, *self.features)


@runtime_checkable
class Outlined(Loader, Protocol):
    """A loader whose settings describe its events."""

    def outline(self) -> Outline:
        """The description of its events."""
        ...


def outline(data: Loader) -> Outline:
    """What the settings of a loader say about its events, before they are read."""
    return data.outline() if isinstance(data, Outlined) else Outline()


def load(data: Loader, tell: Tell) -> Events:
    """All events of a loader; its progress is reported if it can tell."""
    return data.load_watched(tell) if isinstance(data, Watchable) else data.load()


def silent(done: int, total: int) -> None:
    """Report no progress."""
