"""The results on one page: a single file that opens from disk and fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hepclf.evaluation.evidence import LEVELS
from hepclf.evaluation.results import Results
from hepclf.presentation.page.aligned import aligned_table
from hepclf.presentation.page.contents import TERMS, Heading, section_headings
from hepclf.presentation.page.embedded import embedded_picture
from hepclf.presentation.page.headline import headline
from hepclf.presentation.page.movable import movable
from hepclf.presentation.page.sections import PagePicture, read_index, sections
from hepclf.presentation.page.sketch import HEIGHT, WIDTH, sketch
from hepclf.presentation.page.terms import spans, terms
from hepclf.presentation.tables import (
    OVERLAP,
    SPLIT_NAMES,
    confusion_table,
    plain_title,
    problem_sentences,
    quality_table,
    significance_table,
    working_points_table,
)
from hepclf.words import Grid

ASSETS = Path(__file__).parent  # templates, style and script of the pages
TEMPLATE, STYLE, SCRIPT = "page.html", "page.css", "page.js"
# The label of a picture's other files, and their subfolder of the folder of the pictures.
LINKS = {"pdf": ("PDF", ""), "csv": ("CSV", "numbers/"), "json": ("JSON", "numbers/"), "yaml": ("HEPData", "numbers/")}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the results come from, as the page says it.

    title        data and model
    label        experiment, status, energy and luminosity, where the pictures have them
    command      the command line that makes the results again
    config       text of the settings
    environment  facts by name, as environment.json has them
    """

    title: str
    label: str
    command: str
    config: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


def page(results: Results, plots: Path, provenance: Provenance, *, folder: Path) -> str:
    """The page as HTML, with the pictures of the folder `plots` in it.

    Everything that a user may have typed is escaped. The policy in the head of the page lets no script run but the
    page's own, and nothing be fetched.

    folder  the folder of the page, from which its links to the files of the pictures start
    """
    script = (ASSETS / SCRIPT).read_text(encoding="utf-8")
    split_name, split = list(results.splits.items())[-1]
    pictures = read_index(plots)
    always = ("cut",) * (results.cuts is not None)
    shown = list(sections(results.studies, results.study_settings, pictures, always=always))
    return render(
        TEMPLATE,
        provenance,
        list(section_headings(shown)),
        pictures,
        plots,
        folder,
        results=results,
        overlap=OVERLAP,
        set_name=SPLIT_NAMES[split_name],
        lines=(*problem_sentences(results), *headline(results)),
        warnings=results.warnings,
        tables=_tables(results),
        significance=significance_table(results),
        movable=results.cuts and movable(results.cuts),
        sketch=sketch(results, split),
        size=(WIDTH, HEIGHT),
        levels=LEVELS,
        sections=shown,
        labels={name: feature_label(*title) for name, title in results.titles.items()},
        script=script,
        policy=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )


def _tables(results: Results) -> list[Grid]:
    """The tables of the results themselves, but that of the significance; the page shows a matrix of two classes."""
    tables = [quality_table(results, "quality on each set")]
    if results.test is not None:
        if results.test.working_points:
            tables.append(working_points_table(results.test))
        if len(results.classes) > 2:
            tables.append(confusion_table(results.classes, results.test, expected=results.mixture.source != "events"))
    return tables


def feature_label(title: str, unit: str) -> str:
    """`E_T^miss, GeV`: what stands beside the name of a feature."""
    return ", ".join(filter(None, (plain_title(title), unit)))


def render(
    template: str,
    provenance: Provenance,
    headings: Sequence[Heading],
    pictures: Sequence[PagePicture],
    plots: Path,
    folder: Path,
    **variables: Any,
) -> str:
    """A page in `folder` with these headings and pictures of the folder `plots`; the template also takes `variables`.

    The terms of the results are explained at its end.
    """
    contents = [*headings, Heading(TERMS, "terms")]
    return (
        _environment()
        .get_template(template)
        .render(
            provenance=provenance,
            contents=contents,
            titles={heading.key: heading.text for heading in contents},
            terms=terms(),
            pictures=pictures,
            images={picture.stem: embedded_picture(plots / f"{picture.stem}.png") for picture in pictures},
            links=LINKS,
            plots=Path(os.path.relpath(plots, folder)).as_posix(),
            style=(ASSETS / STYLE).read_text(encoding="utf-8"),
            **variables,
        )
    )


@cache
def _environment() -> Environment:
    """The environment of the templates in this folder, which escapes whatever a user may have typed.

    A process has one, as it keeps the templates compiled: that takes longer than to fill them in.
    """
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["aligned"] = aligned_table
    environment.filters["spans"] = spans
    environment.filters["unbroken"] = lambda text: text.replace(" ± ", "\u00a0±\u00a0").replace(" %", "\u00a0%")
    return environment
