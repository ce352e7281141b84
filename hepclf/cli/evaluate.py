"""`hepclf evaluate run=DIR`: judge again."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, OmegaConf

from hepclf.cli import config as conf
from hepclf.cli.tables import show
from hepclf.cli.terminal import listen, output, place
from hepclf.recipe import RecipeError

KNOWN = ("run", "data", "evaluation", "seed", "out")


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

    from pathlib import Path

    from hepclf.run import Run, new_folder, read_yaml
    from hepclf.workflow import reevaluate

    run = Run.open(str(values["run"]))
    stored = read_yaml(run.config)
    chosen, ours = _chosen(values, stored["evaluation"])
    evaluation = conf.read(chosen, "evaluation", trusted=ours)
    data = conf.read(values["data"], "data") if values.get("data") else None
    folder = Path(values["out"]) if values["out"] else new_folder(run.folder, "evaluations")
    verdict, plots = reevaluate(run, evaluation, folder, data)
    console = output()
    show(console, verdict, f"{place(run.folder)}")
    console.print(f"written to {place(folder)}", soft_wrap=True)
    if plots:
        console.print(f"plots      {place(plots[0].parent)}", soft_wrap=True)


def _chosen(values: dict[str, Any], stored: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The evaluation that the run had, with what the command line changes; a choice of the group replaces it.

    Second, whether it is the user's own choice, whose code may be run, and not the run's.
    """
    from hydra.core.hydra_config import HydraConfig

    overrides = [override.lstrip("+") for override in HydraConfig.get().overrides.task]
    if any(override.startswith("evaluation=") for override in overrides):
        return dict(values["evaluation"]), True
    composed, chosen = OmegaConf.create(values["evaluation"]), OmegaConf.create(stored)
    for override in overrides:
        key = override.split("=", 1)[0].removeprefix("evaluation.")
        if override.startswith("evaluation."):
            OmegaConf.update(chosen, key, OmegaConf.select(composed, key), merge=True)
    made = OmegaConf.to_container(chosen, resolve=True)
    return {str(key): value for key, value in made.items()} if isinstance(made, dict) else {}, False
