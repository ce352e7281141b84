"""Files of a study's trials that cannot be read, and the consequence for those trials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hepclf.files import read_json
from hepclf.run import Run
from hepclf.search.folder import StudyFolder
from hepclf.search.trial import RECORD, Trial
from hepclf.workflow.history import read_history


def damage_lines(folder: StudyFolder) -> Iterator[str]:
    """A line for each trial with a file that cannot be read."""
    for number in range(folder.tuning.trials):
        path = folder.trial(number)
        trial = Trial.read(path)
        if trial is None and (path / RECORD).exists():
            yield f"trial {number}: {RECORD} cannot be read; the next worker makes the trial again"
        if trial is None or not trial.is_final:
            continue
        runs = [folder.run(number, repeat) for repeat in range(folder.tuning.repeats)]
        if files := [str(file.relative_to(path)) for run in runs for file in _damaged(run)]:
            yield f"trial {number}: {', '.join(files)} cannot be read; its result stays in {RECORD}"


def _damaged(run: Run) -> Iterator[Path]:
    """The files of a training that exist but cannot be read."""
    for path, read in ((run.environment, _read_json), (run.history, read_history)):
        try:
            read(path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            yield path


def _read_json(path: Path) -> None:
    read_json(path)
