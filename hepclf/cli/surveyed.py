"""A survey as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from hepclf.cli.terminal import section
from hepclf.presentation.tables import SPLIT_NAMES, titles_table
from hepclf.scored import SPLITS
from hepclf.survey.feature import FeatureSummary
from hepclf.survey.population import Population
from hepclf.survey.survey import Survey
from hepclf.words import number, percent

ACROSS = 4  # classes that fit beside each other, with errors


def show_survey(console: Console, survey: Survey) -> None:
    """Print the files that were read, the classes, the features, and the warnings."""
    files = [row for row in survey.processes if row.origin is not None]
    if files:
        section(console, "what was read", ("", "files", "entries", "selected", "share"), map(_file_row, files))
    weight, title = "sum of weights", "events"
    if survey.luminosity_fb is not None:
        weight, title = "expected yield", f"events, expected in {survey.luminosity_fb:g} /fb"
    section(console, title, ("", "events", weight, "effective", "w < 0, of Σ|w|"), _populations(survey))
    splits = [[row.name, *(f"{count:,}" for count in row.splits.values())] for row in survey.classes if row.splits]
    if splits:
        section(console, "split", ("", *(SPLIT_NAMES[name] for name in SPLITS)), splits)
    if survey.features:
        _features(console, survey)
    if (titles := titles_table(survey.titles)) is not None:
        section(console, *titles)
    if survey.spectators:
        console.print(f"spectators: {', '.join(survey.spectators)}", soft_wrap=True, markup=False)
    if repeated := survey.duplicates.repeated:
        console.print(f"{repeated:,} events have the same features as an earlier event", soft_wrap=True, markup=False)
    if survey.warnings:
        title = "\nwarnings" if survey.spectators or repeated else "warnings"
        console.print(title, style="bold")
    for caution in survey.warnings:
        console.print(f"- {caution.text}", markup=False)


def _file_row(row: Population) -> list[str]:
    if row.origin is None:
        return [row.name]
    _, files, entries, selected, _ = row.origin
    share = percent(selected / entries) if entries else "-"
    return [row.name, f"{files:,}", f"{entries:,}", f"{selected:,}", share]


def _populations(survey: Survey) -> Iterator[list[str]]:
    """Each class, and below it its processes, unless it consists of one process of the same name."""
    for row in survey.classes:
        yield _population(row, row.name)
        processes = [process for process in survey.processes if process.class_ == row.name]
        if [process.name for process in processes] != [row.name]:
            yield from (_population(process, f"  {process.name}") for process in processes)
    class_names = {row.name for row in survey.classes}
    yield from (
        _population(process, f"  {process.name}")
        for process in survey.processes
        if process.class_ is None and process.name not in class_names
    )


def _population(row: Population, name: str) -> list[str]:
    total = number(*row.weight, 1)
    if row.weight.error is None and row.weight.value:
        total = f"{row.weight.value:,.6g}"
    effective = "-" if row.effective is None else f"{row.effective:,.6g}"
    return [name, f"{row.events:,}", total, effective, _share(row.negative)]


def _features(console: Console, survey: Survey) -> None:
    """Range of each feature and, for two classes, its AUC; for more classes, the AUCs in separate tables."""
    classes = list(survey.features[0].auc)
    has_one_area = len(classes) == 1
    infinite = any(row.infinite for row in survey.features)
    title = "features, each event counted once"
    header = ["", "missing", "minimum", "maximum", "mean", "width"]
    if infinite:
        header.insert(2, "infinite")
    rows = [_feature(row, survey.events, infinite=infinite) for row in survey.features]
    if has_one_area:
        title += "; AUC of the feature alone, weighted"
        header.append("AUC")
        rows = [[*cells, number(*row.auc[classes[0]])] for cells, row in zip(rows, survey.features, strict=True)]
    section(console, title, header, rows)
    if has_one_area:
        return
    for start in range(0, len(classes), ACROSS):
        columns = classes[start : start + ACROSS]
        areas = [[row.name, *(number(*row.auc[name]) for name in columns)] for row in survey.features]
        section(console, "AUC of each feature, each class against the rest, weighted", ("", *columns), areas)


def _feature(row: FeatureSummary, events: int, *, infinite: bool) -> list[str]:
    missing = _share(row.missing / events) if row.missing else "0"
    cells = [row.name, missing]
    if infinite:
        cells.append(f"{row.infinite:,}")
    return [*cells, *map(_short, (row.minimum, row.maximum, row.mean, row.width))]


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    if 0 < value < 0.001:
        return "< 0.1 %"
    return percent(value)


def _short(value: float | None) -> str:
    """A number in at most eight characters."""
    if value is None:
        return "-"
    if abs(value) < 1e4:
        return f"{value:.4g}"
    if abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:.3g}"
