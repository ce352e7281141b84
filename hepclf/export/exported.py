"""Export: the tagger of a run in a form that other programs read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hepclf.events import Events, Sentinels
from hepclf.export.cases import Columns
from hepclf.export.components import components, event_folds
from hepclf.export.formats import FORMATS, FormatName, uncalibrated
from hepclf.export.gate import Trial, largest_difference, trial
from hepclf.export.hard_events import Features
from hepclf.files import read_yaml, write_bytes
from hepclf.models.calibrated import calibration_summary
from hepclf.models.folds import key_column
from hepclf.models.loading import load_tagger
from hepclf.models.members import MembersTagger, key_columns
from hepclf.models.model import Tagger
from hepclf.models.tagger import HEAD, plain_sentinels
from hepclf.recipe import recipe
from hepclf.run import Run

FOLDER = "exports"
# The words of C++17 and the namespace of its library.
KEYWORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl const "
    "const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern "
    "false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or "
    "or_eq private protected public register reinterpret_cast return short signed sizeof static static_assert "
    "static_cast std struct switch template this thread_local throw true try typedef typeid typename union unsigned "
    "using virtual void volatile wchar_t while xor xor_eq"
)


@recipe
class Export:
    """The format and name of an export, and the number of events on which it is compared with the tagger.

    name    of the file, and of the namespace in C++
    out     folder; by default exports/ of the run
    events  number of real events to compare, evenly spread over the given ones; edge cases are always compared
    """

    format: FormatName
    name: str = "tagger"
    out: str | None = None
    events: int = 100_000

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name, re.ASCII):
            raise ValueError(f"name must be letters, digits and _ for C++, not {self.name!r}")
        if self.format == "cpp" and self.name in KEYWORDS.split():
            raise ValueError(f"name must not be a keyword of C++, such as {self.name}; choose another")
        if self.events < 0:
            raise ValueError(f"events must be at least 0, not {self.events}")


class Exported(NamedTuple):
    """The file, its trial, the largest difference of its scores from the tagger's, and the values read as NaN."""

    path: Path
    tagger: Tagger
    trial: Trial
    worst: float
    sentinels: Sentinels


def exported(
    run: Run | Path | str, export: Export, events: Events | None = None, *, recipes: tuple[type[Any], ...] = ()
) -> Exported:
    """Write the tagger of a run, if the file gives the tagger's scores for these events and for edge cases.

    `recipes` are recipe classes of your own that the stored tagger may name.
    """
    if not isinstance(run, Run):
        run = Run.open(run)
    run.require(run.tagger)
    tagger, file_format = load_tagger(run.tagger, recipes), FORMATS[export.format]
    write, read = file_format.writer_and_reader(export.format, tagger)
    tested = trial(tagger, *_real(tagger, export.events, events))
    notes = _notes(run, tagger, tested)
    difference: float | None = None
    for _ in range(2):  # the second file states the difference, and is tested as well
        data = write(tagger, export.name, {**notes, "difference": json.dumps(difference)})
        with read(data) as score:
            difference = largest_difference(export.format, score, tested, refuses=file_format.refuses)
    folder = run.folder / FOLDER
    if export.out is not None:
        folder = Path(export.out).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{export.name}{file_format.suffix}"
    write_bytes(path, data)
    return Exported(path, tagger, tested, difference or 0.0, tagger.sentinels)


def _real(tagger: Tagger, count: int, events: Events | None) -> tuple[Features, Columns | None]:
    """The tagger's inputs [count, d] for events that are evenly spread over the given ones, and their fold columns."""
    if events is None or count == 0:
        return np.empty((0, len(tagger.inputs)), dtype=np.float32), None
    chosen = events.take(np.linspace(0, len(events) - 1, min(count, len(events))).astype(np.int64))
    columns = None
    if set(keys := key_columns(tagger)) <= set(chosen.spectators):
        columns = {name: key_column(chosen.spectators, name) for name in keys}
    return chosen.select(tagger.inputs), columns


def _notes(run: Run, tagger: Tagger, tested: Trial) -> Mapping[str, str]:
    """The metadata of the file, each value as JSON."""
    notes = {
        "hepclf": version("hepclf"),
        "run": run.folder.name,
        "tagger_sha256": hashlib.sha256((run.tagger / HEAD).read_bytes()).hexdigest(),
        "features": tagger.inputs,
        "classes": tagger.classes,
        "sentinels": plain_sentinels(tagger.sentinels),
        "calibration": _calibration(tagger),
        **_member_notes(tagger),
        "working_points": _working_points(run),
        "events_compared": tested.real_count,
        "hard_events_compared": tested.hard_count,
        "difference_allowed": tested.allowed,
    }
    return {name: json.dumps(value) for name, value in notes.items()}


def _calibration(tagger: Tagger) -> dict[str, Any] | None:
    _, calibration = uncalibrated(tagger)
    return None if calibration is None else calibration_summary(calibration)


def _member_notes(tagger: Tagger) -> dict[str, Any]:
    """The folds of a tagger of members and the calibration of each member; nothing for others."""
    if not isinstance(tagger, MembersTagger):
        return {}
    folds = event_folds(tagger)
    return {
        "calibration": [_calibration(component.tagger) for component in components(tagger)],
        "folds": None if folds is None else folds.to_dict(),
    }


def _working_points(run: Run) -> list[Any]:
    """The working points of the run: thresholds with their efficiencies."""
    if not run.metrics.is_file():
        return []
    test = read_yaml(run.metrics).get("test")
    points = test.get("working_points") if isinstance(test, Mapping) else None
    return list(points) if isinstance(points, list) else []
