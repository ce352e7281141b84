"""`hepclf train`: one run, or a sweep of them."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from hepclf.cli.config import Composed, hydra_arguments, launch
from hepclf.cli.errors import FAILED, explain
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.overrides import overrides as parsed
from hepclf.cli.plan import Plan, plan
from hepclf.cli.signals import signalled
from hepclf.cli.sweep import SweepJob, comparison, summary
from hepclf.cli.tables import show_coefficients, show_results
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.cli.times import time_line
from hepclf.run import Run, point_latest
from hepclf.workflow.stop import Stop

log = logging.getLogger("hepclf.cli")


def run(arguments: list[str]) -> int:
    """Train what the configuration says: one run, or a sweep."""
    show_warning_logs()
    stop = Stop()
    if {"-m", "--multirun"} & set(arguments):
        return _sweep(arguments, stop)
    launch("train", arguments, lambda composed: _show(plan(composed), composed, stop))
    return 0


def _sweep(arguments: list[str], stop: Stop) -> int:
    """Train the jobs of a sweep one after another; it goes on after a failed job and reports it at the end."""
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
            jobs.append(_sweep_job(named, _train(plan(composed), stop)))
        except Exception as error:
            line, code = explain(error)
            codes.append(code)
            jobs.append(SweepJob(named, line, failed=True))
        results_console().print(jobs[-1].line(), soft_wrap=True, markup=False)

    launch("train", arguments, task)
    summary(results_console(), jobs)
    comparison(results_console(), jobs)
    return FAILED if codes else 0


def _sweep_job(named: str, trained: Any) -> SweepJob:
    """What the closing table says of a job."""
    valid, test = (trained.results.splits[name] for name in ("valid", "test"))
    warnings = len(trained.results.warnings)
    return SweepJob(named, short_path(trained.run.folder), valid.auc, test.auc, loss=valid.log_loss, warnings=warnings)


def _settings(composed: Composed) -> dict[str, str]:
    """The overrides of this job of a sweep by their keys; of a key that is given again, the last."""
    overrides = [override.lstrip("+") for override in composed.overrides]
    return {override.split("=", 1)[0]: override for override in overrides}  # a list comes after the null before it


def _varied(arguments: list[str], settings: dict[str, str]) -> str:
    """What is special to this job of a sweep: its values of the keys that vary."""
    words = [word for word in hydra_arguments("train", arguments) if "=" in word and not word.startswith("-")]
    keys = [override.key_or_group for override in parsed(words) if override.is_sweep_override()]
    return " ".join(override for key, override in settings.items() if key in keys) or "one job"


def _show(job: Plan, composed: Composed, stop: Stop) -> None:
    """Train and print the results; of a run that has finished already, its stored ones."""
    console = results_console()
    if job.run is not None:
        _show_finished(console, job, composed)
        return
    trained = _train(job, stop)
    show_results(console, trained.results, job.title)
    if "coefficients" in trained.tagger.summary:
        show_coefficients(console, trained.tagger.summary)
    if "selection" in trained.tagger.summary:
        console.print(f"cuts   {trained.tagger.summary['selection']}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"run    {short_path(trained.run.folder)}", soft_wrap=True, markup=False)
    if trained.plots:
        console.print(f"plots  {short_path(trained.run.plots)}", soft_wrap=True, markup=False)
    if trained.run.report.is_file():
        console.print(f"report {short_path(trained.run.report)}", soft_wrap=True, markup=False)
    seconds = json.loads(trained.run.environment.read_text(encoding="utf-8"))["seconds"]
    print(time_line(seconds), file=sys.stderr)


def _show_finished(console: Console, job: Plan, composed: Composed) -> None:
    """Print the results of a finished run from its stored scores; other settings of the training are refused."""
    from hepclf.files import read_yaml
    from hepclf.workflow.job import Job
    from hepclf.workflow.reevaluate import stored_results
    from hepclf.workflow.resume import refuse_other_settings

    run = Run(job.folder)
    refuse_other_settings(run, Job.of(**job.recipes, names=job.names))
    is_named = "evaluation" in composed.named_groups
    evaluation = read_evaluation(composed, read_yaml(run.config).get("evaluation"), trusted=is_named)
    if evaluation != job.recipes["evaluation"]:
        log.warning("these results were made with other evaluation settings; hepclf evaluate run=DIR applies new ones")
    results, title = stored_results(run, evaluation)
    show_results(console, results, title)
    console.print(f"run    {short_path(run.folder)} has finished; again=DIR trains anew", soft_wrap=True, markup=False)


def _train(job: Plan, stop: Stop) -> Any:
    """Train in the planned folder, where signals ask for a stop; `latest` points at the run in the end."""
    from hepclf.workflow.train import train

    watch = Watch()
    try:
        with signalled(stop):
            trained = train(
                **job.recipes, folder=job.folder, names=job.names, progress=watch, resume=job.resumes, stop=stop
            )
    finally:
        watch.close()
    try:
        if Path(job.runs).resolve() in job.folder.resolve().parents:
            point_latest(job.runs, job.folder)
    except OSError as error:
        log.warning("%s/latest could not be pointed at this run: %s", job.runs, error.strerror)
    return trained
