"""The configuration of a command line, by Hydra's rules."""

from __future__ import annotations

import copy
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from hepclf.cli import configs
from hepclf.cli.advice import refuse_unfetched, word_advice
from hepclf.cli.choices import check_choices
from hepclf.cli.composition import (
    Composition,
    check_hydra,
    composition,
    is_printed,
    is_sweep,
    parameters,
    prints_alone,
)
from hepclf.cli.overrides import overrides
from hepclf.cli.quoting import quoting_advice
from hepclf.cli.recipes import read_recipe, recipe_class
from hepclf.recipe import TARGET, RecipeError, current_settings

WITH_VALUE = {"--config-dir", "-cd", "--cfg", "-c", "--package", "-p", "--info", "-i"}
FLAGS = WITH_VALUE | {"-m", "--multirun", "--resolve", "-r", "--hydra-help"}

# hepclf creates folders and logs itself, whatever the configuration says.
FIXED_OVERRIDES = (
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.output_subdir=null",
    "hydra.run.dir=.",
    "hydra.sweep.dir=${oc.select:runs,runs}/sweeps/${now:%Y-%m-%d_%H-%M-%S}",
    "hydra.sweep.subdir=.",
)


def launch(command: str, arguments: Sequence[str], task: Callable[[Composed], None]) -> None:
    """Compose the configuration of a command from its overrides and pass it to the task, once per job.

    The jobs of a sweep continue after one that fails; the first error is raised at the end.
    """
    if prints_alone(arguments):
        _print(command, arguments)
        return
    with composing(command, arguments) as hydra:
        _, words = hydra_words(command, arguments)
        if not is_sweep(arguments):
            task(composed(hydra.config(words)))
            return
        failures: list[Exception] = []
        for job in hydra.jobs(words, parameters(hydra.sweep(words))):
            try:
                task(composed(hydra.config(job.words)))
            except Exception as error:
                failures.append(error)
    if failures:
        raise failures[0]


@contextmanager
def composing(command: str, arguments: Sequence[str]) -> Iterator[Composition]:
    """Hydra, prepared for these words; an error of Hydra's grammar shows how to quote the word."""
    import hydra.errors

    hydra_words(command, arguments)  # what is no override is refused first
    check_choices(command, arguments)
    check_hydra(arguments)
    folders = configs.user_folders(arguments)
    for folder in map(Path.resolve, folders):
        sys.path += [str(folder), *(str(folder / group) for group in configs.GROUPS)]  # for modules beside their YAML
    try:
        with composition(command, folders) as prepared:
            yield prepared
    except hydra.errors.HydraException as error:
        if (advice := quoting_advice(arguments)) is not None:
            raise RecipeError(advice) from error
        raise


def _print(command: str, arguments: Sequence[str]) -> None:
    """Print what --cfg, --info and --hydra-help show."""
    import hydra

    from hepclf.cli.checked_files import checked_files

    if not is_printed(arguments):
        raise RecipeError("--package and --resolve change what --cfg prints; say --cfg job beside them")
    with composing(command, arguments) as composition:
        composition.check(hydra_words(command, arguments)[1])  # the user's files, before Hydra acts on them
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that errors reach hepclf, which prints them on one line
    command_line, sys.argv = sys.argv, ["hepclf", *hydra_arguments(command, arguments)]
    try:
        with checked_files():
            hydra.main(version_base="1.3", config_path=str(configs.folder()), config_name=command)(lambda _: None)()
    finally:
        sys.argv = command_line


def hydra_arguments(command: str, arguments: Sequence[str]) -> list[str]:
    """Flags first (argparse accepts overrides only on one side of a flag), then overrides."""
    flags, overrides = hydra_words(command, arguments)
    return [*flags, *FIXED_OVERRIDES, *overrides]


