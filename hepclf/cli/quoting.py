"""Quoting: how to type an override that the shell splits, or that holds characters of Hydra's grammar."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

CLOSING = {"[": "]", "{": "}", "(": ")"}
CONTINUATION = re.compile(r"(and|or|not)$|[<>=!+*/%&|]|-$|-\s")  # a word that continues an expression


def quoting_advice(words: Sequence[str]) -> str | None:
    """How to type an override that the shell split into words, or that Hydra cannot read; None if nothing is wrong."""
    is_sweep = bool({"-m", "--multirun"} & set(words))
    for start, word in enumerate(words):
        if (end := _end(words, start)) > start + 1:
            text = " ".join(words[start:end])
            quoted = quoted_override(text) or shlex.quote(text)
            return f"{text} came as {end - start} words; quote it: type {quoted}"
        is_unreadable = "=" in word and not word.startswith("-") and not _is_readable(word)
        if is_unreadable and (line := quoted_override(word, is_sweep=is_sweep)):
            return f"{word} cannot be read, as it holds signs of Hydra's own grammar; type {line}"
    return None


def quoted_override(override: str, *, is_sweep: bool = False) -> str | None:
    """The override as it must be typed so that its expressions are read as text; None if quoting does not help."""
    key, _, value = override.partition("=")
    value = value.strip()
    if _depth(value) != 0:
        return None
    if key.rpartition(".")[2] == "selection" and value.startswith("["):
        value = _conjunction(_parts(value[1:-1]))
    parts = _parts(value) if is_sweep else [value]
    quoted = f"{key}={','.join(map(_quoted, parts))}"
    return shlex.quote(quoted) if _is_readable(quoted) else None


def _end(words: Sequence[str], start: int) -> int:
    """The end of the override that starts at this word: its brackets are closed, and no operator follows."""
    if "=" not in words[start] or words[start].startswith("-"):
        return start + 1
    end, depth = start + 1, _depth(words[start])
    while end < len(words) and (depth > 0 or CONTINUATION.match(words[end])):
        # Inside brackets each word belongs to it; outside, an operator and the word after it.
        end += 1 if depth > 0 else 2
        depth = _depth(" ".join(words[start:end]))
    return min(end, len(words)) if depth == 0 else start + 1


def _depth(text: str) -> int:
    """How many brackets are open at the end."""
    return sum(
        (character in "[{(") - (character in "]})") for character, is_quoted in _characters(text) if not is_quoted
    )


def _quoted(value: str) -> str:
    """The value with quotes around the parts that Hydra cannot read, also inside lists and mappings."""
    value = value.strip()
    if value[:1] == "[" and value[-1:] == "]":
        return "[" + ",".join(_quoted(part) for part in _parts(value[1:-1])) + "]"
    if value[:1] == "{" and value[-1:] == "}":
        pairs = [part.partition(":") for part in _parts(value[1:-1])]
        return "{" + ",".join(f"{key.strip()}: {_quoted(text)}" for key, _, text in pairs) + "}"
    if _is_readable(f"x=[{value}]"):
        return value
    return '"' + value.replace('"', '\\"') + '"'


def _conjunction(conditions: list[str]) -> str:
    """The conditions joined by `and`, as a selection is a single expression."""
    bare = [condition.strip("\"'") for condition in conditions]
    has_or = re.compile(r"\bor\b|\|").search
    return " and ".join(f"({condition})" if has_or(condition) else condition for condition in bare)


def _parts(text: str) -> list[str]:
    """The parts between commas that are outside of brackets and quotes."""
    parts, depth = [""], 0
    for character, is_quoted in _characters(text):
        if not is_quoted:
            depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _characters(text: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether it is inside quotes."""
    quote = ""
    for character in text:
        yield character, bool(quote)
        if character in "\"'" and quote in ("", character):
            quote = "" if quote else character


def _is_readable(override: str) -> bool:
    """Whether Hydra can read it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True
