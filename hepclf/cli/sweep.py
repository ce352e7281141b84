"""`hepclf train -m`: many jobs in one folder, trained one after another or several at a time, and resumed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from omegaconf import OmegaConf

from hepclf.cli import configs
from hepclf.cli.composition import FLAGS, Composition, Expanded
from hepclf.cli.config import composed, composing, hydra_words
from hepclf.cli.errors import FAILED, NO_ACCESS, explain
from hepclf.cli.overrides import overrides
from hepclf.cli.plan import AUTO, run_name
from hepclf.cli.signals import signalled
from hepclf.cli.sweep_best import BEST, keep_best
from hepclf.cli.sweep_check import SettingCheck, check_values
from hepclf.cli.sweep_over import expanded
from hepclf.cli.sweep_tables import comparison, job_line, summary
from hepclf.cli.sweep_worker import SweepTask, draws, train_in_processes, work
from hepclf.cli.terminal import Watch, results_console, short_path
from hepclf.recipe import RecipeError, build, recipe
from hepclf.run import Stopped, new_folder
from hepclf.words import setting_text, typed_setting
from hepclf.workflow.resume import FREE
from hepclf.workflow.scan import draw_scan
from hepclf.workflow.stop import Stop
from hepclf.workflow.sweep import TABLE, By, Sweep, SweepJob, newest

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hepclf.workflow.sweep_row import Row

OWN = ("jobs", "sweep", "folder", "resume")  # settings of the sweep itself, of which its jobs know nothing
SINGLE = (*OWN, "runs", "name")  # settings with one value for all jobs
WORDS_OF_CODE = ("_target_", "hydra.searchpath")

log = logging.getLogger("hepclf.cli")


@recipe
class SweepSettings:
    """Settings of a sweep as a whole.

    by     the validation number that chooses the best job
    over   choices that a file holds (sweep_over.py)
    plots  the jobs that are drawn
    """

    by: By = "log_loss"
    over: Mapping[str, Any] | None = None
    plots: Literal["best", "all"] = "best"


class Settings(NamedTuple):
    """The settings of a sweep as a whole."""

    jobs: int
    by: By
    folder: str | None
    root: Path  # of new sweeps
    resume: str | None


def run(arguments: Sequence[str], stop: Stop) -> int:
    """Train the jobs of a new sweep, or, with resume=auto, the remaining jobs of the same one."""
    with composing("train", arguments) as hydra:
        sweep, settings = planned(hydra, arguments)
        return _train(replace(sweep, by=settings.by), hydra, settings.jobs, stop)


def planned(hydra: Composition, arguments: Sequence[str], *, writes: bool = True) -> tuple[Sweep, Settings]:
    """The sweep that these words describe, stored or new; a new folder is created unless nothing may be written."""
    _, words = hydra_words("train", arguments)
    config = hydra.sweep(words)
    settings = _settings(config)
    jobs = list(_distinct(expanded(hydra, _jobs_words(words), config)))
    config_dirs = tuple(str(folder.resolve()) for folder in configs.user_folders(arguments))
    if (stored := _stored(settings, jobs, config_dirs)) is not None:
        return stored, settings
    checked = SettingCheck(lambda job: composed(hydra.config(job.words)))
    check_values(jobs, checked.compose, checked.is_fine)
    _check_by(settings.by, jobs)
    folder = Path(settings.folder or new_folder(settings.root.parent, settings.root.name))
    command = tuple(word for word in arguments if word not in FLAGS and _key(word) not in OWN)
    sweep = Sweep(folder=folder, jobs=tuple(jobs), command=command, by=settings.by, config_dirs=config_dirs)
    if writes:
        sweep.create(OmegaConf.to_yaml(config))
    return sweep, settings


def resumed(arguments: Sequence[str]) -> str | None:
    """The folder of the sweep that resume=DIR names with nothing beside it that would be another command."""
    folders = [setting_text(word.partition("=")[2]) for word in arguments if word.startswith("resume=")]
    is_sweep = bool(folders) and (Path(folders[-1]) / TABLE).is_file()
    others = [word for word in arguments if "=" in word and not word.startswith("-") and not _is_free(word)]
    is_other_command = others and FLAGS & set(arguments)
    return folders[-1] if is_sweep and not is_other_command else None


def resume(folder: str, arguments: Sequence[str], stop: Stop) -> int:
    """Train the remaining jobs of a stored sweep; other processes may do the same."""
    typed = [word for word in arguments if word not in FLAGS]
    sweep = Sweep.open(folder)
    _check_stored(sweep, typed)
    with composing("train", typed) as hydra:
        _, words = hydra_words("train", typed)
        settings = _settings(hydra.sweep(words))
        if any(_key(word) == "sweep" for word in typed):
            _check_by(settings.by, sweep.jobs)
            sweep = replace(sweep, by=settings.by)
        return _train(sweep, hydra, settings.jobs, stop, tuple(word for word in typed if _plain(word) in FREE))


def _train(sweep: Sweep, hydra: Composition, processes: int, stop: Stop, extra: tuple[str, ...] = ()) -> int:
    """Train the open jobs, print the state of all, and keep the best; with no processes, only the latter two."""
    count, before = len(sweep.jobs), sum(row.is_finished for row in sweep.rows())
    if before == count:
        processes = 0
    if processes:
        sweep.forget_failures()
    jobs = "1 job" if count == 1 else f"{count} jobs"
    done = f", {before} finished already" if before else ""
    print(f"sweep  {short_path(sweep.folder)}: {jobs}{done}", file=sys.stderr)
    task = SweepTask(sweep, hydra, stop, hydra_words("train", extra)[1])
    try:
        with signalled(stop):
            if processes == 1:
                _train_here(task)
            elif processes:
                train_in_processes(sweep, processes, stop, extra, _print_line)
            return _close(task)
    except Stopped as stopped:
        sweep.write(sweep.rows())
        advice = f"continue with: hepclf train {typed_setting('resume', sweep.folder)}"
        raise Stopped(stopped.reason, advice, is_interrupt=stopped.is_interrupt) from stopped


def _train_here(task: SweepTask) -> None:
    watch = Watch(names_stages=False)
    try:
        work(task, watch, lambda row: _print_line(job_line(row)), watch.close)
    finally:
        watch.close()


def _print_line(line: str) -> None:
    results_console().print(line, soft_wrap=True, markup=False)


def _close(task: SweepTask) -> int:
    """Write the table, print a summary of the jobs, and keep the best one if all have ended."""
    sweep = task.sweep
    rows, console = sweep.rows(), results_console()
    with _warned("the table of the sweep"):
        sweep.write(rows)
    summary(console, rows, sweep.by)
    plots = draws(task, rows)
    with _warned("the comparison"):
        # The jobs of a sweep have no pictures unless they are asked for, but their comparison has.
        comparison(console, rows, sweep.by, plots=plots)
    with _warned("the picture of the sweep"):
        if plots and (drawn := draw_scan(rows, sweep.folder / "plots")):
            console.print(f"scan   {short_path(drawn[0])}", soft_wrap=True, markup=False)
    console.print(f"sweep  {short_path(sweep.folder)}", soft_wrap=True, markup=False)
    with _warned(BEST):
        if not any(row.status == "running" for row in rows) and (best := keep_best(task, rows)):
            console.print(f"best   {short_path(best)}", soft_wrap=True, markup=False)
    if any(_is_missing(row) for row in rows):
        return FAILED
    return 0


@contextmanager
def _warned(name: str) -> Iterator[None]:
    """Warn of what cannot be stored for lack of permission: a finished sweep can still be read there."""
    try:
        yield
    except OSError as error:
        source = error.__cause__ if isinstance(error.__cause__, OSError) else error
        if source.errno not in NO_ACCESS:
            raise
        log.warning("%s is not stored: %s", name, explain(source)[0])


def _is_missing(row: Row) -> bool:
    return row.status not in ("finished", "running")


def _settings(config: DictConfig) -> Settings:
    values: dict[str, Any] = {key: OmegaConf.select(config, key) for key in SINGLE}
    jobs, name = values["jobs"], values["name"]
    if type(jobs) is not int or jobs < 0:
        raise RecipeError(f"jobs must be a whole number of at least 0, not {jobs!r}")
    if not isinstance(values["runs"], str):
        raise RecipeError(f"runs must be a folder, not {values['runs']!r}")
    by = build(SweepSettings, OmegaConf.to_container(values["sweep"]), "sweep").by
    group = "sweeps" if name is None else run_name(name)
    root = Path(values["runs"]) / group
    folder, resume = (None if values[key] is None else str(values[key]) for key in ("folder", "resume"))
    return Settings(jobs, by, folder, root, resume)


def _check_by(by: By, jobs: Sequence[SweepJob]) -> None:
    """Refuse to rank by the log-loss where the jobs weigh it differently."""
    from hepclf.search.tuning import LOSS_WEIGHTS

    varied = {key for job in jobs for key in job.varied}
    for key in LOSS_WEIGHTS:
        if by == "log_loss" and key in varied:
            raise RecipeError(
                f"{key} decides the weights in the log-loss, so sweep.by must not be log_loss where it varies; "
                "choose sweep.by=auc"
            )


def _jobs_words(words: Sequence[str]) -> list[str]:
    """The words about the jobs; those about the sweep itself must have one value."""
    for override in overrides([word for word in words if _key(word) in SINGLE]):
        if override.is_sweep_override():
            raise RecipeError(f"{override.input_line.lstrip('+')} must be one value for the whole sweep, not a list")
    return [word for word in words if _key(word) not in OWN]


def _distinct(expanded: Sequence[Expanded]) -> Iterator[SweepJob]:
    """The jobs, each choice once."""
    seen: set[frozenset[tuple[str, str]]] = set()
    told: set[str] = set()
    for words, varied in expanded:
        # A list follows the null before it, so the list counts.
        settings = frozenset({_plain(word): word.lstrip("+") for word in words}.items())
        job = SweepJob(len(seen), words, varied)
        if settings in seen:
            if job.named not in told:
                _print_line(f"{job.named}: left out, as the list names it twice")
            told.add(job.named)
            continue
        seen.add(settings)
        yield job


def _stored(settings: Settings, jobs: Sequence[SweepJob], config_dirs: tuple[str, ...]) -> Sweep | None:
    """The sweep to resume, if there is one."""
    if settings.resume is None:
        return None
    folder = settings.folder if settings.resume == AUTO else settings.resume
    if folder is None:
        return newest(settings.root, jobs, config_dirs)
    if settings.resume == AUTO and not (Path(folder) / TABLE).is_file():
        return None
    sweep = Sweep.open(folder)
    if not sweep.is_same(jobs, config_dirs):
        raise RecipeError(
            f"{folder} is a sweep with other jobs; choose another folder, or continue it as it is with "
            f"{typed_setting('resume', folder)}"
        )
    return sweep


def _check_stored(sweep: Sweep, arguments: Sequence[str]) -> None:
    """Refuse words that would change a stored sweep, and code that only its own table names."""
    for word in arguments:
        if "=" in word and not word.startswith("-") and not _is_free(word):
            raise RecipeError(
                f"{word} cannot be changed in a stored sweep; leave it out, or start another sweep "
                f"(beside resume there may be {', '.join(('jobs', 'sweep.by', *FREE))})"
            )
    typed = {str(folder.resolve()) for folder in configs.user_folders(arguments)}
    if missing := [folder for folder in sweep.config_dirs if folder not in typed]:
        raise RecipeError(
            f"the sweep uses your configurations in {missing[0]}, and a stored table may not run code; "
            f"say --config-dir {missing[0]} beside resume"
        )
    for job in sweep.jobs:
        for word in job.words:
            if any(name in word for name in WORDS_OF_CODE):
                raise RecipeError(
                    f"the sweep says {word.lstrip('+')}, and a stored table may not choose code; "
                    f"give its whole command with {typed_setting('resume', sweep.folder)}"
                )


def _is_free(word: str) -> bool:
    """Whether a word may be combined with resume=DIR."""
    return _key(word) in ("jobs", "sweep", "resume") or _plain(word) in FREE


def _key(word: str) -> str:
    return _plain(word).partition(".")[0]


def _plain(word: str) -> str:
    return word.lstrip("+~").partition("=")[0]
