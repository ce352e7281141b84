"""The pictures of one part of the results, drawn and written; any process can draw any part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hepclf.evaluation.label import Label
from hepclf.evaluation.results import Results
from hepclf.presentation.plots import find_rate, losses
from hepclf.presentation.plots.index import KINDS, NUMBERED, IndexEntry, Part, Written
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.material import Material
from hepclf.presentation.plots.numbers import write_numbers
from hepclf.presentation.plots.picture import Picture, stamp, write_figure
from hepclf.presentation.plots.style import style


def draw_part(part: Part, material: Material) -> Written:
    """Write the pictures of a part; a note of an error names the part."""
    label, experiment = material.label, None
    if label:
        experiment = label.style
    try:
        with style(experiment):
            return write_pictures(_part_pictures(part, material), material.folder, part.study, label)
    except Exception as error:
        error.add_note(f"(while the pictures of {part.name} were drawn)")
        raise


def write_pictures(
    pictures: Iterable[Picture], folder: Path, study: str | None = None, label: Label | None = None
) -> Written:
    """Write pictures and their numbers."""
    written = Written([], {})
    for picture in pictures:
        if label:
            stamp(picture.figure, one_line(label.experiment, 20), one_line(label.status, 24))
        figures = write_figure(picture.figure, folder, picture.stem)
        numbers = write_numbers(folder / NUMBERED, picture.stem, picture.series)
        written.files.extend(path.relative_to(folder) for path in (*figures, *numbers))
        kinds = (*KINDS, *(path.suffix[1:] for path in numbers))
        written.entries[picture.stem] = IndexEntry(picture.caption, study, kinds)
    return written


def _part_pictures(part: Part, material: Material) -> Iterator[Picture]:
    """The pictures of a part; those of the training itself belong to no split."""
    results, run_title = material.results, material.title
    if part.name == "losses" and part.study is None:
        yield from losses.pictures(material.history or {"epoch": ()}, run_title)
        return
    if part.name == "find_rate" and part.study is None:
        yield from find_rate.pictures(material.rates or {"rate": ()}, run_title)
        return
    if part.is_own:
        yield from _own_pictures(part.name, results)
        return
    split = list(results.splits)[-1]
    words = [run_title, split]
    if material.label:
        words.reverse()
    arguments = [results, ", ".join(filter(None, words))]
    if part.study is not None:
        arguments.insert(0, results.studies[part.study])
    yield from import_module(f"hepclf.presentation.plots.{part.name}").pictures(*arguments)


def _own_pictures(name: str, results: Results) -> Iterator[Picture]:
    """The picture that a user's study draws itself."""
    study: Any = results.study_settings[name]
    drawn = study.draw(results.studies[name])
    if isinstance(drawn, Figure):
        drawn = Picture(name, drawn, study.question)
    if not isinstance(drawn, Picture):
        raise TypeError(f"evaluation.studies.{name}.draw must return a figure or a Picture, not {drawn!r}")
    yield drawn._replace(stem=f"study_{name}")
