"""The tasks of a submitted command: its command lines, and the folder that they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hepclf.cli import sweep
from hepclf.cli.composition import is_sweep
from hepclf.cli.config import Composed, composing, launch
from hepclf.cli.plan import plan
from hepclf.recipe import RecipeError
from hepclf.run import new_folder
from hepclf.words import setting_text, setting_word
from hepclf.workflow.sweep import Sweep, SweepJob

ACTIONS = ("resume", "status", "best", "page")  # of hepclf tune on a study that is there
LEAN = ("evaluation.plots", "evaluation.report")  # of the jobs of a sweep, false unless typed
SHARED = "train resume=SWEEP, tune and predict"


class Tasks(NamedTuple):
    """Command lines, and the folder of the run, sweep or study that they share.

    closing  the command that writes table and page when all have ended; empty for none
    """

    target: Path
    lines: tuple[tuple[str, ...], ...]
    closing: tuple[str, ...] = ()


def tasks_of(command: str, words: list[str], copies: int, *, dry: bool) -> Tasks:
    """The tasks of a command; a mistake that can be known is refused now, not in the queue.

    copies  processes that share the work of one command
    """
    words = [_lasting(word) for word in words]
    target = _target(words)
    if command == "train" and is_sweep(words):
        return _sweep(words, dry=dry)
    if command == "train" and (folder := sweep.resumed(words)):
        return Tasks(Path(folder), (("train", *words),) * copies, _closing(Sweep.open(folder)))
    if command == "predict":
        return Tasks(target, _shards(words, copies))
    if command == "tune" and words[:1] == ["worker"]:
        return Tasks(target, _workers(words, copies))
    if command == "tune" and not (words and words[0] in ACTIONS):
        return _study(words, copies, dry=dry)
    if copies > 1:
        raise RecipeError(f"cluster.tasks must be 1, not {copies}; only {SHARED} share their work")
    if command == "train":
        return _training(words)
    return Tasks(target, ((command, *words),))


def _lasting(word: str) -> str:
    """A word with the folder that runs/latest points at now, as the link may point elsewhere when the job starts."""
    key, is_setting, value = word.partition("=")
    path = Path(setting_text(value) if is_setting else word)
    if not (path.is_symlink() and path.is_dir()):
        return word
    return setting_word(key, path.resolve()) if is_setting else str(path.resolve())


def is_single_training(command: str, words: list[str]) -> bool:
    """Whether a command trains one tagger, which several nodes can share."""
    return command == "train" and not is_sweep(words) and sweep.resumed(words) is None


def _target(words: Sequence[str]) -> Path:
    """The folder that a command names, or one of its own for job files and logs."""
    pairs = (word.split("=", 1) for word in words if "=" in word)
    settings = {key: setting_text(value) for key, value in pairs}
    named = settings.get("out") or settings.get("folder")
    if not named and "run" in settings and "files" in settings:
        named = str(Path(settings["run"]) / "predictions")
    folders = [word for word in words if "=" not in word and Path(word).is_dir()]
    if not named and len(folders) == 1:
        named = folders[0]
    return Path(named or new_folder(settings.get("runs", "runs"), "jobs"))


def _training(words: list[str]) -> Tasks:
    """One training, in a folder that is chosen now, so that it resumes wherever it is started again."""
    folders: list[Path] = []
    launch("train", words, lambda composed: folders.append(_folder(composed)))
    if any(word.startswith("resume=") and word != "resume=auto" for word in words):
        return Tasks(folders[0], (("train", *words),))
    rest = [word for word in words if word.partition("=")[0] not in ("folder", "resume")]
    return Tasks(folders[0], (("train", *rest, setting_word("folder", folders[0].resolve()), "resume=auto"),))


def _folder(composed: Composed) -> Path:
    return plan(composed).folder


def _sweep(words: list[str], *, dry: bool) -> Tasks:
    """The unfinished jobs of a sweep, each a training of its own in the folder of the sweep."""
    with composing("train", words) as hydra:
        planned, _ = sweep.planned(hydra, words, writes=not dry)
    typed = {word.lstrip("+~").partition("=")[0] for word in words}
    lean = tuple(f"{key}=false" for key in LEAN if key not in typed)
    lines = tuple(_job_line(planned, job, lean) for job in planned.jobs if not planned.row(job).is_finished)
    if not lines:
        raise ValueError(f"all jobs of {planned.folder} have finished; choose another folder, or other lists")
    return Tasks(planned.folder, lines, _closing(planned))


def _job_line(planned: Sweep, job: SweepJob, lean: tuple[str, ...]) -> tuple[str, ...]:
    folder = planned.run(job).folder.resolve()
    words = (word.removeprefix("++") for word in job.words)  # which every word of a command line gets by itself
    return ("train", *_flags(planned), *words, *lean, setting_word("folder", folder), "resume=auto")


def _closing(planned: Sweep) -> tuple[str, ...]:
    """The command that writes the table of a sweep and draws its best run, and trains nothing."""
    return ("train", *_flags(planned), setting_word("resume", planned.folder.resolve()), "jobs=0")


def _flags(planned: Sweep) -> tuple[str, ...]:
    return tuple(word for folder in planned.config_dirs for word in ("--config-dir", folder))


def _study(words: list[str], copies: int, *, dry: bool) -> Tasks:
    """A search: its folder is created now, and workers share its trials."""
    from hepclf.cli.planned_study import planned
    from hepclf.search.own_code import divided_code
    from hepclf.search.worker import require_engine

    require_engine()
    study = planned(words)
    place = study.folder if dry else study.opened().path
    folder = str(place.resolve())
    code, _ = divided_code(study.words, Path.cwd())
    lines = _workers(["worker", folder, *code], copies)
    return Tasks(Path(folder), lines, ("tune", "resume", folder, *code, "tune.workers=1"))


def _workers(words: list[str], copies: int) -> tuple[tuple[str, ...], ...]:
    """Workers on one study, each with its own number, so that no two make the same choices."""
    return tuple(("tune", *words, f"number={number}") for number in range(copies))


def _shards(words: list[str], copies: int) -> tuple[tuple[str, ...], ...]:
    """A prediction in several parts, each of which scores its own files."""
    if copies > 1 and any(word.startswith("shard=") for word in words):
        raise RecipeError("shard and cluster.tasks exclude each other; leave shard out")
    if copies == 1:
        return (("predict", *words),)
    return tuple(("predict", *words, f"shard={number + 1}/{copies}") for number in range(copies))
