"""`hepclf train`: one run, or a sweep of them."""

from __future__ import annotations

import logging
import re
from typing import Any

from omegaconf import DictConfig

from hepclf.cli import config as conf
from hepclf.cli.errors import FAILED, explain
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.overrides import overrides as parsed
from hepclf.cli.sweep import SweepJob, comparison, summary
from hepclf.cli.tables import show_coefficients, show_results
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.recipe import RecipeError

GROUPS = ("data", "model", "trainer", "evaluation")
KNOWN = (*GROUPS, "seed", "runs", "name", "again")

log = logging.getLogger("hepclf.cli")


def run(arguments: list[str]) -> int:
    """Train what the configuration says; a sweep goes on after a failed job and reports it at the end."""
    show_warning_logs()
    if not {"-m", "--multirun"} & set(arguments):
        conf.launch("train", arguments, _show)
        return 0
    jobs: list[SweepJob] = []
    codes: list[int] = []
    started: list[dict[str, str]] = []

    def task(config: DictConfig) -> None:
        settings = _settings()
        named = _varied(arguments, settings)
        if settings in started:
            results_console().print(f"{named}: left out, as the list names it twice", soft_wrap=True, markup=False)
            return
        started.append(settings)
        try:
            trained, _ = _train(config)
            valid, test = (trained.results.splits[name] for name in ("valid", "test"))
            jobs.append(
                SweepJob(
                    named,
                    short_path(trained.run.folder),
                    valid.auc,
                    test.auc,
                    loss=valid.log_loss,
                    warnings=len(trained.results.warnings),
                )
            )
        except Exception as error:
            line, code = explain(error)
            codes.append(code)
            jobs.append(SweepJob(named, line, failed=True))
        results_console().print(jobs[-1].line(), soft_wrap=True, markup=False)

    conf.launch("train", arguments, task)
    summary(results_console(), jobs)
    comparison(results_console(), jobs)
    return FAILED if codes else 0


def _settings() -> dict[str, str]:
    """The overrides of this job of a sweep by their keys; of a key that is given again, the last."""
    from hydra.core.hydra_config import HydraConfig

    overrides = [override.lstrip("+") for override in HydraConfig.get().overrides.task]
    return {override.split("=", 1)[0]: override for override in overrides}  # a list comes after the null before it


def _varied(arguments: list[str], settings: dict[str, str]) -> str:
    """What is special to this job of a sweep: its values of the keys that vary."""
    words = [word for word in conf.hydra_arguments("train", arguments) if "=" in word and not word.startswith("-")]
    keys = [override.key_or_group for override in parsed(words) if override.is_sweep_override()]
    return " ".join(override for key, override in settings.items() if key in keys) or "one job"


def _show(config: DictConfig) -> None:
    trained, title = _train(config)
    console = results_console()
    show_results(console, trained.results, title)
    if "coefficients" in trained.tagger.summary:
        show_coefficients(console, trained.tagger.summary)
    if "selection" in trained.tagger.summary:
        console.print(f"cuts   {trained.tagger.summary['selection']}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"run    {short_path(trained.run.folder)}", soft_wrap=True, markup=False)
    if trained.plots:
        console.print(f"plots  {short_path(trained.run.plots)}", soft_wrap=True, markup=False)
    if trained.run.report.is_file():
        console.print(f"report {short_path(trained.run.report)}", soft_wrap=True, markup=False)


def _train(config: DictConfig) -> tuple[Any, str]:
    """One training from one composed configuration; nothing is written before all of it was read."""
    values = conf.plain_values(config)
    conf.refuse_unknown(values, KNOWN)
    recipes, names = _again(values) if values.get("again") else _composed(values)
    runs, name = values.get("runs"), values.get("name") or "-".join(names.values())
    if not isinstance(runs, str) or not isinstance(name, str) or not re.fullmatch(r"(?!latest$)[^/\\.][^/\\]*", name):
        raise RecipeError(f"name must be that of a folder below runs, other than latest, not {name!r} in {runs!r}")

    from hepclf.run import new_folder, point_latest
    from hepclf.workflow.train import train

    watch = Watch()
    try:
        trained = train(**recipes, folder=new_folder(runs, name), names=names, progress=watch)
    finally:
        watch.close()
    try:
        point_latest(runs, trained.run.folder)  # type: ignore[union-attr]
    except OSError as error:
        log.warning("%s/latest could not be pointed at this run: %s", runs, error.strerror)
    return trained, f"{names['data']}, {names['model']}"


def _composed(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The recipes of a configuration, and what data and model are called."""
    seed = conf.seed_of(values)
    recipes = {group: conf.read_recipe(values.get(group), group, seed=seed) for group in GROUPS[:3]}
    return {**recipes, "evaluation": read_evaluation(values.get("evaluation"))}, conf.chosen(("data", "model"))


def _again(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The recipes of a stored run, with the command line's changes; a group named on it replaces the stored one."""
    from hepclf.files import read_yaml
    from hepclf.run import Run

    if "experiment" in conf.named_groups():
        raise RecipeError(
            "experiment and again both choose the recipes; give one of them, and single settings beside it"
        )
    stored = read_yaml(Run.open(str(values["again"])).config)
    chosen, stored_names = conf.named_groups(), stored.get("names") or {}
    settings = {group: conf.changed(group, values[group], stored.get(group)) for group in GROUPS}
    if "seed" in conf.typed_keys():
        for path in ("data.seed", "data.split.seed", "trainer.seed"):
            group, _, inner = path.partition(".")
            if path != "data.seed" or "seed" in settings["data"]:
                conf.put(settings[group], inner, values["seed"])
    recipes = {group: conf.read_recipe(settings[group], group, trusted=group in chosen) for group in GROUPS[:3]}
    recipes["evaluation"] = read_evaluation(settings["evaluation"], trusted="evaluation" in chosen)
    names = conf.chosen(("data", "model"))
    return recipes, {
        group: name if group in chosen else str(stored_names.get(group, name)) for group, name in names.items()
    }
