"""What a comparison leaves: its numbers as JSON and CSV, its curves, its pictures."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hepclf.comparison.compared import Compared
from hepclf.comparison.tables import headline, remarks, tables
from hepclf.run import Run, read_yaml, typed, write_bytes, write_csv, write_json

SCHEMA = 1
COLUMNS = (
    "name",
    "run",
    "auc_valid",
    "auc_valid_error",
    "auc_test",
    "auc_test_error",
    "difference",
    "difference_error",
    "p",
    "p_holm",
    "same_events",
    "asimov",
    "asimov_error",
    "asimov_systematic",
    "asimov_systematic_error",
    "training_s",
    "tagger_bytes",
    "events_per_s",
)
CURVE = ("name", "signal_efficiency", "background_efficiency", "background_efficiency_error", "threshold")


def record(of: Compared, folder: Path, *, plots: bool = True) -> tuple[Path, ...]:
    """Write a comparison into a folder of its own; its pictures come back."""
    made = Run.at(folder)
    with made.recorded():
        write_json(folder / "comparison.json", contents(of))
        targets = [point.target for point in of.comparison.contenders[0].working_points]
        rejections = [f"rejection_{target:g}{end}" for target in targets for end in ("", "_error")]
        write_csv(folder / "comparison.csv", [*COLUMNS, *rejections], _rows(of))
        write_csv(folder / "curves.csv", CURVE, _curves(of))
        drawn = _draw(of, made.plots) if plots else ()
        write_bytes(made.report, _page(of, made).encode())
        return drawn


def contents(of: Compared) -> dict[str, Any]:
    """The contents of comparison.json."""
    return {"schema": SCHEMA, "hepclf": version("hepclf"), **of.to_dict()}


def _rows(of: Compared) -> list[list[Any]]:
    """A row a run, empty where there is no number."""
    differences = {one.name: one for one in of.comparison.differences}
    rows: list[list[Any]] = []
    for one in of.comparison.contenders:
        entry, apart = of.entries[one.name], differences.get(one.name)
        tested = [*apart.value, apart.p, apart.holm, apart.other is None] if apart else [None] * 5
        expected = [*entry.expected.asimov, *entry.expected.asimov_systematic]
        costs = [entry.training_s, entry.tagger_bytes, of.rates[one.name]]
        rejections = [number for point in one.working_points for number in point.rejection]
        rows.append([one.name, str(entry.run.folder), *one.valid, *one.test, *tested, *expected, *costs, *rejections])
    return rows


def _curves(of: Compared) -> list[tuple[Any, ...]]:
    """The points of each curve as it is drawn."""
    rows: list[tuple[Any, ...]] = []
    for one in of.comparison.contenders:
        if curve := one.roc:
            columns = (curve.signal_efficiency, curve.background_efficiency, curve.background_error, curve.thresholds)
            points = zip(*(column.tolist() for column in columns), strict=True)
            rows += [(one.name, *point) for point in points]
    return rows


def _page(of: Compared, made: Run) -> str:
    """The page of a comparison; what the terminal says, with the pictures."""
    from hepclf.evaluation.report.comparison import comparison_page
    from hepclf.evaluation.report.page import Origin

    command = read_yaml(made.environment).get("command") or []
    data = ", ".join(dict.fromkeys(entry.data for entry in of.entries.values()))
    origin = Origin(title=f"{data}: {len(of.entries)} taggers", label="", command=typed(command))
    runs = {name: os.path.relpath(entry.run.folder) for name, entry in of.entries.items()}
    return comparison_page(
        list(headline(of)), list(tables(of)), list(remarks(of)), runs, made.plots, origin, beside=made.folder
    )


def _draw(of: Compared, folder: Path) -> tuple[Path, ...]:
    from hepclf.evaluation.plots.compare import draw

    alike = {one.name: one.spread for one in of.repeated}
    data = ", ".join(dict.fromkeys(entry.data for entry in of.entries.values()))
    rest = of.signal if len(of.classes) > 2 else None
    return tuple(draw(of.comparison, folder, title=data, rest_of=rest, repeated=alike))
