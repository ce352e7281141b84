"""`hepclf ensemble RUN RUN... [rule=greedy] [key=value]...`: finished runs become one tagger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hepclf.cli.config import Composed, launch
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.plan import run_name
from hepclf.cli.recipes import recipe_class
from hepclf.cli.tables import show_results
from hepclf.cli.terminal import results_console, short_path, show_warning_logs
from hepclf.recipe import RecipeError, build
from hepclf.run import new_folder, point_latest

if TYPE_CHECKING:
    from hepclf.data.loader import Loader
    from hepclf.workflow.ensemble import Combined, Ensemble

COMMAND_KEYS = ("evaluation", "runs", "name", "folder", "trust")


def run(arguments: list[str]) -> int:
    """Combine the runs whose folders are given, print the results and write a run."""
    show_warning_logs()
    folders, settings = _separated(arguments)
    launch("ensemble", settings, lambda composed: _ensemble(composed, folders))
    return 0


def _ensemble(composed: Composed, folders: Sequence[str]) -> None:
    from hepclf.workflow.candidates import candidates
    from hepclf.workflow.ensemble import NAME, write_ensemble

    values = composed.values
    ensemble, runs = _read(values), str(values["runs"])
    typed_name = run_name(values["name"]) if values["name"] else None
    trust = tuple(str(name) for name in values["trust"])
    chosen = candidates(folders)
    stored = chosen[0].config
    settings = composed.changed("evaluation", values["evaluation"], stored["evaluation"])
    evaluation = read_evaluation(composed, settings, trusted="evaluation" in composed.named_groups, trust=trust)
    name = typed_name or f"{stored['names']['data']}-{NAME}"
    folder = Path(str(values["folder"] or new_folder(runs, name)))
    recipes = tuple(recipe_class(target, "trust", trusted=True) for target in trust)
    combined = write_ensemble(chosen, ensemble, evaluation, folder, _data(composed, stored), recipes=recipes)
    point_latest(runs, folder)
    _show(results_console(), combined, f"{stored['names']['data']}, {NAME}")


def _separated(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders of runs, and the other words."""
    folders: list[str] = []
    settings: list[str] = []
    for word in arguments:
        is_folder = not word.startswith("-") and ("=" not in word or Path(word).is_dir())
        (folders if is_folder else settings).append(word)
    return folders, settings


def _read(values: Mapping[str, Any]) -> Ensemble:
    """The rule, whose settings are top-level keys of the command."""
    from hepclf.workflow.ensemble import Ensemble

    settings = {key: value for key, value in values.items() if key not in COMMAND_KEYS}
    try:
        ensemble: Ensemble = build(Ensemble, settings, "ensemble")
    except RecipeError as error:
        raise RecipeError(str(error).replace("ensemble.", "")) from error
    return ensemble


def _data(composed: Composed, stored: Mapping[str, Any]) -> Loader | None:
    """The data of the runs, for the studies of features; None if the user's own code reads them."""
    if not str(stored["data"]["_target_"]).startswith("hepclf."):
        return None
    loader: Loader = composed.recipe(stored["data"], "data", trusted=False)
    return loader


def _show(console: Console, combined: Combined, title: str) -> None:
    """Print the results and where everything is."""
    show_results(console, combined.results, title)
    folders = {"run": combined.run.folder}
    if combined.plots:
        folders["plots"] = combined.run.plots
    if combined.run.report.is_file():
        folders["report"] = combined.run.report
    for word, path in folders.items():
        console.print(f"{word:6} {short_path(path)}", soft_wrap=True, markup=False)
