"""`hepclf export run=DIR format=...`: the tagger of a run for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from hepclf.cli.config import Composed, launch
from hepclf.cli.recipes import recipe_class, seed_of
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.events import by_value, shortest_text
from hepclf.recipe import RecipeError, build, read_stored
from hepclf.words import size

if TYPE_CHECKING:
    from hepclf.events import Events
    from hepclf.export.exported import Export, Exported
    from hepclf.run import Run

COMMAND_KEYS = ("run", "data", "seed", "trust")


def run(arguments: list[str]) -> int:
    """Write the tagger, and print how well it was reproduced."""
    show_warning_logs()
    launch("export", arguments, _export)
    return 0


def _export(composed: Composed) -> None:
    from hepclf.export.exported import exported
    from hepclf.run import Run

    values = composed.values
    seed_of(values)
    export = _read(values)
    run = Run.open(str(values["run"]))
    recipes = tuple(recipe_class(str(name), "trust", trusted=True) for name in values["trust"])
    events = None
    if export.events:
        events = _events(run, composed, values)
    show_export(results_console(), exported(run, export, events, recipes=recipes), export)


def _read(values: dict[str, Any]) -> Export:
    """The settings of the export, which are top-level keys of the command."""
    from hepclf.export.exported import Export

    settings = {key: value for key, value in values.items() if key not in COMMAND_KEYS}
    if values["run"] == "???":
        raise RecipeError("run must be given; say run=DIR, the folder of a run, or run=runs/latest")
    try:
        export: Export = build(Export, settings, "export")
    except RecipeError as error:
        raise RecipeError(str(error).replace("export.", "")) from error
    return export


def _events(run: Run, composed: Composed, values: dict[str, Any]) -> Events:
    """The events of the chosen data, or by default of the run's data."""
    from hepclf.data.loader import load

    watch = Watch()
    try:
        if values.get("data"):
            return load(composed.recipe(values["data"], "data", seed=values["seed"]), watch.read)
        return load(composed.recipe(read_stored(run.config)["data"], "data", trusted=False), watch.read)
    except (ValueError, OSError) as error:
        if values.get("data"):
            raise
        raise ValueError(
            f"the run's data cannot be loaded: {error}; choose other data to compare scores on with data=NAME, or "
            "compare edge cases alone with events=0"
        ) from error
    finally:
        watch.close()


def _sentinel(value: float, features: int, inputs: int) -> str:
    """A sentinel, and the number of features that it is declared for."""
    if features == inputs:
        return f"{shortest_text(value)} in all features"
    return f"{shortest_text(value)} in {features} of {inputs} features"


def show_export(console: Console, exported: Exported, export: Export) -> None:
    """Print the file, the events used for the comparison, the values for missing features, and how to use the file."""
    from hepclf.export.formats import FORMATS

    trial = exported.trial
    lines = [
        f"written   {short_path(exported.path)}, {size(exported.path.stat().st_size)}",
        f"compared  {trial.real_count:,} events and {trial.hard_count:,} edge cases: scores differ by at most "
        f"{exported.worst:.2g} ({trial.allowed:g} allowed)",
    ]
    if sentinels := by_value(exported.tagger.inputs, exported.sentinels):
        words = (_sentinel(value, len(features), len(exported.tagger.inputs)) for value, features in sentinels.items())
        lines.append(f"missing   NaN, {', '.join(words)}")
    if export.format == "xgboost-json":
        lines.append("beware    ROOT's RBDT knows no missing values: they go right at each split; XGBoost knows them")
        if sentinels:
            lines[-1] += f" where it is told missing={shortest_text(next(iter(sentinels)))}"
    if trial.refused:
        lines.append(f"left out  {trial.refused:,} edge cases that overflow the tagger, which has no score for them")
    usage = FORMATS[export.format].usage_lines(exported.tagger, export.name, str(short_path(exported.path)))
    for line in (*lines, "", *(f"  {line}" for line in usage)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
