"""The runs among some folders that can be compared, and the reasons against the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hepclf.recipe import RecipeError
from hepclf.run import Run

log = logging.getLogger(__name__)


class LeftOut(NamedTuple):
    """A run that is not compared: its path or its name, and the reason."""

    run: str
    reason: str

    @property
    def short_path(self) -> str:
        """Its path, relative to the working directory if the run is below it."""
        path, directory = Path(self.run), Path.cwd()
        if not path.is_relative_to(directory):
            return self.run
        return str(path.relative_to(directory))


class Selection(NamedTuple):
    """The runs among some paths, each once, and what is left out."""

    runs: tuple[Run, ...]
    left_out: tuple[LeftOut, ...]


def select_runs(paths: Sequence[Path | str]) -> Selection:
    """The runs at these paths; a pattern of the shell also matches files, and folders that are no runs."""
    runs: dict[Path, Run] = {}
    left_out = []
    for path in map(Path, paths):
        if reason := _reason_against(path):
            left_out.append(LeftOut(str(path.absolute()), reason))
            continue
        if path.is_dir():
            run = Run(path.resolve())
        else:
            run = Run.open(path)
        if run.folder in runs:
            log.warning("%s is %s, which is compared once", path, run.folder)
        runs[run.folder] = run
    return Selection(tuple(runs.values()), tuple(left_out))


def _reason_against(path: Path) -> str | None:
    """Why there is no run at a path; None if there is one, or if the path does not exist, which is a user's error."""
    if path.is_symlink() and not path.exists():
        return "a link to nothing"
    if path.is_file():
        return "a file, not the folder of a run"
    run = Run(path)
    if path.is_dir() and not run.config.is_file() and not run.environment.is_file():
        return f"not a run of hepclf: it holds no {run.config.name}"
    return None


def check_count(count: int, left_out: Sequence[LeftOut]) -> None:
    """Refuse a comparison of fewer than two runs; it is an error of the command only if no run was left out."""
    if count >= 2:
        return
    if not left_out:
        raise RecipeError(f"a comparison needs at least two runs, not {count}; say hepclf compare DIR DIR")
    reasons = "; ".join(f"{run.short_path} ({run.reason})" for run in left_out[:3])
    if len(left_out) > 3:
        reasons += f"; and {len(left_out) - 3} more"
    raise ValueError(f"a comparison needs at least two runs, not {count}; left out: {reasons}")
