"""The pictures of the results and their studies, each as PNG and PDF, with its numbers in a folder beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label
from hepclf.evaluation.results import Results
from hepclf.presentation.plots import confusion, losses, rejection, roc, scores, significance
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.losses import History
from hepclf.presentation.plots.numbers import NUMBERS, write_numbers
from hepclf.presentation.plots.picture import INDEX, KINDS, IndexEntry, Picture, stamp, write_figure, write_index
from hepclf.presentation.plots.style import style

NUMBERED = "numbers"
# Our own studies, each of which the module of its name draws.
STUDIES = tuple(setting.name for setting in fields(Evaluation) if hasattr(setting.default_factory, "study"))


def draw(
    results: Results,
    folder: Path,
    *,
    history: History | None = None,
    title: str = "",
    label: Label | None = None,
) -> list[Path]:
    """Write the pictures that the results have values for, and pictures.json with their captions and studies.

    Pictures of an earlier pictures.json that are no longer drawn are removed. The pictures show the test split where
    there is one, else validation, else training. A label takes the place of the title.
    """
    with style(label.style if label else None):
        return write_pictures(_pictures(results, history, one_line(title, 50), label), folder, label)


def write_pictures(
    pictures: Iterable[tuple[str | None, Picture]], folder: Path, label: Label | None = None
) -> list[Path]:
    """Write pictures, each with its study, their numbers and their index, in place of those of an earlier index."""
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    old_entries = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    written, entries = [], {}
    for study, picture in pictures:
        if label:
            stamp(picture.figure, one_line(label.experiment, 20), one_line(label.status, 24))
        written += write_figure(picture.figure, folder, picture.stem)
        numbers = write_numbers(folder / NUMBERED, picture.stem, picture.series)
        written += numbers
        kinds = [*KINDS, *(path.suffix[1:] for path in numbers)]
        entries[picture.stem] = IndexEntry(picture.caption, study, tuple(kinds))
    for path in _picture_files(folder, old_entries):
        if path not in written:
            path.unlink(missing_ok=True)
    write_index(folder, entries)
    return written


def _picture_files(folder: Path, stems: Iterable[str]) -> Iterator[Path]:
    """The files that pictures of these stems may have; older versions wrote the numbers beside the pictures."""
    for name in (Path(stem).name for stem in stems):
        yield from (folder / f"{name}.{kind}" for kind in (*KINDS, *NUMBERS))
        yield from (folder / NUMBERED / f"{name}.{kind}" for kind in NUMBERS)


def _pictures(
    results: Results, history: History | None, title: str, label: Label | None
) -> Iterator[tuple[str | None, Picture]]:
    """Each picture with its study, or None for a picture of the results themselves."""
    run_title = label.conditions() if label else title
    split = list(results.splits)[-1]
    split_title = ", ".join(filter(None, (split, run_title) if label else (run_title, split)))
    for picture in _result_pictures(results, history, run_title, split_title):
        yield None, picture
    for study in results.studies:
        for picture in _study_pictures(study, results, split_title):
            yield study, picture


def _result_pictures(results: Results, history: History | None, run_title: str, split_title: str) -> Iterator[Picture]:
    """The pictures of the results themselves; the losses belong to no split."""
    if history:
        yield from losses.pictures(history, run_title)
    for module in (scores, roc, rejection, confusion, significance):
        yield from module.pictures(results, split_title)


def _study_pictures(name: str, results: Results, title: str) -> Iterator[Picture]:
    """The pictures of one study: ours by the module of its name, the user's by its own `draw`."""
    finding = results.studies[name]
    if name in STUDIES:
        yield from import_module(f"hepclf.presentation.plots.{name}").pictures(finding, results, title)
    elif callable(draw_finding := getattr(results.study_settings.get(name), "draw", None)):
        drawn = draw_finding(finding)
        if isinstance(drawn, Figure):
            drawn = Picture(name, drawn, results.study_settings[name].question)
        if not isinstance(drawn, Picture):
            raise TypeError(f"evaluation.studies.{name}.draw must return a figure or a Picture, not {drawn!r}")
        yield drawn._replace(stem=f"study_{name}")
