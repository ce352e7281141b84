"""Names of the runs of a comparison, from the settings in which they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hepclf.comparison.entry import RunEntry
from hepclf.words import shortened

SEEDS = ("data.seed", "data.split.seed")  # set together with trainer.seed by the setting `seed`
# Settings that define the events and their mixture.
SAMPLE_SETTINGS = (
    "data.",
    "trainer.seed",
    "evaluation.yields",
    "evaluation.cross_sections_fb",
    "evaluation.luminosity_fb",
)
LONGEST = 40  # letters of the settings in a name
VALUE = 24  # letters of a single value

Settings = Mapping[str, str]


def labels(entries: Sequence[RunEntry]) -> list[str]:
    """A unique name for each run: its model, its data, the settings that differ, the end of its folder's name."""
    tails = [entry.run.folder.name.rpartition("-")[2] for entry in entries]
    return _unique_names(_models(entries), [settings_of(entry) for entry in entries], tails)


def group_labels(groups: Sequence[Sequence[RunEntry]], ignored: Callable[[str], bool]) -> list[str]:
    """A unique name for each group: its model, its data, and the settings that its members share.

    ignored  whether a setting is left out of the names
    """
    settings = [common_settings(group, ignored) for group in groups]
    return _unique_names(_models([group[0] for group in groups]), settings, [""] * len(groups))


def sample_labels(samples: Sequence[Sequence[RunEntry]]) -> list[str]:
    """A name for each set of test events: the settings of data and yields that its runs have in common."""
    settings = [common_settings(group, lambda key: not key.startswith(SAMPLE_SETTINGS)) for group in samples]
    keys = [key for key in settings[0] if all(key in row for row in settings)]
    common = [{key: value for key, value in row.items() if key in keys} for row in settings]
    empty = [""] * len(samples)
    names = [entries[0].data for entries in samples]
    if len(set(names)) == 1:
        names = empty
    return _unique_names(names, common, empty)


def common_settings(entries: Sequence[RunEntry], ignored: Callable[[str], bool]) -> dict[str, str]:
    """The settings that these runs have in common, by their dotted names."""
    rows = [settings_of(entry) for entry in entries]
    return {
        key: value for key, value in rows[0].items() if not ignored(key) and all(row.get(key) == value for row in rows)
    }


def settings_of(entry: RunEntry) -> dict[str, str]:
    """The settings of a run by their dotted names."""
    return dict(dotted_settings("", entry.config))


def _models(entries: Sequence[RunEntry]) -> list[str]:
    if len({entry.data for entry in entries}) > 1:
        return [f"{entry.data} {entry.model}" for entry in entries]
    return [entry.model for entry in entries]


def _unique_names(names: Sequence[str], settings: Sequence[Settings], tails: Sequence[str]) -> list[str]:
    """Equal names get a suffix: the settings that differ, then the tails, then numbers, until no two are equal."""
    distinct = list(names)
    for suffix_kind in ("settings", "tails", "numbers"):
        for name in [name for name, count in Counter(distinct).items() if count > 1]:
            indices = [index for index, label in enumerate(distinct) if label == name]
            suffixes = {
                "settings": _differing([settings[index] for index in indices]),
                "tails": [tails[index] for index in indices],
                "numbers": [f"({number})" for number in range(1, len(indices) + 1)],
            }
            for index, suffix in zip(indices, suffixes[suffix_kind], strict=True):
                distinct[index] = f"{name} {suffix}".strip()
    return distinct


def _differing(settings: Sequence[Settings]) -> list[str]:
    """The settings in which the runs differ, as typed on the command line; empty if they are too long for a name."""
    keys = [
        key
        for key in dict.fromkeys(key for row in settings for key in row)
        if len({row.get(key) for row in settings}) > 1
    ]
    if "trainer.seed" in keys:
        seeds = [row.get("trainer.seed") for row in settings]
        keys = [key for key in keys if key not in SEEDS or [row.get(key) for row in settings] != seeds]
    last_parts = [key.rpartition(".")[2] for key in keys]
    names = list(keys)
    for i, part in enumerate(last_parts):
        if last_parts.count(part) == 1:
            names[i] = part
    values = [[str(row.get(key)) for key in keys] for row in settings]
    full = [" ".join(map("=".join, zip(names, row, strict=True))) for row in values]
    short = [
        " ".join(f"{name}={shortened(value, VALUE)}" for name, value in zip(names, row, strict=True)) for row in values
    ]
    readable = max(map(len, short)) <= LONGEST and len(set(short)) == len(set(full))
    if not readable:
        return ["" for _ in settings]
    return short


def dotted_settings(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The settings of a configuration by their dotted names."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from dotted_settings(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", str(value).replace(" ", "")
