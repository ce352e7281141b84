"""What the runs of a comparison are called: by what tells them apart, and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hepclf.comparison.entry import Entry
from hepclf.words import shortened

SEEDS = ("data.seed", "data.split.seed")  # that one `seed` sets together with trainer.seed
# Settings that say which events there are, and in which mixture.
OF_SAMPLES = (
    "data.",
    "trainer.seed",
    "evaluation.yields",
    "evaluation.cross_sections_fb",
    "evaluation.luminosity_fb",
)
LONGEST = 40  # letters of the settings in a name
VALUE = 24  # letters of a single value

Settings = Mapping[str, str]


def labels(entries: Sequence[Entry]) -> list[str]:
    """A name for each, no two alike: its model, its data, the settings that differ, the end of its folder's name."""
    tails = [entry.run.folder.name.rpartition("-")[2] for entry in entries]
    return _told_apart(_models(entries), [settings_of(entry) for entry in entries], tails)


def group_labels(groups: Sequence[Sequence[Entry]], ignored: Callable[[str], bool]) -> list[str]:
    """A name for each group, no two alike: its model, its data, and the settings that its members share.

    ignored  says of which settings the name of a group is silent
    """
    settings = [shared(group, ignored) for group in groups]
    return _told_apart(_models([group[0] for group in groups]), settings, [""] * len(groups))


def sample_labels(samples: Sequence[Sequence[Entry]]) -> list[str]:
    """A name for each set of test events: the settings of data and yields that its runs alone share."""
    settings = [shared(entries, lambda key: not key.startswith(OF_SAMPLES)) for entries in samples]
    common = [{key: row[key] for key in row if all(key in other for other in settings)} for row in settings]
    data = [entries[0].data for entries in samples]
    return _told_apart(data if len(set(data)) > 1 else [""] * len(data), common, [""] * len(data))


def shared(entries: Sequence[Entry], ignored: Callable[[str], bool]) -> dict[str, str]:
    """The settings that these runs have in common, by their dotted names."""
    first, *others = (settings_of(entry) for entry in entries)
    return {
        key: value
        for key, value in first.items()
        if not ignored(key) and all(settings.get(key) == value for settings in others)
    }


def settings_of(entry: Entry) -> dict[str, str]:
    """The settings of a run by their dotted names."""
    return dict(flat("", entry.config))


def _models(entries: Sequence[Entry]) -> list[str]:
    if len({entry.data for entry in entries}) > 1:
        return [f"{entry.data} {entry.model}" for entry in entries]
    return [entry.model for entry in entries]


def _told_apart(names: Sequence[str], settings: Sequence[Settings], tails: Sequence[str]) -> list[str]:
    """These names; where some are alike with the settings that differ, else with the tails, else with numbers."""
    distinct = list(names)
    for more in ("settings", "tails", "numbers"):
        for name in [name for name, count in Counter(distinct).items() if count > 1]:
            alike = [index for index, known in enumerate(distinct) if known == name]
            suffixes = {
                "settings": _differing([settings[index] for index in alike]),
                "tails": [tails[index] for index in alike],
                "numbers": [f"({number})" for number in range(1, len(alike) + 1)],
            }
            for index, suffix in zip(alike, suffixes[more], strict=True):
                distinct[index] = f"{name} {suffix}".strip()
    return distinct


def _differing(settings: Sequence[Settings]) -> list[str]:
    """The settings in which these differ, as they are typed; nothing where they are too many to read."""
    keys = [
        key
        for key in dict.fromkeys(key for row in settings for key in row)
        if len({row.get(key) for row in settings}) > 1
    ]
    if "trainer.seed" in keys:
        seeds = [row.get("trainer.seed") for row in settings]
        keys = [key for key in keys if key not in SEEDS or [row.get(key) for row in settings] != seeds]
    last = [key.rpartition(".")[2] for key in keys]
    names = [key if last.count(word) > 1 else word for key, word in zip(keys, last, strict=True)]
    values = [[str(row.get(key)) for key in keys] for row in settings]
    full = [" ".join(map("=".join, zip(names, row, strict=True))) for row in values]
    short = [
        " ".join(f"{name}={shortened(value, VALUE)}" for name, value in zip(names, row, strict=True)) for row in values
    ]
    readable = max(map(len, short)) <= LONGEST and len(set(short)) == len(set(full))
    return short if readable else ["" for _ in settings]


def flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The settings of a configuration by their dotted names."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", str(value).replace(" ", "")
