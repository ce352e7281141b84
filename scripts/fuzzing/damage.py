"""Damage to bytes, to JSON and to text, drawn from a seed."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

NUMBERS = (
    *(0, 1, -1, 2, 127, 255, 2**15, 2**31 - 1, 2**31, -(2**31), 2**32, 2**63 - 1, 2**63, 2**64, 10**18, 10**400),
    *(0.5, -0.5, 1e-320, 1e38, 1e308, -1e308, float("nan"), float("inf"), float("-inf")),
)
TEXTS = ("", "a", "x" * 5000, "../../etc/passwd", "/dev/zero", "\x1b[2J", "é😀", "\ud800", "os.system", "nan", "1e999")
DEEP = 3000  # levels of a list in a list


def damaged(rng: Random, data: bytes) -> bytes:
    """Bytes with one to three changes: flips, numbers, cuts, repetitions and blocks of zeros."""
    for _ in range(rng.randint(1, 3)):
        data = rng.choice((flipped, flipped, renumbered, cut, repeated, zeroed, inserted))(rng, data)
    return data


def flipped(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def renumbered(rng: Random, data: bytes) -> bytes:
    """A number of two, four or eight bytes somewhere becomes a huge or a negative one."""
    width, order = rng.choice((2, 4, 8)), rng.choice(("little", "big"))
    number = rng.choice((0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), 2**15))
    place = rng.randrange(max(1, len(data) - width))
    return data[:place] + number.to_bytes(width, order) + data[place + width :]  # type: ignore[arg-type]


def cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def repeated(rng: Random, data: bytes) -> bytes:
    start = rng.randrange(len(data) + 1)
    stop = rng.randrange(start, min(len(data), start + 4096) + 1)
    return data[:stop] + data[start:stop] * rng.choice((1, 1, 50)) + data[stop:]


def zeroed(rng: Random, data: bytes) -> bytes:
    start, length = rng.randrange(len(data) + 1), rng.choice((4, 64, 1024))
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def inserted(rng: Random, data: bytes) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.randbytes(rng.choice((1, 3, 100))) + data[place:]


def changed(rng: Random, value: Any) -> Any:
    """Plain values with one to three changes somewhere in the tree."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.randint(1, 3)):
        value = _changed(rng, value)
    return value


def _changed(rng: Random, value: Any) -> Any:
    """A change at a random depth: a number becomes a strange one, a list is emptied or repeated, a name is lost."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = rng.choice(list(keys))
        copy = value.copy()
        copy[key] = _changed(rng, value[key])
        return copy
    if isinstance(value, dict) and value and rng.random() < 0.7:
        key = rng.choice(list(value))
        remaining = {name: item for name, item in value.items() if name != key}
        return rng.choice(
            (remaining, remaining, {**remaining, rng.choice(TEXTS): value[key]}, {**remaining, "a" * 40: value[key]})
        )
    if isinstance(value, list) and rng.random() < 0.7:
        return rng.choice((value[:-1], [], value * 2, value[::-1], value + value[:1], value * 2000, [value]))
    if isinstance(value, (int, float)) and rng.random() < 0.8:
        return rng.choice(NUMBERS)
    return replacement(rng)


def replacement(rng: Random) -> Any:
    """A value of another type, or one that is huge or deep."""
    if rng.random() < 0.05:
        nested: Any = []
        for _ in range(DEEP // 20):
            nested = [nested]
        return nested
    return rng.choice((None, True, False, [], {}, [None], {"a": 1}, rng.choice(NUMBERS), rng.choice(TEXTS), [[0]]))


def written(value: Any) -> bytes:
    """JSON as Python writes it, with NaN and infinity."""
    return json.dumps(value).encode()


def reworded(rng: Random, text: str) -> str:
    """Text in which numbers or lines are other ones."""
    for _ in range(rng.randint(1, 3)):
        text = rng.choice((_renumbered_text, _renumbered_text, _relined, _resigned))(rng, text)
    return text


def _renumbered_text(rng: Random, text: str) -> str:
    places = list(re.finditer(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text))
    if not places:
        return text
    match = rng.choice(places)
    number = rng.choice((*map(str, NUMBERS), "", "x", "1 1", str(rng.randint(-9, 9))))
    return text[: match.start()] + number + text[match.end() :]


def _relined(rng: Random, text: str) -> str:
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    line = lines[place]
    lines[place : place + 1] = rng.choice(
        ([], [line, line], [line + line], [rng.choice(TEXTS)], [line] * min(3000, 1 + 100_000 // (len(line) + 1)))
    )
    return "\n".join(lines)


def _resigned(rng: Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    sign = rng.choice(
        ("\x00", "\t", ":", "=", "[", "]", "{", "}", '"', "'", "&a", "*a", "!!python/name:os.system", "\r")
    )
    return text[:place] + sign + text[place + rng.randint(0, 2) :]
