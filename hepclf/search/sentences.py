"""A study in sentences, for a terminal or a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from hepclf.search.history import StudyHistory
from hepclf.search.optimism import Optimism
from hepclf.search.trial import STATES, Trial
from hepclf.words import number, to_error_digits

NAMES = {
    "log_loss": "log-loss",
    "auc": "AUC",
    "rejection": "background rejection",
    "significance": "Asimov significance",
}
MAX_REASONS = 3


def study_headline(history: StudyHistory) -> Iterator[str]:
    """What came out of a study: the best trial, the defaults, and how far the best can be believed."""
    if not history.complete:
        yield "No trial is complete, so there is no best one."
    elif history.best is None:
        yield from _front(history)
    else:
        yield from _best(history, history.trial(history.best))
    yield progress_line(history)


def progress_line(history: StudyHistory) -> str:
    """How many trials there are in each state."""
    counts: Counter[str] = Counter(trial.state for trial in history.trials)
    planned = history.tuning.trials
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "none has begun"
    final = sum(trial.is_final for trial in history.trials)
    if final < planned:
        return f"The study is not finished: {final} of {planned} trials have ended ({states})."
    return f"{final} trials have ended: {states}."


def error_note(history: StudyHistory) -> str:
    """What the errors of the objectives in tables and pictures are."""
    if history.optimism is not None:
        return (
            f"± is for comparing trials: the standard error of the mean of {history.tuning.repeats} trainings, without "
            "the shifts that all trials share, such as a harder split. The errors at the top of the page include them."
        )
    return "± is the statistical error of the validation events; the noise of the training is not in it."


def trial_noise(history: StudyHistory, trial: Trial, place: int = 0) -> float | None:
    """The error of a trial's objective against other trials; that of the validation events where no noise is known."""
    if history.optimism is not None:
        return history.optimism.noise or None
    return _statistical(trial, place)


def objective_words(history: StudyHistory, trial: Trial, place: int = 0) -> str:
    """A trial's objective with its noise; `-` where it has none."""
    if len(trial.objectives) <= place:
        return "-"
    return number(trial.objectives[place], trial_noise(history, trial, place))


def _with_error(history: StudyHistory, trial: Trial, place: int = 0) -> str:
    """A trial's objective with the error that it has by itself."""
    error = _statistical(trial, place) if history.optimism is None else history.optimism.error
    return number(trial.objectives[place], error)


def _statistical(trial: Trial, place: int) -> float | None:
    """The statistical error of the validation events, where all repeats tell it."""
    errors = [row[place] if len(row) > place else None for row in trial.errors]
    known = [error for error in errors if error is not None and np.isfinite(error)]
    return float(np.sqrt(np.mean(np.square(known)))) if known and len(known) == len(errors) else None


def failure_lines(history: StudyHistory) -> Iterator[str]:
    """Why trials failed, each reason once."""
    reasons: dict[str, list[int]] = {}
    for trial in history.trials:
        if trial.state == "failed":
            reasons.setdefault(trial.error or "its reason is not known", []).append(trial.number)
    for reason, numbers in list(reasons.items())[:MAX_REASONS]:
        yield f"Failed, {_trials(numbers)}: {reason}"
    if (more := len(reasons) - MAX_REASONS) > 0:
        yield f"{more} more reasons of failures are in study.csv."


def _best(history: StudyHistory, best: Trial) -> Iterator[str]:
    name = NAMES.get(history.tuning.objectives[0], history.tuning.objectives[0])
    ended = sum(trial.is_final for trial in history.trials)
    count = f"chosen out of {ended} trials" if ended > 1 else "the only trial"
    yield f"Best {name} on validation: {_with_error(history, best)}, trial {best.number}, {count}."
    yield from _defaults(history, best)
    yield from _optimism(history)


def _defaults(history: StudyHistory, best: Trial) -> Iterator[str]:
    if history.default is None:
        yield "The default settings are not among the complete trials, so no improvement on them is claimed."
        return
    if history.default == best.number:
        yield "The defaults are the best trial: the search improved on nothing."
        return
    default = history.trial(history.default)
    reached = f"The defaults (trial {default.number}) reach {_with_error(history, default)}"
    judged = history.optimism
    if judged is None or judged.gain is None:
        yield f"{reached}; whether the best is better by more than chance is not known."
        return
    yield f"{reached}."
    sigma = "significant, above two sigma" if judged.improves else "not significant, below two sigma"
    gain = number(judged.gain, judged.gain_error)
    yield f"The best improves on them by {gain}, corrected for the choice of the best of many: {sigma}."


def _optimism(history: StudyHistory) -> Iterator[str]:
    judged = history.optimism
    if judged is None:
        reason = "one training a trial" if history.tuning.repeats == 1 else "too few complete trials"
        yield f"How optimistic the best of these numbers is cannot be told from {reason}."
        return
    ended = sum(trial.is_final for trial in history.trials)
    yield (
        f"The best of {ended} noisy results looks better than it is, here by {_flattery(judged)}. New trainings with "
        f"its settings are expected to reach {number(judged.best, judged.error)}."
    )


def _flattery(judged: Optimism) -> str:
    """The optimism in the digits of the error that is quoted beside it."""
    if judged.error <= 0:
        return number(judged.optimism)
    text = to_error_digits(judged.optimism, judged.error)
    return text if float(text) else "less than the last digit of the error"


def _front(history: StudyHistory) -> Iterator[str]:
    names = [NAMES.get(name, name) for name in history.tuning.objectives]
    count = len(history.front)
    yield (
        f"The front has {count} of {len(history.complete)} complete trials: no other trial is better than these in "
        f"both {names[0]} and {names[1]}."
    )
    for place, name in enumerate(names):
        best = history.trial(history.front[0 if place == 0 else -1])
        yield f"Best {name} on validation: {_with_error(history, best, place)}, trial {best.number}."
    yield "No one best trial is chosen, so no optimism is estimated and no final training is made."
    yield "Choose a trial of the front by these numbers, and only then train with its settings and look at test."


def _trials(numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
    return f"trial {named}" if len(numbers) == 1 else f"{len(numbers)} trials ({named})"
