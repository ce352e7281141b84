"""Advice: the command that was meant, where a word of the command line is no override or no choice."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hepclf.recipe import MANDATORY, RecipeError

MAIN_KEYS = {"evaluate": "run", "export": "run", "predict": "files"}
LOADERS = {  # the choice of data for files with samples, by the end of their names
    ".root": "root",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".npz": "npz",
    ".npy": "npz",
}


def file_advice(word: str) -> str:
    """How a file is read that is typed in place of a choice of data; empty for what names no such file."""
    suffixes = [suffix.lower() for suffix in Path(word).suffixes]
    if ".csv" in suffixes:
        return f"data=csv {shlex.quote(f'data.files={word}')}"
    loaders = [LOADERS[suffix] for suffix in suffixes if suffix in LOADERS]
    return f"data={loaders[-1]}, with the file in data.samples" if loaders else ""


def refuse_unfetched(choice: str | None, settings: Any) -> None:
    """Refuse a public data set without its file, and say what downloads it."""
    from hepclf.data.datasets import DATASETS

    if choice in DATASETS and isinstance(settings, Mapping) and settings.get("files") == MANDATORY:
        file = DATASETS[choice].file
        raise RecipeError(f"data.files must be given; hepclf fetch {choice} downloads it, then say data.files={file}")


def word_advice(command: str, word: str, words: Sequence[str]) -> str:
    """What to type in place of a word without =; empty if nothing is known."""
    index = words.index(word)
    before, after = "".join(words[:index][-1:]), "".join(words[index + 1 :][:1])
    if after.startswith("=") or before.endswith("="):
        return "write key=value without spaces around ="
    if main_key := MAIN_KEYS.get(command):
        return f"say {main_key}={word}"
    advice = file_advice(word)
    return f"say {advice}" if advice else ""
