"""What every loader is."""

from __future__ import annotations

from typing import Protocol

from hepclf.data.split import Split
from hepclf.events import Events


class Loader(Protocol):
    """Reads or makes events, and says how they are split."""

    @property
    def split(self) -> Split:
        """Which events train, validate and test."""
        ...

    def load(self) -> Events:
        """All events."""
        ...
