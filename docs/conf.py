"""How `make docs` builds the site; the pages are the Markdown files of this folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from myst_parser.parsers.sphinx_ import MystParser

sys.path.insert(0, str(Path(__file__).resolve().parent))
from site_pages import markdown, restructured, settings, signature

project = "hepclf"
author = "The hepclf authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".ipynb": "notebook"}
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# A link or a cross-reference that leads nowhere is a warning, and `make docs` turns warnings into errors.
nitpicky = True
# Types of other libraries, and those of hepclf that the reference does not show, have no entry to link to.
nitpick_ignore_regex = [("py:.*", "(?!hepclf[.][A-Za-z_]+$).*")]

autodoc_member_order = "bysource"
python_maximum_signature_line_length = 100
add_module_names = False

html_theme = "furo"
html_title = "hepclf"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {"source_view_link": "", "top_of_page_buttons": []}

# The side bar: headings and the pages below them, in order; a page that is in none is a warning.
CONTENTS = {
    "Start": "first_steps first_csv glossary examples from_tmva",
    "Lessons": "lessons/index lessons/[!i]* lessons/ising",
    "Data": "root formats expressions weights",
    "Results": "evaluation evaluation/pictures evaluation/page outputs compare",
    "Questions": "evaluation/[a-oq-z]* evaluation/p[!ia]*",
    "Apply and deploy": "predict export",
    "Many trainings": "training folds ensemble sweeps tune cluster several_processes reliability shared_machines scale",
    "Reference": "settings api extending security benchmarks coverage",
    "Decisions": "adr/*",
}


class NotebookParser(MystParser):
    """Reads a Jupyter notebook as the Markdown of its cells and of their stored outputs."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: Any) -> None:
        """Fill the document from the text of a notebook file."""
        super().parse(markdown(json.loads(inputstring)), document)


def complete(app: Any, page: str, source: list[str]) -> None:  # noqa: ARG001
    """Called with the text of each page: adds what GitHub shows without, the side bar and the files of settings."""
    if page == "index":
        source[0] += "".join(
            f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {heading}\n\n{pages.replace(' ', chr(10))}\n```\n"
            for heading, pages in CONTENTS.items()
        )
    if page == "settings":
        source[0] += settings(Path(__file__).resolve().parent.parent / "configs")


def replace_docstring(*event: Any) -> None:
    """Called by autodoc with the lines of a docstring as the last argument."""
    lines = event[-1]
    lines[:] = restructured(lines)


def replace_signature(app: Any, what: str, name: str, obj: Any, *event: Any) -> tuple[str, str | None] | None:  # noqa: ARG001
    """Called by autodoc with what it would print as a signature, and as the type of what is returned."""
    if what not in ("class", "function", "method") or event[1] is None:
        return None
    returned = getattr(obj, "__annotations__", {}).get("return") if what != "class" else None
    return signature(obj), returned


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_source_parser(NotebookParser)
    app.connect("source-read", complete)
    app.connect("autodoc-process-docstring", replace_docstring)
    app.connect("autodoc-process-signature", replace_signature)
