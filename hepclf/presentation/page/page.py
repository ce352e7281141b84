"""The results on one page: a file of its own that opens from disk and asks nothing of the world."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hepclf.evaluation.evidence import LEVELS
from hepclf.evaluation.results import Results
from hepclf.presentation.page.aligned import aligned
from hepclf.presentation.page.headline import headline
from hepclf.presentation.page.movable import movable
from hepclf.presentation.page.sections import Shown, listed, sections
from hepclf.presentation.page.sketch import HEIGHT, WIDTH, sketch
from hepclf.presentation.tables import confusion, quality, significance, working_points

HERE = Path(__file__).parent
TEMPLATE, STYLE, SCRIPT = "page.html", "page.css", "page.js"
DPI = 150  # of the pictures, as their style has it
# What a picture's other files are called, and where they lie under the folder of the pictures.
LINKS = {"pdf": ("PDF", ""), "csv": ("CSV", "numbers/"), "json": ("JSON", "numbers/"), "yaml": ("HEPData", "numbers/")}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What the page says of the origin of the results.

    title        what was trained on what
    label        experiment, status, energy and luminosity, where the pictures have them
    command      that makes it again
    config       text of config.yaml
    environment  facts by name, as environment.json has them
    """

    title: str
    label: str
    command: str
    config: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


def page(results: Results, plots: Path, origin: Origin, *, beside: Path) -> str:
    """The page as HTML, with the pictures of the folder `plots` in it, and links to its files from the folder `beside`.

    Everything that a user may have typed is escaped; the policy in its head lets no script run but its own, and
    nothing be fetched.
    """
    script = (HERE / SCRIPT).read_text(encoding="utf-8")
    name, split = list(results.splits.items())[-1]
    tables = [quality(results, "quality on each split")]
    if results.test is not None:
        tables += [working_points(results.test)] if results.test.working_points else []
        if len(results.classes) > 2:
            tables.append(confusion(results.classes, results.test, expected=results.mixture.source != "events"))
    drawn = listed(plots)
    return rendered(
        TEMPLATE,
        origin,
        drawn,
        plots,
        beside,
        results=results,
        split=name,
        lines=headline(results),
        warnings=results.warnings,
        tables=tables,
        worth=significance(results),
        movable=movable(results.cuts) if results.cuts is not None else None,
        sketch=sketch(results, split),
        size=(WIDTH, HEIGHT),
        levels=LEVELS,
        sections=list(sections(results.studies, drawn)),
        script=script,
        policy=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )


def rendered(template: str, origin: Origin, drawn: Sequence[Shown], plots: Path, beside: Path, **given: Any) -> str:
    """A page in the folder `beside` of pictures in the folder `plots`, and of what else its template is given."""
    return (
        _environment()
        .get_template(template)
        .render(
            origin=origin,
            images={one.stem: _image(plots / f"{one.stem}.png") for one in drawn},
            links=LINKS,
            folder=Path(os.path.relpath(plots, beside)).as_posix(),
            style=(HERE / STYLE).read_text(encoding="utf-8"),
            **given,
        )
    )


def _environment() -> Environment:
    """What renders the templates of this folder: whatever a user may have typed is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["aligned"] = aligned
    made.filters["unbroken"] = lambda text: text.replace(" ± ", "\u00a0±\u00a0").replace(" %", "\u00a0%")
    return made


def _image(png: Path) -> tuple[str, int, int]:
    """The picture as a data URI, and its width and height in pixels of a page, 96 to the inch."""
    data = png.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return uri, round(width * 96 / DPI), round(height * 96 / DPI)
