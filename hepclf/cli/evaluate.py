"""`hepclf evaluate run=DIR`: evaluate again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from hepclf.cli.config import Composed, launch
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.observed import observed_data
from hepclf.cli.recipes import recipe_class, refuse_unknown, seed_of
from hepclf.cli.tables import show_results
from hepclf.cli.terminal import results_console, short_path, show_warning_logs
from hepclf.recipe import TARGET, RecipeError, read_stored

KEYS = ("run", "data", "observed", "evaluation", "seed", "out", "export", "trust")

# Studies that need more than stored scores.
SCORES_ONLY = (
    "left out   studies that need features: importance, effective cuts, correlations; say data=... of events that were "
    "not used in training"
)


def run(arguments: list[str]) -> int:
    """Evaluate a run's stored scores with other settings, or its tagger on other data."""
    show_warning_logs()
    launch("evaluate", arguments, _evaluate)
    return 0


def _evaluate(composed: Composed) -> None:
    values = composed.values
    refuse_unknown(values, KEYS)
    if values["run"] == "???":
        raise RecipeError("run must be given; say run=DIR, the folder of a run, or run=runs/latest")

    from hepclf.models.tagger import read_head
    from hepclf.run import Run, new_folder
    from hepclf.workflow.handover import handover
    from hepclf.workflow.reevaluate import reevaluate

    seed, formats = seed_of(values), _formats(values["export"])
    run = Run.open(str(values["run"]))
    config = read_stored(run.config)
    settings = composed.changed("evaluation", values["evaluation"], config["evaluation"])
    trust = tuple(str(name) for name in values["trust"])
    evaluation = read_evaluation(composed, settings, trusted="evaluation" in composed.named_groups, trust=trust)
    data = None
    if values.get("data"):
        data = composed.recipe(values["data"], "data", seed=seed)
    stored = config["data"]
    observed, run_data = None, None
    observed_settings = values.get("observed")
    if observed_settings is not None and observed_settings != {}:
        observed = observed_data(composed, observed_settings, stored, read_head(run.tagger)["inputs"], seed)
        if data is None and _is_hepclf_recipe(stored):
            run_data = composed.recipe(stored, "data", trusted=False)
    recipes = tuple(recipe_class(name, "trust", trusted=True) for name in trust)
    folder = Path(str(values["out"] or new_folder(run.folder, "evaluations")))
    name = composed.chosen("data").get("data", "")
    results, plots = reevaluate(
        run, evaluation, folder, data, name=name, recipes=recipes, observed=observed, own=run_data
    )
    written = handover(results, formats, folder)
    console = results_console()
    show_results(console, results, short_path(run.folder))
    if data is None and run_data is None:
        console.print(SCORES_ONLY, markup=False)
    pictures = plots[0].parent if plots else None
    _show_files(console, folder, pictures, written)


def _show_files(console: Console, folder: Path, plots: Path | None, exported: Sequence[Path]) -> None:
    """Print where the results, their pictures, exported files and page are."""
    lines = [("written to", folder)]
    if plots is not None:
        lines.append(("plots", plots))
    lines += [("exported", path) for path in exported]
    if (report := folder / "report.html").is_file():
        lines.append(("report", report))
    for word, path in lines:
        console.print(f"{word:10} {short_path(path)}", soft_wrap=True, markup=False)


def _formats(names: Any) -> tuple[str, ...]:
    """The formats of `export=`, one or a list."""
    from hepclf.workflow.handover import check_forms

    listed = names if isinstance(names, list) else [names]
    formats = tuple(str(name) for name in listed)
    try:
        check_forms(formats)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    return formats


def _is_hepclf_recipe(stored: Any) -> bool:
    """Whether a recipe of hepclf reads a run's data; such a recipe may be built without the user's consent."""
    return isinstance(stored, Mapping) and str(stored.get(TARGET)).startswith("hepclf.")
