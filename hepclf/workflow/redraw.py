"""Draw the pictures of a finished run that was trained without; its numbers stay as they are."""

from __future__ import annotations

from pathlib import Path

from hepclf.files import read_json
from hepclf.run import Run
from hepclf.training.epoch import Progress, Quiet
from hepclf.training.threads import thread_limit
from hepclf.words import typed_setting
from hepclf.workflow.evaluated import evaluated, scored_events
from hepclf.workflow.job import Job
from hepclf.workflow.record import draw_results, drawing_workers, metrics
from hepclf.workflow.shared import SharedData
from hepclf.workflow.stored_fit import stored_fit
from hepclf.workflow.train import repeat_command


def draw_run(run: Run, job: Job, shared: SharedData, progress: Progress | None = None) -> tuple[Path, ...]:
    """Write the pictures and the page that the job's evaluation names; returns the files of the pictures."""
    progress = progress or Quiet()
    threads = read_json(run.environment)["threads"]
    with Run(run.folder).held(), thread_limit(threads), drawing_workers(job.evaluation, threads) as workers:
        prepared = shared.prepared(job, progress)
        fitted = stored_fit(job, run, prepared)
        if fitted is None:
            raise ValueError(f"{run.folder} holds no tagger that can be drawn; train it again")
        progress.stage("evaluating")
        scored = scored_events(fitted.tagger, prepared)
        found = evaluated(fitted, prepared, job, scored)
        contents = metrics(found)
        if contents != read_json(run.metrics):
            raise ValueError(
                f"{run.folder} is not drawn, as its evaluation gives other numbers than metrics.json: the data, the "
                f"libraries or the machine have changed; hepclf evaluate "
                f"{typed_setting('run', run.folder)} draws new ones"
            )
        return draw_results(
            run, found, job.evaluation, contents, again=repeat_command(run), progress=progress, workers=workers
        )
