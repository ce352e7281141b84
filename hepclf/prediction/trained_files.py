"""The files that a run was trained on: the tagger knows their events, so they are no test of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from hepclf.files import read_json, read_yaml
from hepclf.run import Run


def trained_files(run: Run, files: Sequence[str]) -> list[str]:
    """Those of these files that the configuration of the run names, also by a pattern."""
    data = read_yaml(run.config).get("data")
    settings = data if isinstance(data, Mapping) else {}
    root = Path(_directory(run)) / Path(str(settings.get("root") or ".")).expanduser()
    patterns = [str(root / Path(name).expanduser()) for name in _names(settings)]
    return [file for file in files if any(fnmatch(str(Path(file).absolute()), pattern) for pattern in patterns)]


def _directory(run: Run) -> str:
    """The folder that the run was started in; a run that was copied without its environment has none."""
    if not run.environment.is_file():
        return "."
    return str(read_json(run.environment).get("directory", "."))


def _names(settings: Mapping[str, Any]) -> Iterator[str]:
    """The names and patterns of files in the settings of a loader, without the trees behind them."""
    samples = [sample for sample in settings.get("samples") or () if isinstance(sample, Mapping)]
    for owner in (settings, *samples):
        files = owner.get("files") or ()
        for name in (files,) if isinstance(files, str) else files:
            path, _, tree = str(name).rpartition(":")
            yield path if path and "/" not in tree else str(name)
