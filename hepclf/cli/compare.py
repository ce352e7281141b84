"""`hepclf compare DIR DIR... [out=DIR] [plots=false] [json=true]`: runs side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hepclf.cli.grids import show_grids
from hepclf.cli.terminal import results_console, short_path, show_warning_logs
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError

if TYPE_CHECKING:  # it imports uproot, which help does not need
    from hepclf.comparison.compared import Compared

KEYS = ("out", "plots", "json")
FLAGS = {"true": True, "false": False}


def run(arguments: list[str]) -> int:
    """Compare runs, print the tables and write a folder with numbers, curves and plots."""
    folders, settings = _read(arguments)
    as_json, plots = _flag(settings, "json", default=False), _flag(settings, "plots", default=True)
    show_warning_logs()

    from hepclf.comparison.compared import compare_runs
    from hepclf.comparison.selection import select_runs
    from hepclf.workflow.compare import contents

    runs, left_out = select_runs(folders)
    comparison = compare_runs(runs, left_out=left_out)
    folder = save_comparison(comparison, settings.get("out"), plots=plots)
    if as_json:
        print(json.dumps(contents(comparison), indent=2, allow_nan=False))
        return 0
    console = results_console()
    show_comparison(console, comparison)
    console.print(f"written to {short_path(folder)}", soft_wrap=True, markup=False)
    console.print(f"report     {short_path(folder / 'report.html')}", soft_wrap=True, markup=False)
    return 0


def save_comparison(comparison: Compared, out: str | None = None, *, plots: bool) -> Path:
    """Write a comparison into a folder of its own, by default comparisons/<date>_<time>-<id>."""
    from hepclf.run import new_folder
    from hepclf.workflow.compare import record_comparison

    folder = Path(out or new_folder(".", "comparisons"))
    record_comparison(comparison, folder, plots=plots)
    return folder


def show_comparison(console: Console, comparison: Compared) -> None:
    """Print the tables of a comparison, and the folders of its runs."""
    from hepclf.comparison.sentences import remarks, separation
    from hepclf.presentation.comparison import tables

    for line in separation(comparison):
        console.print(f"{line}\n", markup=False)
    show_grids(console, list(tables(comparison)))
    for line in remarks(comparison):
        console.print(line, markup=False)
    console.print()
    for name, entry in comparison.entries.items():
        console.print(f"{name}  {short_path(entry.run.folder)}", soft_wrap=True, markup=False)


def _read(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    folders, settings = [], {}
    for typed in arguments:
        word = "json=true" if typed == "--json" else typed
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
        known = ", ".join(f"{key}=" for key in KEYS)
        raise RecipeError(f"{flags[0]} is not a flag of compare; its settings are {known}")
    return folders, settings


def _flag(settings: dict[str, str], key: str, *, default: bool) -> bool:
    if key not in settings:
        return default
    value = settings[key]
    if value not in FLAGS:
        raise RecipeError(f"{key} must be true or false, not {value!r}")
    return FLAGS[value]
