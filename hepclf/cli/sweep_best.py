"""The best job of a sweep: its configuration as a file that trains it again, its pictures, and the link to it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from hepclf.cli.plan import plan
from hepclf.cli.sweep_worker import SweepTask, without_pictures
from hepclf.cli.terminal import Watch
from hepclf.files import write_yaml
from hepclf.run import Run, point_latest
from hepclf.words import typed_setting
from hepclf.workflow.job import Job
from hepclf.workflow.sweep_row import Row, choices

BEST = "best.yaml"

log = logging.getLogger("hepclf.cli")


def keep_best(task: SweepTask, rows: Sequence[Row]) -> Path | None:
    """Write best.yaml, draw the first run of the best choice, and let `latest` point at it; returns that file."""
    sweep = task.sweep
    ranked = choices(rows, sweep.by)
    if not ranked:
        return None
    row = ranked[0].rows[0]
    composed = task.composed(sweep.jobs[row.number])
    planned = plan(composed)
    job = Job.of(**planned.recipes, names=planned.names)
    path = sweep.folder / BEST
    comment = (
        f"the best of {len(ranked)} choices by {sweep.by} on validation: {ranked[0].name}, run {row.folder.name}\n"
        f"to train it again, with changes: hepclf train {typed_setting('again', path)} trainer.epochs=50"
    )
    write_yaml(path, job.describe(), comment=comment)
    evaluation = without_pictures(planned, composed)
    drawn = Run(row.folder)
    is_drawn = drawn.report.is_file()
    if job.evaluation.plots:
        is_drawn = drawn.plots.is_dir()
    if evaluation != job.evaluation and not is_drawn:
        _draw(task, row, job)
    point_latest(planned.runs, row.folder)
    return path


def _draw(task: SweepTask, row: Row, job: Job) -> None:
    from hepclf.workflow.redraw import draw_run

    watch = Watch(names_stages=False)
    try:
        draw_run(Run(row.folder), job, task.shared, watch)
    except (OSError, ValueError) as error:
        log.warning("the best run is not drawn: %s", error)
    finally:
        watch.close()
