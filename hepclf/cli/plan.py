"""The plan of `hepclf train`: a new run, a stored one again, or an unfinished one to continue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from hepclf.cli.config import Composed, put
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.recipes import refuse_unknown, seed_of
from hepclf.recipe import TARGET, RecipeError, read_stored
from hepclf.run import Run, new_folder

GROUPS = ("data", "model", "trainer", "evaluation")
FOLDS = "folds"
KNOWN = (*GROUPS, FOLDS, "seed", "runs", "name", "folder", "again", "resume", "jobs", "sweep")
AUTO = "auto"


class Plan(NamedTuple):
    """The recipes of a training by group, the names of data and model, and its folder.

    folder   of the run
    runs     the folder of all runs, in which the link `latest` will point at this run
    resumes  whether an unfinished run in the folder is continued
    """

    recipes: dict[str, Any]
    names: dict[str, str]
    folder: Path
    runs: str
    resumes: bool

    @property
    def title(self) -> str:
        """The title of the results."""
        folds = self.recipes.get(FOLDS)
        return ", ".join((self.names["data"], self.names["model"], *([folds.key.text] if folds else [])))

    @property
    def run(self) -> Run | None:
        """The finished run that is already in the folder, if a run was to be continued."""
        run = Run(self.folder)
        if not self.resumes or not run.config.is_file():
            return None
        return run if run.status().name == "finished" else None


def plan(composed: Composed) -> Plan:
    """Everything that the command line says, checked; only stored settings are read, and nothing is written."""
    values = composed.values
    refuse_unknown(values, KNOWN)
    _refuse_sweep_settings(composed)
    resumed, runs = _resumed(values), values.get("runs")
    source = values.get("again") or resumed
    if source is None:
        recipes, names = fresh(composed, values)
    else:
        recipes, names = _stored(composed, values, str(source))
    if not isinstance(runs, str):
        raise RecipeError(f"runs must be a folder, not {runs!r}")
    folder = resumed or values.get("folder")
    if not folder:
        folder = new_folder(runs, run_name(values.get("name") or "-".join(names.values())))
    return Plan(
        recipes=recipes,
        names=names,
        folder=Path(str(folder)),
        runs=runs,
        resumes=values.get("resume") is not None,
    )


def _refuse_sweep_settings(composed: Composed) -> None:
    for key in composed.typed:
        if key.partition(".")[0] in ("jobs", "sweep"):
            raise RecipeError(f"{key} belongs to a sweep; say -m, or leave it out")


def run_name(name: Any) -> str:
    """The name of a folder below the folder of all runs, checked."""
    if not isinstance(name, str) or not re.fullmatch(r"(?!latest$)[^/\\.][^/\\]*", name):
        raise RecipeError(f"name must be that of a folder below runs, other than latest, not {name!r}")
    return name


def _resumed(values: dict[str, Any]) -> str | None:
    """The run of resume=DIR; None if nothing is resumed, and for resume=auto, which needs all settings."""
    resume = values.get("resume")
    if resume is None:
        return None
    if resume == AUTO:
        if not values.get("folder"):
            raise RecipeError("resume=auto needs folder=DIR, the folder of the run; or say resume=DIR")
        return None
    for name in ("again", "folder"):
        if values.get(name):
            raise RecipeError(f"resume={resume} and {name} exclude each other; leave one of them out")
    return str(resume)


def fresh(composed: Composed, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The recipes of a configuration, and the names of data and model."""
    seed = seed_of(values)
    recipes = {group: composed.recipe(values.get(group), group, seed=seed) for group in GROUPS[:3]}
    if values.get(FOLDS):
        recipes[FOLDS] = _folds(composed, values[FOLDS], seed=seed)
    return {**recipes, "evaluation": read_evaluation(composed, values.get("evaluation"))}, composed.chosen(
        "data", "model"
    )


def _refuse_ensemble(stored: dict[str, Any], source: str) -> None:
    from hepclf.workflow.candidates import is_ensemble

    if is_ensemble(stored):
        raise RecipeError(
            f"{source} is an ensemble, which has no training of its own; train its members again and combine them with "
            "hepclf ensemble"
        )


def _stored(composed: Composed, values: dict[str, Any], source: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The recipes of a stored run, with the command line's changes; a group named on it replaces the stored one."""
    if "experiment" in composed.named_groups:
        key = "again" if values.get("again") else "resume"
        raise RecipeError(
            f"experiment and {key} both choose the recipes; give one of them, and single settings beside it"
        )
    config = Path(source)
    if not values.get("again") or not config.is_file():
        config = Run.open(source).config
    stored = read_stored(config)
    chosen, stored_names = composed.named_groups, stored["names"]
    if "model" not in chosen:
        _refuse_ensemble(stored, source)
    settings = {group: composed.changed(group, values[group], stored[group]) for group in GROUPS}
    folds = composed.changed(FOLDS, values.get(FOLDS) or {}, stored.get(FOLDS))
    if "seed" in composed.typed:
        for path in ("data.seed", "data.split.seed", "trainer.seed"):
            group, _, inner = path.partition(".")
            if path != "data.seed" or "seed" in settings["data"]:
                put(settings[group], inner, values["seed"])
        if folds:
            folds["seed"] = values["seed"]
    recipes = {group: composed.recipe(settings[group], group, trusted=group in chosen) for group in GROUPS[:3]}
    recipes["evaluation"] = read_evaluation(composed, settings["evaluation"], trusted="evaluation" in chosen)
    if folds:
        recipes[FOLDS] = _folds(composed, folds, trusted=FOLDS in chosen)
    names = composed.chosen("data", "model")
    names |= {group: str(stored_names.get(group, name)) for group, name in names.items() if group not in chosen}
    return recipes, names


def _folds(composed: Composed, settings: dict[str, Any], *, trusted: bool = True, seed: int | None = None) -> Any:
    """The recipe of the folds; settings of it without a choice are refused."""
    if TARGET not in settings:
        typed = next((key for key in composed.typed if key.startswith(f"{FOLDS}.")), FOLDS)
        raise RecipeError(f"{typed} needs folds; say folds=kfold beside it")
    return composed.recipe(settings, FOLDS, trusted=trusted, seed=seed)
