"""`hepclf compare DIR DIR... [out=DIR] [plots=false] [json=true]`: runs side by side."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hepclf.cli.terminal import WIDTH, listen, output, place, section, size
from hepclf.evaluation.grid import alone, number
from hepclf.events import nearest
from hepclf.recipe import RecipeError

if TYPE_CHECKING:  # it imports uproot, which help does not need
    from hepclf.comparison.compared import Compared

KEYS = ("out", "plots", "json")
FLAGS = {"true": True, "false": False}
ACROSS = 4  # working points that fit beside a name


def run(arguments: list[str]) -> int:
    """Compare runs, print the tables and leave a folder with numbers, curves and pictures."""
    folders, settings = _read(arguments)
    as_json, plots = _flag(settings, "json", default=False), _flag(settings, "plots", default=True)
    listen()

    from hepclf.comparison.compared import compared
    from hepclf.comparison.entry import distinct
    from hepclf.comparison.record import contents

    found = compared(distinct(folders))
    kept = keep(found, settings.get("out"), plots=plots)
    if as_json:
        print(json.dumps(contents(found), indent=2, allow_nan=False))
        return 0
    console = output()
    show(console, found)
    console.print(f"written to {place(kept)}", soft_wrap=True, markup=False)
    return 0


def keep(found: Compared, out: str | None = None, *, plots: bool) -> Path:
    """Write a comparison into a folder of its own, by default comparisons/<date>_<time>-<id>."""
    from hepclf.comparison.record import record
    from hepclf.run import new_folder

    folder = Path(out) if out else new_folder(".", "comparisons")
    record(found, folder, plots=plots)
    return folder


def show(console: Console, found: Compared) -> None:
    """Print quality, rejection and cost of each run, and its difference to the reference."""
    order = (
        "best on validation first" if found.comparison.by_validation else "in the order given, as none has validation"
    )
    _table(console, f"AUC and significance, {order}", QUALITY, _quality(found))
    of = f", {found.signal} against the rest," if len(found.classes) > 2 else ""
    targets = [point.target for point in found.comparison.contenders[0].working_points]
    for start in range(0, len(targets), ACROSS):
        some = slice(start, start + ACROSS)
        header = ("", *(f"{target:g}" for target in targets[some]))
        _table(console, f"rejection on test{of} at a signal efficiency of", header, _rejections(found, some))
    for name in dict.fromkeys(name for one in found.entries.values() for name in one.sculpted):
        header = ("", *(f"{target:g}" for target in targets[:ACROSS]))
        title = f"1/JSD of the background in {name} on test at a signal efficiency of"
        _table(console, title, header, _sculpted(found, name, targets[:ACROSS]))
    _table(console, "cost", ("", "training", "tagger", "scoring"), _costs(found))
    several = len(found.comparison.differences) > 1
    header = ("", "difference", "p", *(["p (Holm)"] if several else []), "test events")
    _table(console, f"test AUC less that of {found.reference}", header, _differences(found, several=several))
    if found.repeated:
        header = ("", "trainings", "mean test AUC", "deviation of one", "error of one")
        _table(console, "trainings that differ in seeds and folds alone", header, _repeated(found))
    for line in _remarks(found, several=several):
        console.print(line, markup=False)
    console.print()
    for name, one in found.entries.items():
        console.print(f"{name}  {place(one.run.folder)}", soft_wrap=True, markup=False)


def _read(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    folders, settings = [], {}
    for word in ("json=true" if word == "--json" else word for word in arguments):
        key, is_setting, value = word.partition("=")
        if not is_setting or Path(word).is_dir():
            folders.append(word)
        elif key not in KEYS:
            raise RecipeError(f"{key} is not a setting of compare{nearest(key, KEYS)}")
        elif not value:
            raise RecipeError(f"{key} must not be empty; say {key}=...")
        else:
            settings[key] = value
    if flags := [word for word in folders if word.startswith("-")]:
        raise RecipeError(f"{flags[0]} is not a flag of compare; its settings are {', '.join(f'{k}=' for k in KEYS)}")
    return folders, settings


def _flag(settings: dict[str, str], key: str, *, default: bool) -> bool:
    value = settings.get(key)
    if value is not None and value not in FLAGS:
        raise RecipeError(f"{key} must be true or false, not {value!r}")
    return default if value is None else FLAGS[value]


def _table(console: Console, title: str, header: Sequence[str], rows: Iterator[list[str]]) -> None:
    """A table in 80 columns: long names are folded, numbers never."""
    kept = list(rows)
    others = zip(*([list(header), *kept]), strict=True)
    wide = sum(max(map(len, column)) + 2 for column in list(others)[1:])
    for row in kept:
        row[0] = "\n".join(textwrap.wrap(row[0], max(WIDTH - wide, 8)))
    section(console, title, header, kept)


QUALITY = ("", "validation AUC", "test AUC", "Asimov", "B uncertain")


def _quality(found: Compared) -> Iterator[list[str]]:
    for one in found.comparison.contenders:
        expected = found.entries[one.name].expected
        significances = (number(*value, 2) for value in (expected.asimov, expected.asimov_systematic))
        yield [one.name, number(*one.valid), number(*one.test), *significances]


def _rejections(found: Compared, some: slice) -> Iterator[list[str]]:
    for one in found.comparison.contenders:
        yield [one.name, *(number(*point.rejection, 1) for point in one.working_points[some])]


def _sculpted(found: Compared, spectator: str, targets: Sequence[float]) -> Iterator[list[str]]:
    """1/JSD at each working point, where the run's own evaluation names the spectator."""
    from hepclf.evaluation.shapes.divergence import inverse

    for name, one in found.entries.items():
        points = one.sculpted.get(spectator, {})
        yield [name, *(inverse(points[target]) if target in points else "-" for target in targets)]


def _costs(found: Compared) -> Iterator[list[str]]:
    for name, one in found.entries.items():
        speed = found.rates[name]
        yield [
            name,
            "-" if one.training_s is None else _duration(one.training_s),
            "-" if one.tagger_bytes is None else size(one.tagger_bytes),
            "-" if speed is None else f"{float(f'{speed:.2g}'):,.0f} events/s",
        ]


def _differences(found: Compared, *, several: bool) -> Iterator[list[str]]:
    for one in found.comparison.differences:
        values = (one.p, one.holm) if several else (one.p,)
        events = "the same" if one.other is None else f"other ({one.other})"
        yield [one.name, number(*one.value), *map(_chance, values), events]


def _repeated(found: Compared) -> Iterator[list[str]]:
    for one in found.repeated:
        of = one.spread
        own = "-" if of.own_error is None else alone(of.own_error, of.own_error)
        yield [one.name, str(len(one.runs)), number(*of.area), number(*of.deviation), own]


def _remarks(found: Compared, *, several: bool) -> Iterator[str]:
    differences = found.comparison.differences
    if any(one.p is not None for one in differences):
        yield "p: the chance that equal taggers differ as much on such events; not over seeds"
    if several:
        yield f"p (Holm): the same, corrected for looking at {len(differences)} differences"
    if any(one.other for one in differences):
        yield "other test events: the two areas are taken as independent"
    for one in differences:
        if one.reason:
            yield f"{one.name}: no p, as {one.reason}"
    for name, entry in found.entries.items():
        if entry.expected.reason:
            yield f"{name}: no significance, as {entry.expected.reason}"
    yield from found.notes


def _chance(p: float | None) -> str:
    if p is None:
        return "-"
    return f"{p:.2g}" if p > 1e-300 else "< 1e-300"


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
