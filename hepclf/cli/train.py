"""`hepclf train`: one run, or a sweep of them."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from hepclf.cli import config as conf
from hepclf.cli.errors import FAILED, explain
from hepclf.cli.tables import show, show_coefficients
from hepclf.cli.terminal import Watch, listen, number, output, place, section
from hepclf.recipe import RecipeError

KNOWN = ("data", "model", "trainer", "evaluation", "seed", "runs", "name", "names")


def run(arguments: list[str]) -> int:
    """Train what the configuration says; a sweep goes on after a failed job and reports it at the end."""
    listen()
    sweep = bool({"-m", "--multirun"} & set(arguments))
    jobs: list[tuple[str, str, str]] = []
    codes: list[int] = []

    def task(config: DictConfig) -> None:
        if not sweep:
            codes.append(_train(config))
            return
        named = _varied(arguments)
        try:
            auc, where = _train_quietly(config)
            jobs.append((named, auc, where))
        except Exception as error:
            line, code = explain(error)
            codes.append(code)
            jobs.append((named, "failed", line))
        output().print(": ".join(jobs[-1][:2]), soft_wrap=True)

    conf.launch("train", arguments, task)
    if jobs:
        output().print()
        section(output(), "the sweep", ("overrides", "test AUC", "run"), jobs)
    return FAILED if sweep and any(codes) else max(codes, default=0)


def _varied(arguments: list[str]) -> str:
    """What is special to this job of a sweep: its values of the keys that vary."""
    from hydra.core.hydra_config import HydraConfig

    overrides = [override.lstrip("+") for override in HydraConfig.get().overrides.task]
    keys = conf.swept(arguments)
    return " ".join(override for override in overrides if override.split("=", 1)[0] in keys)


def _train(config: DictConfig) -> int:
    trained, title = _run(config)
    console = output()
    show(console, trained.verdict, title)
    if "coefficients" in trained.tagger.summary:
        show_coefficients(console, trained.tagger.summary)
    console.print(f"run    {place(trained.run.folder)}", soft_wrap=True)
    if trained.plots:
        console.print(f"plots  {place(trained.run.plots)}", soft_wrap=True)
    return 0


def _train_quietly(config: DictConfig) -> tuple[str, str]:
    trained, _ = _run(config)
    return number(*trained.verdict.splits["test"].auc), place(trained.run.folder)


def _run(config: DictConfig) -> tuple[Any, str]:
    """One training from one composed configuration; nothing is written before all of it was read."""
    from hydra.core.hydra_config import HydraConfig

    values = conf.plain(config)
    conf.refuse_unknown(values, KNOWN)
    choices = HydraConfig.get().runtime.choices
    names = values.get("names") or {group: str(choices[group]) for group in ("data", "model")}
    recipes = {group: conf.read(values.get(group), group) for group in KNOWN[:4]}
    name, runs = values.get("name") or "-".join(names.values()), values.get("runs", "runs")
    if not isinstance(name, str) or not isinstance(runs, str):
        raise RecipeError(f"name and runs must be text, not name={name!r} runs={runs!r}")

    from hepclf.run import new_folder, point_latest
    from hepclf.workflow import train

    watch = Watch()
    try:
        trained = train(**recipes, folder=new_folder(runs, name), names=names, progress=watch)
    finally:
        watch.close()
    point_latest(runs, trained.run.folder)  # type: ignore[union-attr]
    return trained, f"{names['data']}, {names['model']}"
