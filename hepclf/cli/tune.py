"""`hepclf tune`: a search for the best settings, its workers, and its results so far."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hepclf.cli.composition import prints_alone
from hepclf.cli.config import launch
from hepclf.cli.planned_study import PlannedStudy, planned, shared_words
from hepclf.cli.signals import signalled
from hepclf.cli.streams import visible
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.cli.trial_jobs import TrialJobs, trial_jobs
from hepclf.cli.tune_folder import named_study, trusted_study
from hepclf.cli.tune_tables import show_history, show_status, trial_line
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError, read_stored
from hepclf.workflow.stop import Stop

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder
    from hepclf.search.history import StudyHistory
    from hepclf.search.trial import Trial

log = logging.getLogger("hepclf.cli")


def run(arguments: list[str]) -> int:
    """Search, or continue a study: `hepclf tune [worker|resume|status|best|page] DIR`."""
    show_warning_logs(once=True)
    actions: Mapping[str, Callable[[list[str], Stop], None]] = {
        "worker": _worker,
        "resume": _resume,
        "status": _status,
        "best": _best,
        "page": _page,
    }
    stop = Stop()
    if arguments and arguments[0] in actions:
        actions[arguments[0]](arguments[1:], stop)
    elif arguments and "=" not in arguments[0] and not arguments[0].startswith("-"):
        hint = nearest(arguments[0], actions)
        raise RecipeError(f"{arguments[0]!r} is neither key=value nor an action on a search{hint}")
    elif prints_alone(arguments):
        launch("tune", shared_words(arguments), lambda _: None)
    else:
        _search(planned(arguments), stop)
    return 0


def _search(study: PlannedStudy, stop: Stop) -> None:
    from hepclf.search.worker import require_engine

    require_engine()
    folder = study.opened()
    print(f"search {short_path(folder.path)}", file=sys.stderr)
    _complete(folder, stop)


def _resume(words: list[str], stop: Stop) -> None:
    """Continue a study: tune.trials and tune.workers may change."""
    folder, settings = trusted_study(words, ("tune.trials", "tune.workers"))
    changes = {key.removeprefix("tune."): value for key, value in settings.items()}
    if changes:
        folder = folder.changed(**changes)
    _complete(folder, stop)


def _complete(folder: StudyFolder, stop: Stop) -> None:
    """Run the trials that lack a result, here or in several processes, and train with the best settings."""
    from hepclf.cli.tune_workers import search_in_processes

    def make_trials(jobs: TrialJobs, watch: Watch) -> None:
        if folder.tuning.workers == 1:
            _work(folder, jobs, stop, watch, number=0)
        else:
            search_in_processes(folder, stop, _printer(folder))

    _search_and_end(folder, stop, make_trials)


def _search_and_end(folder: StudyFolder, stop: Stop, make_trials: Callable[[TrialJobs, Watch], None]) -> None:
    """Run trials, then train with the best settings, and print and draw the results."""
    os.chdir(folder.directory)
    watch = Watch(tells_once=True)
    try:
        with signalled(stop), trial_jobs(folder.words) as jobs:
            make_trials(jobs, watch)
            _end(folder, jobs, stop, watch)
    finally:
        watch.close()


def _end(folder: StudyFolder, jobs: TrialJobs, stop: Stop, watch: Watch) -> None:
    from hepclf.search.finish import ending, finish

    with ending(folder) as is_ours:
        if not is_ours:
            print("another worker trains with the best settings", file=sys.stderr)
            return
        history = finish(folder, jobs.job, watch, stop)
        watch.close()
        show_history(results_console(), history)
        _draw(history)


def _draw(history: StudyHistory) -> None:
    """Draw the page of a study that has ended, unless its trainings are to have none."""
    config = history.final.config
    evaluation: dict[str, Any] = {}
    if config.is_file():
        evaluation = read_stored(config)["evaluation"]
    if evaluation.get("report", True):
        _write_page(history.folder)


def _write_page(path: Path) -> None:
    from hepclf.search.page import write_page

    print(f"page   {short_path(write_page(path))}")


def _work(folder: StudyFolder, jobs: TrialJobs, stop: Stop, watch: Watch, *, number: int) -> None:
    from hepclf.search.worker import work

    show = _printer(folder)

    def on_trial(trial: Trial) -> None:
        watch.close()
        show(trial)

    work(folder, jobs.job, number=number, progress=watch, stop=stop, on_trial=on_trial)


def _printer(folder: StudyFolder) -> Callable[[Trial], None]:
    """Prints a line for a trial with a result."""
    return lambda trial: print(visible(trial_line(trial, folder.tuning)), file=sys.stderr)


def _worker(words: list[str], stop: Stop) -> None:
    """Run trials of a study until each has its result; workers on other machines need a number each."""
    folder, settings = trusted_study(words, ("number",))
    number = _worker_number(settings)
    _search_and_end(folder, stop, lambda jobs, watch: _work(folder, jobs, stop, watch, number=number))


def _worker_number(settings: Mapping[str, Any]) -> int:
    """The worker's number, by default that of the process, so that no two workers make the same choices."""
    number = settings.get("number", os.getpid())
    if type(number) is not int or number < 0:
        raise RecipeError(f"number must be a whole number of at least 0, not {number!r}")
    return number


def _status(words: list[str], stop: Stop) -> None:  # noqa: ARG001
    from hepclf.search.history import study_history

    folder = named_study(words)
    show_status(results_console(), study_history(folder), folder)


def _best(words: list[str], stop: Stop) -> None:  # noqa: ARG001
    """Print the configuration of the best trial so far, or of another one (trial=N)."""
    from hepclf.search.finish import configuration
    from hepclf.search.history import study_history

    folder, settings = trusted_study(words, ("trial",))
    history = study_history(folder)
    number = settings.get("trial", history.best)
    if number is None:
        front = ""
        if history.front:
            front = f"; the front has the trials {', '.join(map(str, history.front))}"
        raise ValueError(f"{folder.path} has no best trial{front}; say trial=N")
    if number not in {trial.number for trial in history.trials}:
        raise RecipeError(f"trial must be one of the {len(history.trials)} trials that have begun, not {number!r}")
    os.chdir(folder.directory)
    trial = history.trial(number)
    with trial_jobs(folder.words) as jobs:
        job = jobs.job(folder.space.settings(trial.values))
    print(configuration(job, trial, history), end="")


def _page(words: list[str], stop: Stop) -> None:  # noqa: ARG001
    """Draw the page of a study in its present state."""
    folder = named_study(words)
    _write_page(folder.path)
