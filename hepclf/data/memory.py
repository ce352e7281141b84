"""Memory: events that are already in memory, where a loader is required."""

from __future__ import annotations

from dataclasses import dataclass, field

from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """Events that are already in memory, as a loader for users of Python; a YAML file cannot contain them."""

    events: Events
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def load(self) -> Events:
        """The events themselves."""
        return self.events
