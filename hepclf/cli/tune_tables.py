"""What the terminal says of a study: a line for each trial, the best ones, and how far they can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from hepclf.cli.grids import show_grid
from hepclf.cli.terminal import short_path
from hepclf.words import Grid

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder
    from hepclf.search.history import StudyHistory
    from hepclf.search.trial import Trial
    from hepclf.search.tuning import Tuning


def trial_line(trial: Trial, tuning: Tuning) -> str:
    """A trial in a line: its number, as its folder has it, its result and its settings."""
    return f"trial {trial.number} of 0-{tuning.trials - 1}: {_result(trial, tuning)}  {_settings(trial)}"


def _result(trial: Trial, tuning: Tuning) -> str:
    from hepclf.search.sentences import NAMES

    if trial.state == "complete":
        named = zip(tuning.objectives, trial.objectives, strict=True)
        return ", ".join(f"{NAMES[name]} {value:.5g}" for name, value in named)
    return f"failed, {trial.error}" if trial.state == "failed" else trial.state


def _settings(trial: Trial) -> str:
    from hepclf.search.tables import value_text

    if trial.is_default:
        return "the defaults"
    return " ".join(f"{name}={value_text(value).replace(', ', ',')}" for name, value in trial.values.items())


def show_history(console: Console, history: StudyHistory) -> None:
    """The best trials, what the best one promises, and where it is."""
    from hepclf.search.folder import StudyFolder
    from hepclf.search.sentences import study_headline

    if history.complete:
        show_grid(console, _best_table(history))
    for sentence in study_headline(history):
        console.print(sentence, markup=False)
    folder, final = StudyFolder(history.folder), history.final
    paths = {"best": folder.best, "run": final.folder if final.metrics.is_file() else None, "study": folder.path}
    for name, path in paths.items():
        if path is not None and path.exists():
            console.print(f"{name:<6} {short_path(path)}", soft_wrap=True, markup=False)


def _best_table(history: StudyHistory) -> Grid:
    from hepclf.search.sentences import NAMES, objective_words
    from hepclf.search.tables import best_trials

    objectives = [NAMES[name] for name in history.tuning.objectives]
    rows = [
        [_settings(trial), str(trial.number), *(objective_words(history, trial, i) for i in range(len(objectives)))]
        for trial in best_trials(history)
    ]
    title = "the best trials" if len(objectives) == 1 else "the front"
    return Grid(title, ["settings", "trial", *objectives], rows)


def show_status(console: Console, history: StudyHistory, folder: StudyFolder) -> None:
    """How far a study is, its best trials so far, and how it goes on."""
    from hepclf.search.worker import resume_command

    show_history(console, history)
    unfinished = [trial for trial in history.trials if not trial.is_final]
    is_held = {trial.number: _is_held(folder, trial.number) for trial in unfinished}
    for place, held in is_held.items():
        console.print(f"trial {place} {'is at work' if held else 'was left by its worker'}", markup=False)
    ended = len(history.trials) - len(unfinished)
    if ended < folder.tuning.trials and not any(is_held.values()):
        console.print(resume_command(folder), soft_wrap=True, markup=False)


def _is_held(folder: StudyFolder, place: int) -> bool:
    from hepclf.lock import living_entry

    return living_entry(folder.trial(place)) is not None
