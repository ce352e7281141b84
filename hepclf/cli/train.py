"""`hepclf train`: one run, or a sweep of them."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from rich.console import Console

from hepclf.cli import sweep
from hepclf.cli.composition import is_sweep
from hepclf.cli.config import Composed, launch
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.plan import Plan, plan
from hepclf.cli.signals import signalled
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
    if folder := sweep.resumed(arguments):
        return sweep.resume(folder, arguments, stop)
    if is_sweep(arguments):
        return sweep.run(arguments, stop)
    launch("train", arguments, lambda composed: _show(plan(composed), composed, stop))
    return 0


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
    point_latest(job.runs, job.folder)
    return trained
