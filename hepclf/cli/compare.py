"""`hepclf compare DIR DIR... [out=DIR] [plots=false] [json=true]`: runs side by side."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hepclf.cli.terminal import WIDTH, listen, output, place, section
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError
from hepclf.words import Grid, shortened

if TYPE_CHECKING:  # it imports uproot, which help does not need
    from hepclf.comparison.compared import Compared

KEYS = ("out", "plots", "json")
NARROWEST = 8  # column of a table
FLAGS = {"true": True, "false": False}


def run(arguments: list[str]) -> int:
    """Compare runs, print the tables and leave a folder with numbers, curves and pictures."""
    folders, settings = _read(arguments)
    as_json, plots = _flag(settings, "json", default=False), _flag(settings, "plots", default=True)
    listen()

    from hepclf.comparison.compared import compare_runs
    from hepclf.comparison.selection import select_runs
    from hepclf.workflow.compare import contents

    runs, left_out = select_runs(folders)
    found = compare_runs(runs, left_out=left_out)
    kept = keep(found, settings.get("out"), plots=plots)
    if as_json:
        print(json.dumps(contents(found), indent=2, allow_nan=False))
        return 0
    console = output()
    show(console, found)
    console.print(f"written to {place(kept)}", soft_wrap=True, markup=False)
    console.print(f"report     {place(kept / 'report.html')}", soft_wrap=True, markup=False)
    return 0


def keep(found: Compared, out: str | None = None, *, plots: bool) -> Path:
    """Write a comparison into a folder of its own, by default comparisons/<date>_<time>-<id>."""
    from hepclf.run import new_folder
    from hepclf.workflow.compare import record

    folder = Path(out) if out else new_folder(".", "comparisons")
    record(found, folder, plots=plots)
    return folder


def show(console: Console, found: Compared) -> None:
    """Print the tables of a comparison, and where its runs lie."""
    from hepclf.comparison.sentences import remarks, separation
    from hepclf.presentation.comparison import tables

    for line in separation(found):
        console.print(f"{line}\n", markup=False)
    for grid in tables(found):
        _table(console, grid)
    for line in remarks(found):
        console.print(line, markup=False)
    console.print()
    for name, one in found.entries.items():
        console.print(f"{name}  {place(one.run.folder)}", soft_wrap=True, markup=False)


def _read(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    folders, settings = [], {}
    for word in ("json=true" if word == "--json" else word for word in arguments):
        key, is_setting, value = word.partition("=")
        if not is_setting or Path(word).is_dir():
            folders.append(word)
        elif key not in KEYS:
            raise RecipeError(f"{key} is not a setting of compare{nearest(key, KEYS)}")
        elif not value:
            raise RecipeError(f"{key} must not be empty; say {key}=...")
        else:
            settings[key] = value
    if flags := [word for word in folders if word.startswith("-")]:
        raise RecipeError(f"{flags[0]} is not a flag of compare; its settings are {', '.join(f'{k}=' for k in KEYS)}")
    return folders, settings


def _flag(settings: dict[str, str], key: str, *, default: bool) -> bool:
    value = settings.get(key)
    if value is not None and value not in FLAGS:
        raise RecipeError(f"{key} must be true or false, not {value!r}")
    return default if value is None else FLAGS[value]


def _table(console: Console, grid: Grid) -> None:
    """A table in 80 columns: headers and names are wrapped between words, words too long shortened, numbers neither."""
    columns = list(zip(*grid.rows, strict=True))
    longest = max(map(len, columns[0]))
    for width in range(WIDTH, NARROWEST - 1, -1):
        header = [
            _wrapped(name, max(*map(len, column), *map(len, name.split()), width))
            for name, column in zip(grid.header[1:], columns[1:], strict=True)
        ]
        widths = [
            max(map(len, [*name.splitlines(), *column])) + 2 for name, column in zip(header, columns[1:], strict=True)
        ]
        room = WIDTH - sum(widths)
        if room >= longest:
            break
    names = [_wrapped(name, max(room, NARROWEST)) for name in columns[0]]
    rows = [(name, *row[1:]) for name, row in zip(names, grid.rows, strict=True)]
    section(console, grid.title, [grid.header[0], *header], rows)


def _wrapped(text: str, width: int) -> str:
    words = " ".join(shortened(word, width) for word in text.split())
    return "\n".join(textwrap.wrap(words, width, break_on_hyphens=False))
