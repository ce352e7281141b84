"""What the terminal says of a study: a line a trial, the best one and how far to trust it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hepclf.cli.terminal import section, short_path
from hepclf.words import number

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder
    from hepclf.search.history import StudyHistory
    from hepclf.search.trial import Trial
    from hepclf.search.tuning import Tuning

SHOWN = 10  # trials in the table


def trial_line(trial: Trial, tuning: Tuning) -> str:
    """A trial in a line: its result and its values."""
    return f"trial {trial.number + 1}/{tuning.trials}: {_result(trial, tuning)}  {_values(trial)}"


def _result(trial: Trial, tuning: Tuning) -> str:
    if trial.state == "complete":
        named = zip(tuning.objectives, trial.objectives, strict=True)
        return ", ".join(f"{name} {value:.5g}" for name, value in named)
    return f"failed, {trial.error}" if trial.state == "failed" else trial.state


def _values(trial: Trial) -> str:
    if trial.is_default:
        return "the defaults"
    return " ".join(f"{name}={_short(value)}" for name, value in trial.values.items())


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace(" ", "")


def show_history(console: Console, history: StudyHistory) -> None:
    """The best trials, and what the best one promises."""
    trials = _ranked(history)[:SHOWN]
    names = history.tuning.objectives
    rows = [[str(trial.number), *(f"{value:.5g}" for value in trial.objectives), _values(trial)] for trial in trials]
    if rows:
        section(console, "the best trials" if len(names) == 1 else "the front", ("trial", *names, "values"), rows)
    for sentence in sentences(history):
        console.print(sentence, soft_wrap=True, markup=False)
    if history.final.metrics.is_file():
        console.print(f"run    {short_path(history.final.folder)}", soft_wrap=True, markup=False)
    console.print(f"study  {short_path(history.folder)}", soft_wrap=True, markup=False)


def _ranked(history: StudyHistory) -> list[Trial]:
    if len(history.tuning.objectives) > 1:
        return [history.trial(place) for place in history.front]
    sign = -1 if history.tuning.maximised[0] else 1
    return sorted(history.complete, key=lambda trial: (sign * trial.objectives[0], trial.number))


def sentences(history: StudyHistory) -> list[str]:
    """How good the best trial is, and how much of that is luck."""
    counts = Counter(trial.state for trial in history.trials)
    made = ", ".join(f"{count} {state}" for state, count in counts.items())
    if history.best is None:
        return [f"{len(history.trials)} trials: {made or 'none has begun'}"]
    best, name, judged = history.trial(history.best), history.tuning.objectives[0], history.optimism
    error = judged.error if judged else None
    achieved = f"{name} {number(best.objectives[0], error)}, trial {best.number}"
    lines = [f"best of {len(history.trials)} trials ({made}): {achieved}"]
    if history.default is not None:
        lines.append(f"the defaults: {name} {number(history.trial(history.default).objectives[0], error)}")
    if judged is None:
        return [*lines, "without repeats no error is known, so nothing is said of how lucky the best trial is"]
    lines.append(
        f"the best of so many noisy trials looks better than it is, by about {judged.optimism:.2g}: "
        f"expect {name} {number(judged.best, judged.error)}"
    )
    return [*lines, *_gain_sentence(history)]


def _gain_sentence(history: StudyHistory) -> list[str]:
    judged = history.optimism
    if judged is None or judged.gain is None:
        return []
    gain = number(judged.gain, judged.gain_error)
    if judged.improves:
        return [f"it improves on the defaults by {gain}"]
    return [f"an improvement on the defaults is not shown: {gain}"]


def show_status(console: Console, history: StudyHistory, folder: StudyFolder) -> None:
    """How far a study is, and its best trial so far."""
    tuning, final = folder.tuning, [trial for trial in history.trials if trial.is_final]
    console.print(f"{len(final)} of {tuning.trials} trials have a result", markup=False)
    for trial in (trial for trial in history.trials if not trial.is_final):
        lock = "is at work" if _is_held(folder, trial.number) else "was left by its worker"
        console.print(f"trial {trial.number} {lock}", markup=False)
    show_history(console, history)


def _is_held(folder: StudyFolder, place: int) -> bool:
    from hepclf.lock import living_entry

    return living_entry(folder.trial(place)) is not None
