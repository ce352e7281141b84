"""The words of a study that let code of the user's own run; a stored study may not, so they are typed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FLAGS = ("--config-dir", "-cd")
NAMES = ("_target_", "hydra.searchpath")


def divided_code(words: Sequence[str], directory: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that name code, and the others; folders of configurations, relative to `directory`, in full."""
    code: list[str] = []
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, _, value = word.partition("=")
        if flag in FLAGS:
            folder = value or (rest.pop(0) if rest else "")
            code.append(f"{FLAGS[0]}={(directory / folder).resolve()}")
        else:
            (code if any(name in word for name in NAMES) else others).append(word)
    return tuple(code), tuple(others)