def hydra_words(command: str, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags, and overrides, each of which may name any key.

    `read_recipe` checks whether a key exists, because it knows the recipes and so the nearest name.
    """
    flags: list[str] = []
    overrides: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            override = _override(command, word, arguments)
            key, _, value = override.partition("=")
            if key.startswith("++") and value.startswith(("{", "[")):
                # Hydra cannot merge a mapping into a list, or a list into a mapping.
                overrides.append(f"{key}=null")
            overrides.append(override)
            continue
        if word.split("=", 1)[0] not in FLAGS:
            hint = ""
            if word.startswith("--"):
                setting = word.lstrip("-")
                hint = f"; say {setting}" if "=" in setting else f"; say {setting}=..."
            raise RecipeError(f"{word} is not a flag of hepclf; there are: {', '.join(sorted(FLAGS))}{hint}")
        flags.append(word)
        if word in WITH_VALUE and words:
            flags.append(words.pop(0))
    return flags, overrides


def _override(command: str, word: str, arguments: Sequence[str]) -> str:
    """An override in Hydra's grammar; with `++` it may name any key."""
    key, equals, value = word.partition("=")
    if not equals and not key.startswith("~"):
        if (advice := quoting_advice(arguments)) is not None:
            raise RecipeError(advice)
        advice = word_advice(command, word, arguments)
        hint = f"; {advice}" if advice else ""
        raise RecipeError(f"{word!r} is not key=value{hint}")
    if key in configs.GROUPS and value.endswith((".yaml", ".yml")):
        path = Path(value)
        advice = f"--config-dir {path.parent.parent} {key}={path.stem}"
        raise RecipeError(f"{word} names a file; put it below a folder of yours named {key}/ and say {advice}")
    is_setting = re.fullmatch(r"[A-Za-z_][\w.]*", key) and key not in configs.GROUPS and not key.startswith("hydra.")
    return f"++{word}" if is_setting else word


@dataclass(frozen=True)
class Composed:
    """One job's configuration.

    config     as Hydra composed it, with interpolations unresolved
    overrides  of this job in Hydra's grammar; in a sweep each has a single value
    choices    the chosen configuration of each group, None for none
    """

    config: DictConfig
    overrides: tuple[str, ...]
    choices: Mapping[str, str | None]

    @property
    def values(self) -> dict[str, Any]:
        """Plain values, a new copy at each call, with interpolations resolved; a mandatory value that is unset is ???.

        A mapping on the command line (`data.classes={...}`) replaces the configured one, which Hydra would merge.
        """
        container = OmegaConf.to_container(self.config, resolve=True, throw_on_missing=False)
        values: dict[str, Any] = {}
        if isinstance(container, dict):
            values = {str(key): value for key, value in container.items()}
        for override in overrides(self.overrides):
            if isinstance(mapping := override.value(), dict):
                put(values, override.key_or_group, {str(key): value for key, value in mapping.items()})
        return values

    @cached_property
    def typed(self) -> dict[str, Any]:
        """The keys and groups that the command line names, with their values; None for a removed one."""
        return {override.get_key_element().lstrip("+~"): override.value() for override in overrides(self.overrides)}

    @property
    def named_groups(self) -> set[str]:
        """The groups for which the command line names a choice."""
        return self.typed.keys() & set(configs.GROUPS)

    def chosen(self, *groups: str) -> dict[str, str]:
        """The chosen configuration of each of these groups that has one."""
        return {group: str(self.choices[group]) for group in groups if self.choices.get(group) is not None}

    def changed(self, group: str, settings: Any, stored: Any) -> dict[str, Any]:
        """Stored settings of a group with the command line's changes; a choice of the group replaces all of them."""
        if group in self.named_groups or not isinstance(stored, Mapping):
            return dict(settings)
        changed = copy.deepcopy(dict(stored))
        if str(changed.get(TARGET)).startswith("hepclf."):
            changed = current_settings(recipe_class(str(changed[TARGET]), group, trusted=False), changed, group)
        for override in overrides(self.overrides):
            if override.key_or_group.startswith(f"{group}."):
                put(changed, override.key_or_group.removeprefix(f"{group}."), override.value())
        return changed

    def recipe(self, settings: Any, path: str, *, trusted: bool = True, seed: Any = None) -> Any:
        """The recipe of these settings; see `read_recipe`."""
        refuse_unfetched(self.choices.get(path), settings)
        return read_recipe(settings, path, self.typed, trusted=trusted, seed=seed)


def composed(config: DictConfig) -> Composed:
    """One job's configuration from Hydra's; only this function reads Hydra's own state in it."""
    with open_dict(config):
        state = config.pop("hydra")
    return Composed(config, tuple(state.overrides.task), dict(state.runtime.choices))


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path."""
    *groups, last = path.split(".")
    for group in groups:
        if not isinstance(values.get(group), dict):
            values[group] = {}
        values = values[group]
    values[last] = value
