"""The samplers and pruners of Optuna: how the values of a trial are chosen, and when a trial is stopped early."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from hepclf.search.space import Choice, Float, Integer, Parameter, Space
from hepclf.search.tuning import PLACES, Tuning


class Fixed(BaseSampler):
    """A sampler that returns fixed values."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> dict[str, BaseDistribution]:  # noqa: ARG002
        """None: the values do not depend on each other."""
        return {}

    def sample_relative(self, study: optuna.Study, trial: Any, search_space: Any) -> dict[str, Any]:  # noqa: ARG002
        """None: the values do not depend on each other."""
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:  # noqa: ARG002
        """The value of this name."""
        return self._values[param_name]


def sampler(tuning: Tuning, seed: int) -> BaseSampler:
    """The sampler of one trial; it reads earlier trials from the study."""
    if tuning.sampler == "random":
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def sampler_seed(seed: int, number: int, worker: int) -> int:
    """A seed for each trial, from the study's seed, the number of the trial's folder, and the worker's number.

    The number of trials in the journal would not do: a rebuilt journal has fewer of them.
    """
    digest = hashlib.sha256(json.dumps([seed, number, worker]).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def pruner(tuning: Tuning) -> BasePruner:
    """The rule that stops a trial: worse than the median of earlier ones, or not in the better half at 4, 8, 16."""
    if not tuning.prunes:
        return NopPruner()
    if tuning.pruning == "halving":
        return SuccessiveHalvingPruner(min_resource=4, reduction_factor=2)
    return MedianPruner(n_startup_trials=5, n_warmup_steps=PLACES // 6)


def suggested(trial: optuna.Trial, space: Space, names: Collection[str] | None = None) -> dict[str, Any]:
    """The values of a trial by the names of the parameters; with `names`, of these parameters alone."""
    values: dict[str, Any] = {}
    for parameter in space.parameters:
        if space.present(parameter, values) and (names is None or parameter.name in names):
            values[parameter.name] = _suggested(trial, parameter)
    return values


def _suggested(trial: optuna.Trial, parameter: Parameter) -> Any:
    name = parameter.name
    match parameter:
        case Float(low=low, high=high, log=log):
            return trial.suggest_float(name, low, high, log=log)
        case Integer(low=low, high=high, step=step, log=log):
            return trial.suggest_int(name, low, high, step=step, log=log)
        case Choice(options=options):
            texts = [internal(parameter, option) for option in options]
            return options[texts.index(trial.suggest_categorical(name, texts))]


def distribution(parameter: Parameter) -> BaseDistribution:
    """The parameter in Optuna's form; options that are lists are represented by their text."""
    match parameter:
        case Float(low=low, high=high, log=log):
            return FloatDistribution(low, high, log=log)
        case Integer(low=low, high=high, step=step, log=log):
            return IntDistribution(low, high, step=step, log=log)
        case Choice(options=options):
            return CategoricalDistribution([internal(parameter, option) for option in options])


def internal(parameter: Parameter, value: Any) -> Any:
    """A value in Optuna's form."""
    if isinstance(parameter, Choice) and isinstance(value, (list, dict)):
        return json.dumps(value)
    return value
