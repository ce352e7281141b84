"""`hepclf train`: one run, or a sweep of them."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from rich.console import Console

from hepclf.cli.config import Composed, hydra_arguments, launch, put
from hepclf.cli.errors import FAILED, explain
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.overrides import overrides as parsed
from hepclf.cli.recipes import refuse_unknown, seed_of
from hepclf.cli.signals import signalled
from hepclf.cli.sweep import SweepJob, comparison, summary
from hepclf.cli.tables import show_coefficients, show_results
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.recipe import RecipeError
from hepclf.run import Run, Stopped
from hepclf.workflow.stop import Stop

GROUPS = ("data", "model", "trainer", "evaluation")
KNOWN = (*GROUPS, "seed", "runs", "name", "folder", "again", "resume")

AUTO = "auto"

log = logging.getLogger("hepclf.cli")


def run(arguments: list[str]) -> int:
    """Train what the configuration says; a sweep goes on after a failed job and reports it at the end."""
    show_warning_logs()
    if not {"-m", "--multirun"} & set(arguments):
        launch("train", arguments, _show)
        return 0
    jobs: list[SweepJob] = []
    codes: list[int] = []
    started: list[dict[str, str]] = []

    def task(composed: Composed) -> None:
        settings = _settings(composed)
        named = _varied(arguments, settings)
        if settings in started:
            results_console().print(f"{named}: left out, as the list names it twice", soft_wrap=True, markup=False)
            return
        started.append(settings)
        try:
            trained, _ = _train(composed)
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
        except Stopped:  # it asks for the whole sweep
            raise
        except Exception as error:
            line, code = explain(error)
            codes.append(code)
            jobs.append(SweepJob(named, line, failed=True))
        results_console().print(jobs[-1].line(), soft_wrap=True, markup=False)

    launch("train", arguments, task)
    summary(results_console(), jobs)
    comparison(results_console(), jobs)
    return FAILED if codes else 0


def _settings(composed: Composed) -> dict[str, str]:
    """The overrides of this job of a sweep by their keys; of a key that is given again, the last."""
    overrides = [override.lstrip("+") for override in composed.overrides]
    return {override.split("=", 1)[0]: override for override in overrides}  # a list comes after the null before it


def _varied(arguments: list[str], settings: dict[str, str]) -> str:
    """What is special to this job of a sweep: its values of the keys that vary."""
    words = [word for word in hydra_arguments("train", arguments) if "=" in word and not word.startswith("-")]
    keys = [override.key_or_group for override in parsed(words) if override.is_sweep_override()]
    return " ".join(override for key, override in settings.items() if key in keys) or "one job"


def _show(composed: Composed) -> None:
    values = composed.values
    console = results_console()
    if (finished := _finished(values)) is not None:
        _show_finished(console, composed, finished)
        return
    trained, title = _train(composed)
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


def _train(composed: Composed) -> tuple[Any, str]:
    """One training from one composed configuration; nothing is written before all of it was read."""
    values = composed.values
    refuse_unknown(values, KNOWN)
    recipes, names = (_stored if values.get("again") or _resumed(values) else _fresh)(composed, values)
    runs, folder = values.get("runs"), _folder(values, names)

    from hepclf.run import point_latest
    from hepclf.workflow.train import train

    watch, stop = Watch(), Stop()
    try:
        with signalled(stop):
            trained = train(
                **recipes, folder=folder, names=names, progress=watch, resume=bool(values.get("resume")), stop=stop
            )
    finally:
        watch.close()
    try:
        if Path(runs).resolve() in trained.run.folder.resolve().parents:  # type: ignore[arg-type, union-attr]
            point_latest(runs, trained.run.folder)  # type: ignore[arg-type, union-attr]
    except OSError as error:
        log.warning("%s/latest could not be pointed at this run: %s", runs, error.strerror)
    return trained, f"{names['data']}, {names['model']}"


def _folder(values: dict[str, Any], names: dict[str, str]) -> Path:
    """The folder of the run: the one that is resumed, the one that is named, or a new one below runs."""
    if resumed := _resumed(values) or values.get("folder"):
        return Path(str(resumed))
    from hepclf.run import new_folder

    runs, name = values.get("runs"), values.get("name") or "-".join(names.values())
    if not isinstance(runs, str) or not isinstance(name, str) or not re.fullmatch(r"(?!latest$)[^/\\.][^/\\]*", name):
        raise RecipeError(f"name must be that of a folder below runs, other than latest, not {name!r} in {runs!r}")
    return new_folder(runs, name)


def _resumed(values: dict[str, Any]) -> str | None:
    """The run that is to go on by resume=DIR; None for resume=auto, which composes its settings anew."""
    resume = values.get("resume")
    if resume is None or resume == AUTO:
        if resume == AUTO and not values.get("folder"):
            raise RecipeError("resume=auto needs folder=DIR, the run's own folder; or say resume=DIR")
        return None
    for name in ("again", "folder"):
        if values.get(name):
            raise RecipeError(f"resume=DIR goes on in the folder of that run; leave {name} out")
    return str(resume)


def _finished(values: dict[str, Any]) -> Run | None:
    """The run that should go on but has finished already; None where there is something to do."""
    if not values.get("resume"):
        return None
    folder = _resumed(values) or values["folder"]
    run = Run(Path(str(folder)))
    return run if run.config.is_file() and run.status().name == "finished" else None


def _show_finished(console: Console, composed: Composed, run: Run) -> None:
    """Print the results of a run that has finished, from its stored scores."""
    from hepclf.files import read_yaml
    from hepclf.workflow.reevaluate import stored_results

    evaluation = read_evaluation(composed, read_yaml(run.config).get("evaluation"), trusted=False)
    results, title = stored_results(run, evaluation)
    show_results(console, results, title)
    console.print(f"run    {short_path(run.folder)} has finished; again=DIR trains anew", soft_wrap=True, markup=False)


def _fresh(composed: Composed, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The recipes of a configuration, and what data and model are called."""
    seed = seed_of(values)
    recipes = {group: composed.recipe(values.get(group), group, seed=seed) for group in GROUPS[:3]}
    return {**recipes, "evaluation": read_evaluation(composed, values.get("evaluation"))}, composed.chosen(
        "data", "model"
    )


def _stored(composed: Composed, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The recipes of a stored run, with the command line's changes; a group named on it replaces the stored one."""
    from hepclf.files import read_yaml

    key = "again" if values.get("again") else "resume"
    if "experiment" in composed.named_groups:
        raise RecipeError(
            f"experiment and {key} both choose the recipes; give one of them, and single settings beside it"
        )
    stored = read_yaml(Run.open(str(values[key])).config)
    chosen, stored_names = composed.named_groups, stored.get("names") or {}
    settings = {group: composed.changed(group, values[group], stored.get(group)) for group in GROUPS}
    if "seed" in composed.typed_keys:
        for path in ("data.seed", "data.split.seed", "trainer.seed"):
            group, _, inner = path.partition(".")
            if path != "data.seed" or "seed" in settings["data"]:
                put(settings[group], inner, values["seed"])
    recipes = {group: composed.recipe(settings[group], group, trusted=group in chosen) for group in GROUPS[:3]}
    recipes["evaluation"] = read_evaluation(composed, settings["evaluation"], trusted="evaluation" in chosen)
    names = composed.chosen("data", "model")
    return recipes, {
        group: name if group in chosen else str(stored_names.get(group, name)) for group, name in names.items()
    }
