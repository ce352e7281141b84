"""The index of a folder of pictures: which pictures there are, and what belongs to each. No matplotlib here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hepclf.files import read_json, write_text

INDEX = "pictures.json"
KINDS = ("png", "pdf")
NUMBERED = "numbers"  # folder of the numbers of the pictures
NUMBERS = ("csv", "json", "yaml")


class Part(NamedTuple):
    """Pictures that are drawn together: those of one study, or those of the results that one module draws.

    is_own  whether it is a user's study, which has its own `draw`
    """

    name: str
    study: str | None = None
    is_own: bool = False


class IndexEntry(NamedTuple):
    """The entry of a picture in the index of a folder: its caption, its study, and the types of its files."""

    caption: str
    study: str | None
    kinds: tuple[str, ...]


class Written(NamedTuple):
    """The files of drawn pictures, relative to their folder, and their entries in the index by stem."""

    files: list[Path]
    entries: dict[str, IndexEntry]


def write_index(folder: Path, entries: Mapping[str, IndexEntry]) -> None:
    """Write pictures.json, which names the pictures of a folder."""
    contents = {stem: entry._asdict() for stem, entry in entries.items()}
    write_text(folder / INDEX, json.dumps(contents, indent=2, ensure_ascii=False) + "\n")


def replace_index(folder: Path, parts: Iterable[Written]) -> list[Path]:
    """Write the index of drawn pictures, and remove files that only the older index lists; returns the drawn files."""
    index = folder / INDEX
    old_entries = {}
    if index.is_file():
        old_entries = read_json(index)
    written = Written([], {})
    for part in parts:
        written.files.extend(part.files)
        written.entries.update(part.entries)
    files = [folder / file for file in written.files]
    for path in set(_picture_files(folder, old_entries)) - set(files):
        path.unlink(missing_ok=True)
    write_index(folder, written.entries)
    return files


def _picture_files(folder: Path, stems: Iterable[str]) -> Iterator[Path]:
    """The files that pictures of these stems may have; older versions wrote the numbers beside the pictures."""
    for name in (Path(stem).name for stem in stems):
        yield from (folder / f"{name}.{kind}" for kind in (*KINDS, *NUMBERS))
        yield from (folder / NUMBERED / f"{name}.{kind}" for kind in NUMBERS)
