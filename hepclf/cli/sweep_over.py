"""`sweep.over`: the choices of a sweep that a configuration file holds, so that `-m` need not be typed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hepclf.cli import configs
from hepclf.cli.composition import Composition, Expanded, is_sweep, parameters, prints_alone
from hepclf.cli.config import composing, hydra_words
from hepclf.recipe import RecipeError
from hepclf.words import setting_word

KEY = "sweep.over"
SOURCES = ("experiment=", KEY)  # what may hold it


def with_flag(arguments: Sequence[str]) -> list[str]:
    """The words of a training, with -m where the configuration that they choose holds the choices of a sweep."""
    words = list(arguments)
    names_source = any(word.lstrip("+").startswith(SOURCES) for word in words)
    if not names_source or is_sweep(words) or prints_alone(words):
        return words
    with composing("train", words) as hydra:
        config = hydra.sweep(hydra_words("train", words)[1])
    return [*words, "-m"] if _over(config) else words


def expanded(hydra: Composition, words: Sequence[str], config: DictConfig) -> list[Expanded]:
    """The jobs of a sweep: every combination of the choices in its configuration and of the lists that are typed.

    A typed list replaces the choices of the same key.
    """
    over = _over(config)
    lists = {key: ",".join(_text(value) for value in values) for key, values in over.items() if _is_list(values)}
    axes = [list(_named(key, choices)) for key, choices in over.items() if not _is_list(choices)]
    typed = hydra.jobs(words, parameters(config) | lists)
    return [_joined(row, job) for row in itertools.product(*axes) for job in typed]


def _over(config: DictConfig) -> dict[str, Any]:
    values = OmegaConf.to_container(config, resolve=False)
    over = values.get("sweep", {}).get("over") if isinstance(values, dict) else None
    if over is not None and not isinstance(over, Mapping):
        raise RecipeError(
            f"{KEY} must be a mapping of settings, each to its values, not {over!r}; {KEY}={{seed: [0, 1]}}"
        )
    return {str(key): value for key, value in (over or {}).items()}


def _is_list(values: Any) -> bool:
    return isinstance(values, list)


def _named(key: str, choices: Any) -> Iterator[Expanded]:
    """Choices with names, each of which sets several things."""
    if not isinstance(choices, Mapping) or not all(isinstance(settings, Mapping) for settings in choices.values()):
        raise RecipeError(
            f"{KEY}.{key} must be a list of values, or named choices with their settings, not {choices!r}; "
            f"{KEY}.{key}={{small: {{trainer.batch: 32}}, large: {{trainer.batch: 512}}}}"
        )
    for name, settings in choices.items():
        yield Expanded(tuple(_word(str(name), value) for name, value in settings.items()), {key: str(name)})


def _joined(row: Sequence[Expanded], job: Expanded) -> Expanded:
    """A job with the words of the named choices before its own, so that a typed word counts."""
    words = tuple(word for choice in row for word in choice.words)
    varied = {key: value for choice in row for key, value in choice.varied.items()}
    return Expanded((*words, *job.words), varied | job.varied)


def _word(key: str, value: Any) -> str:
    if key in configs.GROUPS:
        return f"{key}={value}"
    return f"++{key}={_text(value)}"


def _text(value: Any) -> str:
    """A value in Hydra's grammar."""
    if isinstance(value, str):
        return setting_word("", value).removeprefix("=")
    return json.dumps(value)
