"""A comparison of runs on one page: a file of its own that opens from disk and asks nothing of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hepclf.presentation.page.page import Origin, rendered
from hepclf.presentation.page.sections import listed
from hepclf.words import Grid

TEMPLATE = "comparison.html"


def comparison_page(
    lines: Sequence[str],
    tables: Sequence[Grid],
    remarks: Sequence[str],
    runs: Mapping[str, str],
    plots: Path,
    origin: Origin,
    *,
    beside: Path,
) -> str:
    """The page as HTML, with the pictures of the folder `plots` in it; no script runs on it, and nothing is fetched.

    lines    what is said first
    remarks  what is said below the tables
    runs     where each run lies, by name
    """
    drawn, given = listed(plots), {"lines": lines, "tables": tables, "remarks": remarks, "runs": runs}
    return rendered(TEMPLATE, origin, drawn, plots, beside, pictures=drawn, policy="none", **given)
