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
    """The result of a study: the best trial, the defaults, and the optimism of the best."""
    if not history.complete:
        yield "No trial is complete, so there is no best one."
    elif history.best is None:
        yield from _front(history)
    else:
        yield from _best(history, history.trial(history.best))
    yield progress_line(history)


def progress_line(history: StudyHistory) -> str:
    """The number of trials in each state."""
    counts: Counter[str] = Counter(trial.state for trial in history.trials)
    planned = history.tuning.trials
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "none has begun"
    final = sum(trial.is_final for trial in history.trials)
    if final < planned:
        return f"The search is not finished: {final} of {planned} trials have ended ({states})."
    return f"{final} trials have ended: {states}."


def error_note(history: StudyHistory) -> str:
    """The meaning of the errors of the objectives in tables and pictures."""
    if history.optimism is not None:
        return (
            f"± is for comparing trials: the standard error of the mean of {history.tuning.repeats} trainings, without "
            "the shifts that all trials share, such as a harder split. The errors at the top of the page include them."
        )
    return "± is the statistical error of the validation events; the noise of the training is not in it."


def trial_noise(history: StudyHistory, trial: Trial, place: int = 0) -> float | None:
    """The error of a trial's objective relative to other trials; without a noise, that of the validation events."""
    if history.optimism is not None:
        return history.optimism.noise or None
    return _statistical(trial, place)


def objective_words(history: StudyHistory, trial: Trial, place: int = 0) -> str:
    """A trial's objective with its noise; `-` where it has none."""
    if len(trial.objectives) <= place:
        return "-"
    return number(trial.objectives[place], trial_noise(history, trial, place))


def _with_error(history: StudyHistory, trial: Trial, place: int = 0) -> str:
    """A trial's objective with its error, including shifts that all trials share."""
    if history.optimism is None:
        return number(trial.objectives[place], _statistical(trial, place))
    return number(trial.objectives[place], history.optimism.error)


def _statistical(trial: Trial, place: int) -> float | None:
    """The statistical error of the validation events; None where a repeat has none."""
    errors = [error for row in trial.errors for error in row[place : place + 1]]
    known = [error for error in errors if error is not None and np.isfinite(error)]
    if not known or len(known) < len(trial.errors):
        return None
    return float(np.sqrt(np.mean(np.square(known))))


def failure_lines(history: StudyHistory) -> Iterator[str]:
    """The reasons of failed trials, each reason once."""
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
    count = "the only trial"
    if ended > 1:
        count = f"chosen out of {ended} trials"
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
    sigma = "not significant, below two sigma"
    if judged.improves:
        sigma = "significant, above two sigma"
    gain = number(judged.gain, judged.gain_error)
    yield f"The best improves on them by {gain}, corrected for the choice of the best of many: {sigma}."


def _optimism(history: StudyHistory) -> Iterator[str]:
    judged = history.optimism
    if judged is None:
        reason = "too few complete trials"
        if history.tuning.repeats == 1:
            reason = "one training a trial"
        yield f"How optimistic the best of these numbers is cannot be told from {reason}."
        return
    ended = sum(trial.is_final for trial in history.trials)
    yield (
        f"The best of {ended} noisy results looks better than it is, here by {_flattery(judged)}. New trainings with "
        f"its settings are expected to reach {number(judged.best, judged.error)}."
    )


def _flattery(judged: Optimism) -> str:
    """The optimism, rounded like the error that is quoted with it."""
    if judged.error <= 0:
        return number(judged.optimism)
    text = to_error_digits(judged.optimism, judged.error)
    if float(text) == 0:
        return "less than the last digit of the error"
    return text


def _front(history: StudyHistory) -> Iterator[str]:
    names = [NAMES.get(name, name) for name in history.tuning.objectives]
    count = len(history.front)
    yield (
        f"The front has {count} of {len(history.complete)} complete trials: no other trial is better than these in "
        f"both {names[0]} and {names[1]}."
    )
    # The front is sorted by the first objective, so its ends are the best in the first and in the second.
    for place, name in enumerate(names):
        best = history.trial(history.front[-place])
        yield f"Best {name} on validation: {_with_error(history, best, place)}, trial {best.number}."
    yield "No one best trial is chosen, so no optimism is estimated and no final training is made."
    yield "Choose a trial of the front by these numbers, and only then train with its settings and look at test."


def _trials(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"trial {numbers[0]}"
    named = ", ".join(map(str, numbers[:5])) + ", ..." * (len(numbers) > 5)
    return f"{len(numbers)} trials ({named})"
