"""Record a comparison: its numbers as JSON and CSV, its curves, its pictures."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hepclf.comparison.compared import Compared
from hepclf.comparison.contenders import Contender
from hepclf.comparison.sentences import comparison_headline, remarks
from hepclf.files import read_yaml, write_csv, write_json, write_text
from hepclf.presentation.comparison import tables
from hepclf.run import Run, command_line

SCHEMA = 2
COLUMNS = (
    "name",
    "run",
    "copy_of",
    "sample",
    "kept_epoch",
    "log_loss_valid",
    "log_loss_valid_error",
    "auc_valid",
    "auc_valid_error",
    "auc_test",
    "auc_test_error",
    "reference",
    "difference",
    "difference_error",
    "p",
    "p_holm",
    "asimov",
    "asimov_error",
    "asimov_systematic",
    "asimov_systematic_error",
    "training_s",
    "tagger_bytes",
    "events_per_s",
)
CURVE = ("name", "signal_efficiency", "background_efficiency", "background_efficiency_error", "threshold")


def record_comparison(compared: Compared, folder: Path, *, plots: bool = True) -> tuple[Path, ...]:
    """Write a comparison into its own folder; returns its pictures."""
    run = Run.create(folder)
    with run.recorded():
        write_json(folder / "comparison.json", contents(compared))
        rejections = [
            f"rejection_{target:g}{end}" for target in compared.targets for end in ("", "_error", "_limit_95")
        ]
        write_csv(folder / "comparison.csv", [*COLUMNS, *rejections], _rows(compared))
        write_csv(folder / "curves.csv", CURVE, _curves(compared))
        drawn = _draw(compared, run.plots) if plots else ()
        write_text(run.report, _page(compared, run))
        return drawn


def contents(compared: Compared) -> dict[str, Any]:
    """The contents of comparison.json."""
    return {"schema": SCHEMA, "hepclf": version("hepclf"), **compared.to_dict()}


def _rows(compared: Compared) -> list[list[Any]]:
    """One row per run; a cell is empty if there is no number."""
    differences = {difference.name: difference for difference in compared.differences}
    rows: list[list[Any]] = []
    for sample, comparison in compared.samples.items():
        for run in comparison.contenders:
            entry, change = compared.entries[run.name], differences.get(run.name)
            training = [run.copy_of, sample or None, entry.kept_epoch, *run.valid_loss]
            tested: list[Any] = [None] * 5
            if change:
                tested = [change.reference, *change.value, change.p, change.holm]
            expected = [*entry.expected.asimov, *entry.expected.asimov_systematic]
            costs = [entry.training_s, entry.tagger_bytes, compared.rates[run.name]]
            places = [run.name, str(entry.run.folder)]
            rows.append([*places, *training, *run.valid, *run.test, *tested, *expected, *costs, *_rejections(run)])
    return rows


def _rejections(run: Contender) -> list[float | None]:
    """Value, error and lower limit at each working point."""
    numbers: list[float | None] = []
    for point in run.working_points:
        limit = point.rejection_limit.at_95 if point.rejection_limit else None
        numbers += [*point.rejection, limit]
    return numbers


def _curves(compared: Compared) -> list[tuple[Any, ...]]:
    """The points of each curve as drawn."""
    rows: list[tuple[Any, ...]] = []
    for tagger in compared.contenders:
        if curve := tagger.roc:
            columns = (curve.signal_efficiency, curve.background_efficiency, curve.background_error, curve.thresholds)
            points = zip(*(column.tolist() for column in columns), strict=True)
            rows += [(tagger.name, *point) for point in points]
    return rows


def _page(compared: Compared, run: Run) -> str:
    """The page of a comparison: the text of the terminal, with the pictures."""
    from hepclf.presentation.page.comparison import comparison_page
    from hepclf.presentation.page.page import Provenance

    command = read_yaml(run.environment).get("command") or []
    data = ", ".join(dict.fromkeys(entry.data for entry in compared.entries.values()))
    count = sum(len(sample.trainings) for sample in compared.samples.values())
    provenance = Provenance(title=f"{data}: {count} taggers", label="", command=command_line(command))
    runs = {name: os.path.relpath(entry.run.folder) for name, entry in compared.entries.items()}
    return comparison_page(
        list(comparison_headline(compared)),
        list(tables(compared)),
        list(remarks(compared)),
        runs,
        run.plots,
        provenance,
        folder=run.folder,
    )


def _draw(compared: Compared, folder: Path) -> tuple[Path, ...]:
    from hepclf.presentation.plots.compare import draw_comparison

    spreads = {group.name: group.spread for group in compared.repeated}
    data = ", ".join(dict.fromkeys(entry.data for entry in compared.entries.values()))
    signal = compared.signal if len(compared.classes) > 2 else None
    return tuple(draw_comparison(compared.samples, folder, title=data, signal=signal, repeated=spreads))
