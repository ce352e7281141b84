"""A warning: what may be wrong with data, a training or its results, and the way out."""

from __future__ import annotations

from typing import Any, NamedTuple


class Caution(NamedTuple):
    """A warning: its kind, the classes, processes, features or splits that it is about, and what to do."""

    kind: str
    about: tuple[str, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"kind": self.kind, "about": list(self.about), "text": self.text}
