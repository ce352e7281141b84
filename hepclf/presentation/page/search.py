"""A search on one page: a single file that opens from disk and fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hepclf.presentation.page.contents import MADE, Heading
from hepclf.presentation.page.page import Provenance, render
from hepclf.presentation.page.sections import PagePicture, read_index
from hepclf.words import Grid

TEMPLATE = "search.html"
BEST = Heading("Which settings are best?", "best")
SPACE = Heading("What was searched?", "space")


class SearchSection(NamedTuple):
    """A question, and the pictures that answer it; of a second objective, their names end in its name."""

    text: str
    key: str
    stems: tuple[str, ...]


SECTIONS = (
    SearchSection("Which trade-off do both objectives allow?", "front", ("front",)),
    SearchSection("How did the search go?", "course", ("history", "learning_curves")),
    SearchSection("Which settings matter?", "settings", ("importance", "slices", "choices", "parallel")),
)


class FinalTraining(NamedTuple):
    """What is said of the training with the best settings, and its page below the folder of the study."""

    line: str
    report: str | None


def search_page(
    lines: Sequence[str],
    best: Grid,
    tables: Mapping[str, Grid],
    notes: Mapping[str, Sequence[str]],
    final: FinalTraining | None,
    files: Mapping[str, str],
    plots: Path,
    provenance: Provenance,
    *,
    folder: Path,
) -> str:
    """The page as HTML, with the pictures of the folder `plots` in it; no script runs on it, and nothing is fetched.

    lines   the headline
    best    the best trials
    tables  by the key of their section; that of the space has the key space
    notes   sentences by the key of their section; those on the best trials have the key best
    files   what lies beside the page, by what it holds
    folder  the folder of the page, from which its links start
    """
    pictures = read_index(plots)
    sections = [(section, _pictures(section, pictures)) for section in SECTIONS]
    shown = [(section, drawn) for section, drawn in sections if drawn or notes.get(section.key)]
    return render(
        TEMPLATE,
        provenance,
        (BEST, *(Heading(section.text, section.key) for section, _ in shown), SPACE, Heading(MADE, "again")),
        pictures,
        plots,
        folder,
        policy="none",
        lines=lines,
        best=best,
        tables=tables,
        notes=notes,
        final=final,
        files=files,
        sections=shown,
    )


def _pictures(section: SearchSection, pictures: Sequence[PagePicture]) -> list[PagePicture]:
    """The pictures of a section in its order."""
    return [
        picture
        for stem in section.stems
        for picture in pictures
        if picture.stem == stem or picture.stem.startswith(f"{stem}_")
    ]
