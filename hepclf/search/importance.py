"""The importance of each setting of a space, from a random forest that predicts the ranks of the trials."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.search.space import Choice, Parameter, Space
from hepclf.search.trial import Trial
from hepclf.search.tuning import loss_sign
from hepclf.statistics.value import Value

Array = NDArray[np.float64]

MIN_TRIALS = 20
FOLDS, REPEATS = 5, 2  # of the cross-validation
SHARED = math.sqrt(1 / (FOLDS * REPEATS) + 1 / (FOLDS - 1))  # error of the mean over folds that share trials
TREES, SHUFFLES = 60, 3
BELOW = 0.2  # an absent setting has a value below its interval, by this fraction of it


class ForestImportance(NamedTuple):
    """The importance of each setting, and the fraction of the variance of the ranks that the forest explains."""

    settings: dict[str, Value]
    explained: float


def forest_importance(
    space: Space, trials: Sequence[Trial], objective: int, *, maximised: bool
) -> ForestImportance | None:
    """The loss of a forest's accuracy for the rank of held-out trials when one setting is permuted among them.

    It is in units of the variance of the ranks (Breiman 2001, section 10): 0 without influence, within its error. The
    errors come from the spread of the folds, which share trials (Nadeau and Bengio 2003). Ranks are used because a few
    poor trials would dominate the objectives; pruned trials share the last rank. None where too few trials are complete
    or pruned.
    """
    trials = ranked_trials(trials)
    if len(trials) < MIN_TRIALS or not space.parameters:
        return None
    ranks = trial_ranks(trials, objective, maximised=maximised)
    columns = np.column_stack([_column(parameter, trials) for parameter in space.parameters])
    if np.ptp(ranks) == 0:
        return None
    losses, residual = _cross_validated(columns, ranks)
    means, errors = losses.mean(axis=0), losses.std(axis=0, ddof=1) * SHARED
    values = zip((parameter.name for parameter in space.parameters), means.tolist(), errors.tolist(), strict=True)
    return ForestImportance({name: Value(mean, error) for name, mean, error in values}, 1 - residual)


def ranked_trials(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have a rank."""
    return [trial for trial in trials if trial.state in ("complete", "pruned")]


def trial_ranks(trials: Sequence[Trial], objective: int, *, maximised: bool) -> Array:
    """The ranks, up to 1 for the poorest; equal trials share a rank, and so do all pruned trials."""
    from scipy.stats import rankdata

    losses = np.full(len(trials), np.inf)  # of a pruned trial
    for i, trial in enumerate(trials):
        if trial.objectives:
            losses[i] = loss_sign(maximised) * trial.objectives[objective]
    return np.asarray(rankdata(losses) / len(losses), dtype=np.float64)


def _column(parameter: Parameter, trials: Sequence[Trial]) -> Array:
    """The values of a setting as numbers; logarithms where the search is logarithmic."""
    places = np.array([_place(parameter, trial.values) for trial in trials], dtype=np.float64)
    known = places[np.isfinite(places)]
    if not len(known):
        return np.zeros(len(places))
    return np.where(np.isfinite(places), places, known.min() - max(BELOW * np.ptp(known), 1.0))


def _place(parameter: Parameter, values: Mapping[str, Any]) -> float:
    if parameter.name not in values or not parameter.holds(value := values[parameter.name]):
        return math.nan
    if isinstance(parameter, Choice):
        return float(parameter.options.index(value))
    if parameter.log:
        return math.log(value)
    return float(value)


def _cross_validated(columns: Array, ranks: Array) -> tuple[Array, float]:
    """The rise of the squared error by permuting, in each fold [f, s], and that error, in units of the variance."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.metrics import mean_squared_error
    from sklearn.model_selection import RepeatedKFold

    losses, squared = [], []
    folds = RepeatedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=0)
    for train, test in folds.split(columns):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, max_features=0.7, random_state=0)
        forest.fit(columns[train], ranks[train])
        shuffled = permutation_importance(
            forest,
            columns[test],
            ranks[test],
            scoring="neg_mean_squared_error",
            n_repeats=SHUFFLES,
            random_state=0,
        )
        losses.append(shuffled["importances_mean"])
        squared.append(mean_squared_error(ranks[test], forest.predict(columns[test])))
    # The mean squared difference of two independent draws is twice the variance.
    return np.array(losses) / (2 * ranks.var()), float(np.mean(squared) / ranks.var())
