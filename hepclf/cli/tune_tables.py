"""The output of a study: a line for each trial, the best trials, and how far they can be trusted."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hepclf.cli.terminal import short_path
from hepclf.words import typed_setting
from hepclf.workflow.sweep_row import short_keys

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder
    from hepclf.search.history import StudyHistory
    from hepclf.search.trial import Trial
    from hepclf.search.tuning import Tuning


def trial_line(trial: Trial, tuning: Tuning) -> str:
    """A trial in a line: its number, as its folder has it, its result and its settings."""
    return f"trial {trial.number} of 0-{tuning.trials - 1}: {_result(trial, tuning)}  {_settings(trial, trial.values)}"


def _result(trial: Trial, tuning: Tuning) -> str:
    from hepclf.search.sentences import NAMES

    if trial.state == "complete":
        named = zip(tuning.objectives, trial.objectives, strict=True)
        return ", ".join(f"{NAMES[name]} {value:.5g}" for name, value in named)
    if trial.state == "failed":
        return f"failed, {trial.error}"
    return trial.state


def _settings(trial: Trial, values: Mapping[str, Any]) -> str:
    from hepclf.search.tables import value_text

    if trial.is_default:
        return "the defaults"
    return " ".join(f"{name}={value_text(value, None).replace(', ', ',')}" for name, value in values.items())


def show_history(console: Console, history: StudyHistory) -> None:
    """Print the best trials, the expectation for the best one, and where it is."""
    from hepclf.search.folder import StudyFolder
    from hepclf.search.sentences import study_headline

    if history.complete:
        _show_best(console, history)
    for sentence in study_headline(history):
        console.print(sentence, markup=False)
    folder, final = StudyFolder(history.folder), history.final
    for command in _front_commands(history, folder):
        console.print(command, soft_wrap=True, markup=False)
    paths = {"best": folder.best, "run": final.folder, "search": folder.path}
    if not final.metrics.is_file():
        del paths["run"]
    for name, path in paths.items():
        if path.exists():
            console.print(f"{name:<6} {short_path(path)}", soft_wrap=True, markup=False)


def _front_commands(history: StudyHistory, folder: StudyFolder) -> Iterator[str]:
    """How to train with each listed trial of the front, after its configuration is written."""
    from hepclf.search.tables import best_trials

    for trial in best_trials(history):
        path = folder.front_file(trial.number)
        if path.is_file():
            yield f"{shlex.join(['hepclf', 'train', *folder.code_words])} {typed_setting('again', short_path(path))}"


def _show_best(console: Console, history: StudyHistory) -> None:
    """Print the best trials: number and objectives are on the first line of the settings, which are folded."""
    from hepclf.search.sentences import NAMES, objective_words
    from hepclf.search.tables import best_trials

    goals = history.tuning.objectives
    table = Table(box=None, pad_edge=False, header_style="")
    for name in ("trial", *(NAMES[goal].replace(" ", "\n") for goal in goals)):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for trial in best_trials(history):
        cells = [objective_words(history, trial, place) for place in range(len(goals))]
        table.add_row(str(trial.number), *cells, escape(_settings(trial, short_keys(trial.values))))
    title = "the best trials" if len(goals) == 1 else "the front"
    console.print(title, style="bold")
    console.print(table)
    console.print()


def show_status(console: Console, history: StudyHistory, folder: StudyFolder) -> None:
    """Print how far a study is, its best trials so far, and how it continues."""
    from hepclf.search.damage import damage_lines
    from hepclf.search.worker import resume_command

    show_history(console, history)
    for line in damage_lines(folder):
        console.print(line, soft_wrap=True, markup=False)
    unfinished = [trial for trial in history.trials if not trial.is_final]
    is_held = {trial.number: _is_held(folder, trial.number) for trial in unfinished}
    for place, held in is_held.items():
        state = "is at work" if held else "was left by its worker"
        console.print(f"trial {place} {state}", markup=False)
    ended = len(history.trials) - len(unfinished)
    if ended < folder.tuning.trials and not any(is_held.values()):
        console.print(resume_command(folder), soft_wrap=True, markup=False)


def _is_held(folder: StudyFolder, place: int) -> bool:
    from hepclf.lock import living_entry

    return living_entry(folder.trial(place)) is not None
