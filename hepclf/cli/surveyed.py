"""A survey as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from hepclf.cli.terminal import section
from hepclf.scored import SPLITS
from hepclf.survey.feature import FeatureSummary
from hepclf.survey.population import Population
from hepclf.survey.survey import Survey
from hepclf.words import number, percent

ACROSS = 4  # classes that fit beside each other, with errors


def show(console: Console, found: Survey) -> None:
    """Print what was read, who is in it, what the features hold, and the warnings."""
    read = [row for row in found.processes if row.origin is not None]
    if read:
        section(console, "what was read", ("", "files", "entries", "selected", "share"), map(_read, read))
    weight = "sum of weights" if found.luminosity_fb is None else "expected yield"
    title = "events" if found.luminosity_fb is None else f"events, expected in {found.luminosity_fb:g} /fb"
    section(console, title, ("", "events", weight, "effective", "negative"), _populations(found))
    splits = [[row.name, *(f"{count:,}" for count in row.splits.values())] for row in found.classes if row.splits]
    if splits:
        section(console, "split", ("", *SPLITS), splits)
    if found.features:
        _features(console, found)
    if found.spectators:
        console.print(f"spectators: {', '.join(found.spectators)}", soft_wrap=True, markup=False)
    if repeated := found.duplicates.repeated:
        console.print(f"{repeated:,} events have the features of an earlier one", soft_wrap=True, markup=False)
    if found.warnings:
        console.print("\nwarnings" if found.spectators or repeated else "warnings", style="bold")
    for caution in found.warnings:
        console.print(f"- {caution.text}", markup=False)


def _read(row: Population) -> list[str]:
    if row.origin is None:
        return [row.name]
    _, files, entries, selected, _ = row.origin
    return [row.name, f"{files:,}", f"{entries:,}", f"{selected:,}", percent(selected / entries) if entries else "-"]


def _populations(found: Survey) -> Iterator[list[str]]:
    """Each class, and below it its processes where they are others."""
    for row in found.classes:
        yield _population(row, row.name)
        mine = [each for each in found.processes if each.class_ == row.name]
        if [each.name for each in mine] != [row.name]:
            yield from (_population(each, f"  {each.name}") for each in mine)
    yield from (
        _population(each, f"  {each.name}")
        for each in found.processes
        if each.class_ is None and each.name not in {row.name for row in found.classes}
    )


def _population(row: Population, name: str) -> list[str]:
    total = f"{row.weight.value:,.6g}" if row.weight.error is None and row.weight.value else number(*row.weight, 1)
    effective = "-" if row.effective is None else f"{row.effective:,.6g}"
    return [name, f"{row.events:,}", total, effective, _share(row.negative)]


def _features(console: Console, found: Survey) -> None:
    """Range and, of two classes, the area; of several, the areas in tables of their own."""
    kinds = list(found.features[0].auc)
    single = len(kinds) == 1
    infinite = any(row.infinite for row in found.features)
    header = ["", "missing", *(["infinite"] if infinite else []), "minimum", "maximum", "mean", "width"]
    rows = [_feature(row, found.events, infinite=infinite) for row in found.features]
    if single:
        header.append("AUC alone")
        rows = [[*cells, number(*row.auc[kinds[0]])] for cells, row in zip(rows, found.features, strict=True)]
    section(console, "features, each event counted once" + (", AUC weighted" if single else ""), header, rows)
    if single:
        return
    for start in range(0, len(kinds), ACROSS):
        some = kinds[start : start + ACROSS]
        areas = [[row.name, *(number(*row.auc[kind]) for kind in some)] for row in found.features]
        section(console, "AUC alone, each class against the rest, weighted", ("", *some), areas)


def _feature(row: FeatureSummary, events: int, *, infinite: bool) -> list[str]:
    missing = _share(row.missing / events) if row.missing else "0"
    more = [f"{row.infinite:,}"] if infinite else []
    return [row.name, missing, *more, *map(_short, (row.minimum, row.maximum, row.mean, row.width))]


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.1 %" if 0 < value < 0.001 else percent(value)


def _short(value: float | None) -> str:
    """At most eight letters."""
    if value is None:
        return "-"
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}" if abs(value) < 1e4 else f"{value:.3g}"
