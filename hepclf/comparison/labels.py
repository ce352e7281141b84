"""What the runs of a comparison are called: by what tells them apart, and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hepclf.comparison.entry import Entry

SEEDS = ("data.seed", "data.split.seed")  # that one `seed` sets together with trainer.seed
LONGEST = 40


def labels(entries: Sequence[Entry]) -> list[str]:
    """A name for each, no two alike: its model, its data, the settings that differ, the end of its folder's name."""
    found = [entry.model for entry in entries]
    if len({entry.data for entry in entries}) > 1:
        found = [f"{entry.data} {entry.model}" for entry in entries]
    for more in (_settings, _tails, _numbers):
        counts = Counter(found)
        if max(counts.values()) == 1:
            break
        for name in [name for name, count in counts.items() if count > 1]:
            alike = [index for index, other in enumerate(found) if other == name]
            for index, suffix in zip(alike, more([entries[index] for index in alike]), strict=True):
                found[index] = f"{name} {suffix}".strip()
    return found


def _settings(alike: Sequence[Entry]) -> list[str]:
    """The settings in which these runs differ, as they are typed; nothing where they are too many to read."""
    settings = [dict(flat("", entry.config)) for entry in alike]
    keys = [
        key
        for key in dict.fromkeys(key for one in settings for key in one)
        if len({one.get(key) for one in settings}) > 1
    ]
    if "trainer.seed" in keys:
        keys = [key for key in keys if key not in SEEDS or any(one.get(key) != one["trainer.seed"] for one in settings)]
    last = [key.rpartition(".")[2] for key in keys]
    called = [key if last.count(short) > 1 else short for key, short in zip(keys, last, strict=True)]
    words = [" ".join(f"{name}={one.get(key)}" for name, key in zip(called, keys, strict=True)) for one in settings]
    return words if max(map(len, words)) <= LONGEST else ["" for _ in alike]


def _tails(alike: Sequence[Entry]) -> list[str]:
    return [entry.run.folder.name.rpartition("-")[2] for entry in alike]


def _numbers(alike: Sequence[Entry]) -> list[str]:
    return [f"({count})" for count in range(1, len(alike) + 1)]


def flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The settings of a configuration by their dotted names."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", str(value).replace(" ", "")
