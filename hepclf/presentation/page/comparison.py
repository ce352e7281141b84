"""A comparison of runs on one page: a single file that opens from disk and fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hepclf.presentation.page.contents import MADE, Heading
from hepclf.presentation.page.page import Provenance, render
from hepclf.presentation.page.sections import read_index
from hepclf.words import Grid

TEMPLATE = "comparison.html"
PICTURES = Heading("Which is better?", "pictures")
HEADINGS: tuple[Heading, ...] = (Heading("By how much, and at what cost?", "tables"), Heading(MADE, "again"))


def comparison_page(
    lines: Sequence[str],
    tables: Sequence[Grid],
    remarks: Sequence[str],
    runs: Mapping[str, str],
    plots: Path,
    provenance: Provenance,
    *,
    folder: Path,
) -> str:
    """The page as HTML, with the pictures of the folder `plots` in it; no script runs on it, and nothing is fetched.

    lines    the headline
    remarks  sentences below the tables
    runs     the folder of each run, by name
    folder   the folder of the page, from which its links to the files of the pictures start
    """
    variables = {"lines": lines, "tables": tables, "remarks": remarks, "runs": runs}
    pictures = read_index(plots)
    headings = HEADINGS
    if pictures:
        headings = (PICTURES, *HEADINGS)
    return render(TEMPLATE, provenance, headings, pictures, plots, folder, policy="none", **variables)
