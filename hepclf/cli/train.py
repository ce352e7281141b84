"""`hepclf train`: one run, or a sweep of them."""

from __future__ import annotations

import logging
import sys
from typing import Any

from rich.console import Console

from hepclf.cli import sweep
from hepclf.cli.composition import is_sweep
from hepclf.cli.config import Composed, launch
from hepclf.cli.errors import explain
from hepclf.cli.evaluations import read_evaluation
from hepclf.cli.plan import Plan, plan
from hepclf.cli.signals import signalled
from hepclf.cli.sweep_over import with_flag
from hepclf.cli.tables import show_coefficients, show_results
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.cli.times import time_line
from hepclf.files import read_json
from hepclf.recipe import read_stored
from hepclf.run import Run, Stopped, point_latest
from hepclf.workflow.stop import Stop

log = logging.getLogger("hepclf.cli")


def run(arguments: list[str], stop: Stop | None = None) -> int:
    """Train one run, or a sweep, as configured."""
    arguments = with_flag(arguments)
    folder, several = sweep.resumed(arguments), is_sweep(arguments)
    show_warning_logs(once=bool(folder) or several)
    stop = stop or Stop()
    if folder:
        return sweep.resume(folder, arguments, stop)
    if several:
        return sweep.run(arguments, stop)
    codes: list[int] = []
    launch("train", arguments, lambda composed: codes.append(_train_single(plan(composed), composed, arguments, stop)))
    return max(codes, default=0)


def _train_single(job: Plan, composed: Composed, arguments: list[str], stop: Stop) -> int:
    """Train as one process, as a rank of several, or by starting them; the exit code."""
    from hepclf.training.launchers import placed
    from hepclf.training.ranks import joined

    trainer = job.recipes["trainer"]
    count = trainer.devices or 1
    if count > 1 and job.run is None and placed(count) is None:
        return _start_ranks(job, count, arguments, stop)
    with joined(trainer.devices) as ranks:
        if ranks.rank:
            return _follow(job, stop)
        if ranks.spread_value(job.run is not None):
            _show_finished(results_console(), job, composed)
        else:
            _show(job, stop)
    return 0


def _start_ranks(job: Plan, count: int, arguments: list[str], stop: Stop) -> int:
    """Start ranks on this machine; what can be refused is refused once, before."""
    from hepclf.cli import ranks
    from hepclf.training.launchers import check_gpus
    from hepclf.workflow.job import Job

    trainer = Job.of(**job.recipes, names=job.names).trainer
    check_gpus(count, trainer.device)
    return ranks.start(arguments, count, stop)


def _follow(job: Plan, stop: Stop) -> int:
    """Take part as one of the other ranks, of which rank 0 speaks where all of them know what happened."""
    from hepclf.training.ranks import group
    from hepclf.workflow.follow import follow
    from hepclf.workflow.job import Job

    logging.getLogger("hepclf").handlers = [logging.NullHandler()]  # rank 0 warns of the same
    try:
        with signalled(stop):
            if not group().spread_value(None):
                follow(Job.of(**job.recipes, names=job.names), stop)
    except (Exception, Stopped) as error:
        if not group().is_told:
            raise
        return explain(error)[1]
    return 0


def _show(job: Plan, stop: Stop) -> None:
    """Train and print the results."""
    console = results_console()
    trained = _train(job, stop)
    show_results(console, trained.results, job.title)
    if "coefficients" in trained.tagger.summary:
        show_coefficients(console, trained.tagger.summary)
    if "selection" in trained.tagger.summary:
        console.print(f"cuts   {trained.tagger.summary['selection']}", soft_wrap=True, markup=False, highlight=False)
    if "kept_epoch" in trained.tagger.summary and len(trained.history) > 1:
        epoch = f"{trained.tagger.summary['kept_epoch']} of {len(trained.history)}"
        console.print(f"epoch  {epoch} made the tagger", markup=False)
    if "kept_epochs" in trained.tagger.summary:
        epochs = ", ".join(map(str, trained.tagger.summary["kept_epochs"]))
        console.print(f"epochs {epochs} made the members, one for each fold", markup=False)
    console.print(f"run    {short_path(trained.run.folder)}", soft_wrap=True, markup=False)
    if trained.plots:
        console.print(f"plots  {short_path(trained.run.plots)}", soft_wrap=True, markup=False)
    if trained.run.report.is_file():
        console.print(f"report {short_path(trained.run.report)}", soft_wrap=True, markup=False)
    seconds = read_json(trained.run.environment)["seconds"]
    print(time_line(seconds), file=sys.stderr)


def _show_finished(console: Console, job: Plan, composed: Composed) -> None:
    """Print the results of a finished run from its stored scores; other settings of the training are refused."""
    from hepclf.workflow.job import Job
    from hepclf.workflow.reevaluate import stored_results
    from hepclf.workflow.resume import refuse_other_settings

    run = Run(job.folder)
    refuse_other_settings(run, Job.of(**job.recipes, names=job.names))
    is_named = "evaluation" in composed.named_groups
    evaluation = read_evaluation(composed, read_stored(run.config)["evaluation"], trusted=is_named)
    if evaluation != job.recipes["evaluation"]:
        log.warning("these results were made with other evaluation settings; hepclf evaluate run=DIR applies new ones")
    results, title = stored_results(run, evaluation)
    show_results(console, results, title)
    console.print(f"run    {short_path(run.folder)} has finished; again=DIR trains anew", soft_wrap=True, markup=False)


def _train(job: Plan, stop: Stop) -> Any:
    """Train in the planned folder, where signals request a stop; in the end `latest` points at the run."""
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
