"""The pictures of the results and their studies, each as PNG and PDF, with its numbers in a folder beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hepclf.evaluation.label import Label
from hepclf.evaluation.plane import Plane
from hepclf.evaluation.results import Results
from hepclf.presentation.plots.bands import bands
from hepclf.presentation.plots.binned import binned
from hepclf.presentation.plots.calibration import calibration
from hepclf.presentation.plots.categories import categories
from hepclf.presentation.plots.correlations import correlations
from hepclf.presentation.plots.counting import counting
from hepclf.presentation.plots.discriminants import discriminants
from hepclf.presentation.plots.effective_cuts import effective_cuts
from hepclf.presentation.plots.flatness import flatness
from hepclf.presentation.plots.importance import importance
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.likelihood_ratio import likelihood_ratio
from hepclf.presentation.plots.multiclass import multiclass
from hepclf.presentation.plots.numbers import NUMBERS, write_numbers
from hepclf.presentation.plots.observed import observed
from hepclf.presentation.plots.overtraining import overtraining
from hepclf.presentation.plots.picture import INDEX, KINDS, IndexEntry, Picture, stamp, write_figure, write_index
from hepclf.presentation.plots.pictures import History, result_pictures
from hepclf.presentation.plots.points import points
from hepclf.presentation.plots.retrieval import retrieval
from hepclf.presentation.plots.sculpting import sculpting
from hepclf.presentation.plots.style import style
from hepclf.presentation.plots.triggers import triggers
from hepclf.presentation.plots.variations import variations

NUMBERED = "numbers"
# How the finding of each study is drawn: finding, results and title to pictures.
STUDIES: Mapping[str, Callable[[Any, Results, str], Iterator[Picture]]] = {
    "binned": binned,
    "bands": bands,
    "retrieval": retrieval,
    "overtraining": overtraining,
    "calibration": calibration,
    "likelihood_ratio": likelihood_ratio,
    "observed": observed,
    "categories": categories,
    "counting": counting,
    "points": points,
    "flatness": flatness,
    "variations": variations,
    "multiclass": multiclass,
    "discriminants": discriminants,
    "triggers": triggers,
    "importance": importance,
    "effective_cuts": effective_cuts,
    "correlations": correlations,
    "sculpting": sculpting,
}


def draw(
    results: Results,
    folder: Path,
    *,
    history: History | None = None,
    plane: Plane | None = None,
    title: str = "",
    label: Label | None = None,
) -> list[Path]:
    """Write the pictures that the results have values for, and pictures.json with their captions and studies.

    Pictures of an earlier pictures.json that are no longer drawn are removed. The pictures show the test split where
    there is one, else validation, else training. A label takes the place of the title.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    old_entries = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    written, entries = [], {}
    with style(label.style if label else None):
        for study, picture in _pictures(results, history, plane, one_line(title, 50), label):
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
    results: Results, history: History | None, plane: Plane | None, title: str, label: Label | None
) -> Iterator[tuple[str | None, Picture]]:
    """Each picture with its study, or None for a picture of the results themselves."""
    run_title = label.conditions() if label else title
    split = list(results.splits)[-1]
    split_title = ", ".join(filter(None, (split, run_title) if label else (run_title, split)))
    for picture in result_pictures(results, history, plane, run_title, split_title):
        yield None, picture
    for study, finding in results.studies.items():
        if study in STUDIES:
            for picture in STUDIES[study](finding, results, split_title):
                yield study, picture
