"""The words of a study that make a user's own code run. A stored study must not run code, so they are typed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FLAGS = ("--config-dir", "-cd")
NAMES = ("_target_", "hydra.searchpath")


def divided_code(words: Sequence[str], directory: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that name code, and the others; folders of configurations become absolute, from `directory`."""
    code: list[str] = []
    others: list[str] = []
    following = iter(words)
    for word in following:
        flag, _, value = word.partition("=")
        if flag in FLAGS:
            folder = value or next(following, "")
            code.append(f"{FLAGS[0]}={(directory / folder).resolve()}")
        elif any(name in word for name in NAMES):
            code.append(word)
        else:
            others.append(word)
    return tuple(code), tuple(others)
