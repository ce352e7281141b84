"""Memory: events that are in memory already, where a loader is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """Events that are in memory already, as a loader for users of Python; a YAML file cannot say them."""

    events: Events
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def load(self) -> Events:
        """The events themselves."""
        return self.events
