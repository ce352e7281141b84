"""Quoting: how an override must be typed, where the shell cuts it or Hydra reads signs of its own in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

CLOSING = {"[": "]", "{": "}", "(": ")"}
GOES_ON = re.compile(r"(and|or|not)$|[<>=!+*/%&|]|-$|-\s")  # a word that goes on with an expression


def refusal(words: Sequence[str]) -> str | None:
    """What to type instead of overrides that the shell cut into several words, or that Hydra cannot read."""
    is_sweep = bool({"-m", "--multirun"} & set(words))
    for place, word in enumerate(words):
        if (end := _end(words, place)) > place + 1:
            whole = " ".join(words[place:end])
            return f"{whole} came as {end - place} words; quote it: type {typed(whole) or shlex.quote(whole)}"
        if "=" in word and not word.startswith("-") and not _reads(word) and (line := typed(word, is_sweep=is_sweep)):
            return f"{word} cannot be read, as it holds signs of Hydra's own grammar; type {line}"
    return None


def typed(override: str, *, is_sweep: bool = False) -> str | None:
    """This override as it must be typed for its expressions to be taken as text; None where that does not help."""
    key, _, value = override.partition("=")
    value = value.strip()
    if _depth(value) != 0:
        return None
    if key.rpartition(".")[2] == "selection" and value.startswith("["):
        value = _conjunction(_parts(value[1:-1]))
    quoted = ",".join(map(_quoted, _parts(value))) if is_sweep else _quoted(value)
    return shlex.quote(f"{key}={quoted}") if _reads(f"{key}={quoted}") else None


def _end(words: Sequence[str], place: int) -> int:
    """The word after the last one that belongs to this one: its brackets are closed, and no operator follows."""
    end = place + 1
    if "=" not in words[place] or words[place].startswith("-"):
        return end
    while end < len(words) and (_depth(" ".join(words[place:end])) > 0 or GOES_ON.match(words[end])):
        end += 1 if _depth(" ".join(words[place:end])) > 0 else 2
    return min(end, len(words)) if _depth(" ".join(words[place:end])) == 0 else place + 1


def _depth(text: str) -> int:
    """How many brackets are open at the end."""
    return sum((sign in "[{(") - (sign in "]})") for sign, is_quoted in _signs(text) if not is_quoted)


def _quoted(value: str) -> str:
    """A value in which what Hydra cannot read is quoted, part by part in lists and mappings."""
    value = value.strip()
    if value[:1] == "[" and value[-1:] == "]":
        return "[" + ",".join(_quoted(part) for part in _parts(value[1:-1])) + "]"
    if value[:1] == "{" and value[-1:] == "}":
        pairs = [part.partition(":") for part in _parts(value[1:-1])]
        return "{" + ",".join(f"{key.strip()}: {_quoted(text)}" for key, _, text in pairs) + "}"
    if _reads(f"x=[{value}]"):
        return value
    return '"' + value.replace('"', '\\"') + '"'


def _conjunction(conditions: list[str]) -> str:
    """All of these conditions as one expression, as a selection is one."""
    plain = [condition.strip("\"'") for condition in conditions]
    return " and ".join(f"({each})" if re.search(r"\bor\b|\|", each) else each for each in plain)


def _parts(text: str) -> list[str]:
    """What the commas outside of brackets and quotes separate."""
    parts, depth = [""], 0
    for sign, is_quoted in _signs(text):
        if not is_quoted:
            depth += (sign in "[{(") - (sign in "]})")
        if sign == "," and depth == 0 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def _signs(text: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether it stands in quotes."""
    quote = ""
    for sign in text:
        yield sign, bool(quote)
        if sign in "\"'" and quote in ("", sign):
            quote = "" if quote else sign


def _reads(override: str) -> bool:
    """Whether Hydra can read it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True
