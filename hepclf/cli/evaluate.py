"""`hepclf evaluate run=DIR`: evaluate again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from hepclf.cli import config as conf
from hepclf.cli.observed import observed_data
from hepclf.cli.tables import show
from hepclf.cli.terminal import listen, output, place
from hepclf.recipe import TARGET, RecipeError

KNOWN = ("run", "data", "observed", "evaluation", "seed", "out", "export", "trust")

# What a stored score cannot answer.
UNSEEN = "without    what needs features: importance, effective cuts, correlations (give data=)"


def run(arguments: list[str]) -> int:
    """Judge a run's stored scores with other choices, or its tagger on other data."""
    listen()
    conf.launch("evaluate", arguments, _evaluate)
    return 0


def _evaluate(config: DictConfig) -> None:
    values = conf.plain(config)
    conf.refuse_unknown(values, KNOWN)
    if values["run"] == "???":
        raise RecipeError("run must be given; say run=DIR, the folder of a run, or run=runs/latest")

    from hepclf.files import read_yaml
    from hepclf.models.tagger import read_head
    from hepclf.run import Run, new_folder
    from hepclf.workflow.handover import handover
    from hepclf.workflow.reevaluate import reevaluate

    seed, forms = conf.seed_of(values), _forms(values["export"])
    run = Run.open(str(values["run"]))
    settings = conf.changed("evaluation", values["evaluation"], read_yaml(run.config).get("evaluation"))
    evaluation = conf.read(settings, "evaluation", trusted="evaluation" in conf.named_groups())
    data = conf.read(values["data"], "data", seed=seed) if values.get("data") else None
    stored = read_yaml(run.config).get("data")
    asked = values.get("observed")
    unasked = asked is None or asked == {}
    watched = None if unasked else observed_data(asked, stored, read_head(run.tagger)["inputs"], seed)
    own = conf.read(stored, "data", trusted=False) if watched is not None and data is None and _ours(stored) else None
    recipes = tuple(conf.recipe_class(str(name), "trust", trusted=True) for name in values["trust"])
    folder = Path(str(values["out"])) if values["out"] else new_folder(run.folder, "evaluations")
    name = conf.chosen(("data",)).get("data", "")
    results, plots = reevaluate(run, evaluation, folder, data, name=name, recipes=recipes, observed=watched, own=own)
    written = handover(results, forms, folder)
    console = output()
    show(console, results, place(run.folder))
    console.print(f"written to {place(folder)}", soft_wrap=True, markup=False)
    if plots:
        console.print(f"plots      {place(plots[0].parent)}", soft_wrap=True, markup=False)
    if data is None and own is None:
        console.print(UNSEEN, markup=False)
    for path in written:
        console.print(f"exported   {place(path)}", soft_wrap=True, markup=False)
    if (page := Run(folder).report).is_file():
        console.print(f"report     {place(page)}", soft_wrap=True, markup=False)


def _forms(names: Any) -> tuple[str, ...]:
    """The forms of `export=`, one or a list."""
    from hepclf.workflow.handover import check_forms

    forms = tuple(str(name) for name in (names if isinstance(names, list) else [names]))
    try:
        check_forms(forms)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    return forms


def _ours(stored: Any) -> bool:
    """Whether a run's data is read by a recipe of hepclf, which alone may be read again unasked."""
    return isinstance(stored, Mapping) and str(stored.get(TARGET)).startswith("hepclf.")
