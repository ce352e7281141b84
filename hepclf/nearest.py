"""The nearest of the known names to one that was mistyped."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any


def nearest(name: str, known: Any) -> str:
    """The tail of an error about an unknown name: `; nearest: 'a', 'b'`, or all that is known if little is."""
    names = [str(other) for other in known]
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    lower = {other.lower(): other for other in names}
    close = close or [lower[match] for match in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)]
    if close:
        return "; nearest: " + ", ".join(repr(match) for match in close)
    return "; there are: " + ", ".join(repr(other) for other in names[:12]) + (", ..." if len(names) > 12 else "")
