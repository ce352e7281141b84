"""The known names nearest to a mistyped one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any


def nearest(name: str, known: Any) -> str:
    """The end of an error about an unknown name: `; nearest: 'a', 'b'`, or some known names if none is close."""
    names = [str(other) for other in known]
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    lower = {other.lower(): other for other in names}
    # Case is ignored only if nothing is close otherwise.
    close = close or [lower[match] for match in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)]
    close = close or [other for other in names if _initials(other) == name.lower()]
    if close:
        return "; nearest: " + ", ".join(repr(match) for match in close)
    hint = "; there are: " + ", ".join(repr(known_name) for known_name in names[:12])
    return f"{hint}, ..." if len(names) > 12 else hint


def _initials(name: str) -> str:
    """`lr` of `learning_rate`: an abbreviation that has few letters in common with the name."""
    words = name.rpartition(".")[2].lower().split("_")
    return "".join(word[:1] for word in words)
