"""`hepclf inspect data=...`: what a dataset holds."""

from __future__ import annotations

import json

from omegaconf import DictConfig

from hepclf.cli import config as conf
from hepclf.cli.terminal import listen, number, output, section

KNOWN = ("data", "seed", "json")


def run(arguments: list[str]) -> int:
    """Print the classes, processes and features of a dataset."""
    listen()
    conf.launch("inspect", arguments, _inspect)
    return 0


def _inspect(config: DictConfig) -> None:
    values = conf.plain(config)
    conf.refuse_unknown(values, KNOWN)
    loader = conf.read(values.get("data"), "data", seed=values["seed"])

    from hepclf.evaluation.survey import survey

    found = survey(loader.load().check())
    console = output()
    if values["json"] is True:
        print(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    populations = [
        [row.name, f"{row.events:,}", f"{row.weight:,.6g}", f"{row.effective:,.6g}", f"{row.negative_fraction:.1%}"]
        for row in found.populations
    ]
    section(console, "events", ("", "events", "sum of weights", "effective", "negative"), populations)
    features = [[row.name, f"{row.missing:,}", *map(_short, row[2:6]), number(*row.auc)] for row in found.features]
    section(console, "features", ("", "missing", "minimum", "maximum", "mean", "width", "AUC alone"), features)
    if found.spectators:
        console.print(f"spectators: {', '.join(found.spectators)}", soft_wrap=True, markup=False)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
