"""`hepclf inspect data=...`: what a dataset holds."""

from __future__ import annotations

import json

from omegaconf import DictConfig

from hepclf.cli import config as conf
from hepclf.cli.terminal import listen, number, output, table

KNOWN = ("data", "seed", "json")


def run(arguments: list[str]) -> int:
    """Print the classes, processes and features of a dataset."""
    listen()
    conf.launch("inspect", arguments, _inspect)
    return 0


def _inspect(config: DictConfig) -> None:
    values = conf.plain(config)
    conf.refuse_unknown(values, KNOWN)
    loader = conf.read(values.get("data"), "data")

    from hepclf.evaluation.survey import survey

    found = survey(loader.load().check())
    console = output()
    if values["json"] is True:
        print(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    rows = [
        [row.name, f"{row.events:,}", number(row.weight), number(row.effective), number(row.negative_fraction)]
        for row in found.populations
    ]
    console.print(table("events", ("", "events", "sum of weights", "effective", "negative"), rows))
    console.print()
    features = [
        [row.name, f"{row.missing:,}", *(f"{value:.4g}" for value in row[2:6]), number(*row.auc)]
        for row in found.features
    ]
    console.print(table("features", ("", "missing", "minimum", "maximum", "mean", "width", "AUC alone"), features))
    if found.spectators:
        console.print()
        console.print(f"spectators: {', '.join(found.spectators)}", soft_wrap=True)
