"""The pictures of a search, each as PNG and PDF, with its numbers in a folder beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hepclf.presentation.plots.drawing import write_pictures
from hepclf.presentation.plots.index import replace_index
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.picture import Picture
from hepclf.presentation.plots.search import choices, curves, front, history, importance, parallel, slices
from hepclf.presentation.plots.search.table import TrialTable
from hepclf.presentation.plots.style import style


def draw_search(table: TrialTable, folder: Path, *, title: str = "") -> list[Path]:
    """Write the pictures for which there are trials, and pictures.json with their captions."""
    folder.mkdir(parents=True, exist_ok=True)
    with style():
        return replace_index(folder, [write_pictures(_pictures(table, one_line(title, 50)), folder)])


def _pictures(table: TrialTable, title: str) -> Iterator[Picture]:
    for module in (history, curves, importance, slices, choices, parallel, front):
        yield from module.pictures(table, title)
