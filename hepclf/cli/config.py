"""From Hydra's configuration to recipes, every setting checked; no other module turns YAML into code."""

from __future__ import annotations

import copy
import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hepclf.cli import configs
from hepclf.cli.choices import check_choices
from hepclf.cli.overrides import overrides
from hepclf.cli.quoting import quoting_advice
from hepclf.nearest import nearest
from hepclf.recipe import TARGET, RecipeError, build, current_settings, former_names

WITH_VALUE = {"--config-dir", "-cd", "--cfg", "-c", "--package", "-p", "--info", "-i"}
FLAGS = WITH_VALUE | {"-m", "--multirun", "--resolve", "-r", "--hydra-help"}

# hepclf makes folders and logs itself, whatever the configuration says.
FIXED_OVERRIDES = (
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    "hydra.output_subdir=null",
    "hydra.run.dir=.",
    "hydra.sweep.dir=${oc.select:runs,runs}/sweeps/${now:%Y-%m-%d_%H-%M-%S}",
    "hydra.sweep.subdir=.",
)


def launch(command: str, arguments: Sequence[str], task: Callable[[DictConfig], None]) -> None:
    """Compose the configuration of a command from its overrides and hand it to the task, once a job."""
    import hydra.errors

    words = hydra_arguments(command, arguments)
    check_choices(command, arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that errors reach hepclf, which prints them on one line
    command_line, sys.argv = sys.argv, ["hepclf", *words]
    for folder in map(Path.resolve, configs.user_folders(arguments)):
        sys.path += [str(folder), *(str(folder / group) for group in configs.GROUPS)]  # for modules beside their YAML
    failures: list[Exception] = []

    def job(config: DictConfig) -> None:
        sys.argv = command_line
        try:
            task(config)
        except Exception as error:  # raised below, where Hydra adds no lines of its own
            failures.append(error)

    try:
        hydra.main(version_base="1.3", config_path=str(configs.folder()), config_name=command)(job)()
    except hydra.errors.HydraException as error:
        if (advice := quoting_advice(arguments)) is not None:
            raise RecipeError(advice) from error
        raise
    finally:
        sys.argv = command_line
    if failures:
        raise failures[0]


def hydra_arguments(command: str, arguments: Sequence[str]) -> list[str]:
    """Flags first (argparse takes no overrides on both sides of one), then overrides, each allowed to name any key.

    Whether a key exists is checked by `read_recipe`, which knows the recipes and so the nearest name.
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
            key = word.lstrip("-")
            hint = f"; say {key if '=' in key else key + '=...'}" if word.startswith("--") else ""
            raise RecipeError(f"{word} is not a flag of hepclf; there are: {', '.join(sorted(FLAGS))}{hint}")
        flags.append(word)
        if word in WITH_VALUE and words:
            flags.append(words.pop(0))
    return [*flags, *FIXED_OVERRIDES, *overrides]


def _override(command: str, word: str, arguments: Sequence[str]) -> str:
    """An override as Hydra takes it: with `++` it may name any key."""
    key, equals, value = word.partition("=")
    if not equals and not key.startswith("~"):
        if (advice := quoting_advice(arguments)) is not None:
            raise RecipeError(advice)
        main_key = {"evaluate": "run", "export": "run", "predict": "files"}.get(command)
        raise RecipeError(f"{word!r} is not key=value" + (f"; say {main_key}={word}" if main_key else ""))
    if key in configs.GROUPS and value.endswith((".yaml", ".yml")):
        path = Path(value)
        advice = f"--config-dir {path.parent.parent} {key}={path.stem}"
        raise RecipeError(f"{word} names a file; put it below a folder of yours named {key}/ and say {advice}")
    is_setting = re.fullmatch(r"[A-Za-z_][\w.]*", key) and key not in configs.GROUPS and not key.startswith("hydra.")
    return f"++{word}" if is_setting else word


def plain_values(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, with interpolations resolved; mandatory values that are not set are ???.

    A mapping on the command line (`data.classes={...}`) replaces the configured one, which Hydra would merge.
    """
    from hydra.core.hydra_config import HydraConfig

    container = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    values = {str(key): value for key, value in container.items()} if isinstance(container, dict) else {}
    for override in overrides(HydraConfig.get().overrides.task):
        if isinstance(mapping := override.value(), dict):
            put(values, override.key_or_group, {str(key): value for key, value in mapping.items()})
    return values


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path."""
    *groups, last = path.split(".")
    for group in groups:
        inner = values.get(group)
        values[group] = inner if isinstance(inner, dict) else {}
        values = values[group]
    values[last] = value


def with_seed(values: dict[str, Any], cls: type[Any], seed: Any) -> dict[str, Any]:
    """These values, with the run's seed where the recipe, or its split, has a seed that is not set."""
    names = {field.name for field in fields(cls)}
    filled = dict(values)
    if "seed" in names:
        filled.setdefault("seed", seed)
    if "split" in names and isinstance(filled.get("split", {}), Mapping):
        filled["split"] = {"seed": seed, **filled.get("split", {})}
    return filled


def seed_of(values: Mapping[str, Any]) -> int:
    """The run's seed, checked."""
    seed = values.get("seed")
    if type(seed) is not int or seed < 0:
        raise RecipeError(f"seed must be a whole number of at least 0, not {seed!r}")
    return seed


ROLES = {"data": "load", "model": "fit", "trainer": "epochs", "evaluation": "working_points"}


def read_recipe(values: Any, path: str, *, trusted: bool = True, seed: Any = None) -> Any:
    """The recipe that `_target_` names, built from the other values; the run's seed is used where none is set.

    Without trust (a configuration that came with somebody else's run) only recipes of hepclf are built.
    """
    if not isinstance(values, Mapping) or TARGET not in values:
        raise RecipeError(f"{path} must name a recipe in _target_; choose one with {_choice(path, 'MODULE.CLASS')}")
    cls = recipe_class(str(values[TARGET]), path, trusted=trusted)
    if path in ROLES and not hasattr(cls, ROLES[path]):
        raise RecipeError(f"{path}._target_={values[TARGET]} is no recipe of a {path}: it has no {ROLES[path]}")
    values = _typed_names(cls, values, path)
    return build(cls, values if seed is None else with_seed(dict(values), cls, seed), path)


def _choice(path: str, target: str) -> str:
    """How the command line chooses a recipe: a group has choices, a recipe inside one is named by its class."""
    return f"{path}.{TARGET}={target}" if "." in path else f"{path}=NAME"


def _typed_names(cls: type[Any], values: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """These values without the present setting where it is typed in its former group, which then counts.

    A former name that lies in no group is refused on the command line, and the line with the present one is shown.
    """
    typed = typed_keys()
    for former, name in former_names(cls).items():
        if f"{path}.{former}" not in typed:
            continue
        if "." in former and f"{path}.{name}" not in typed:
            values = {key: value for key, value in values.items() if key != name}
        elif "." not in former:
            value = "..." if values.get(former) is None else values[former]
            raise RecipeError(f"{path}.{former} is called {path}.{name} now; say {path}.{name}={value}")
    return values


def recipe_class(target: str, path: str, *, trusted: bool) -> type[Any]:
    """The dataclass of this dotted name; importing one of the user's own runs their module, hence the trust."""
    module, _, name = target.rpartition(".")
    if not trusted and not target.startswith("hepclf."):
        raise RecipeError(
            f"{path} names {target}, which is not part of hepclf, and a stored configuration may not run it; "
            f"choose it yourself with {_choice(path, target)}"
        )
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        cls = getattr(importlib.import_module(module), name, None) if module else None
    except ModuleNotFoundError as error:
        if not module.startswith(str(error.name)):
            raise
        raise RecipeError(f"{path}._target_={target} cannot be imported: {error}") from error
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise RecipeError(f"{path}._target_={target} is not a dataclass; a recipe must be one")
    return cls


def refuse_unknown(values: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Refuse a top-level key that the command does not have; the message names the nearest setting."""
    for key in values:
        if key in keys:
            continue
        groups = [group for group in keys if isinstance(values.get(group), Mapping)]
        settings = [f"{group}.{name}" for group in groups for name in values[group]]
        same_name = [setting for setting in settings if setting.split(".")[1] == key]
        hint = f"; nearest: {same_name[0]!r}" if same_name else nearest(key, [*keys, *settings])
        raise RecipeError(f"{key} is not a setting{hint}")


def typed_keys() -> set[str]:
    """The keys, and groups, that the command line names."""
    from hydra.core.hydra_config import HydraConfig

    return {override.lstrip("+~").split("=", 1)[0] for override in HydraConfig.get().overrides.task}


def typed_values() -> dict[str, Any]:
    """The values that the command line gives, by their keys."""
    from hydra.core.hydra_config import HydraConfig

    parsed = overrides(HydraConfig.get().overrides.task)
    return {override.key_or_group: override.value() for override in parsed}


def chosen(groups: Sequence[str]) -> dict[str, str]:
    """The chosen configuration of each group."""
    from hydra.core.hydra_config import HydraConfig

    choices = HydraConfig.get().runtime.choices
    return {group: str(choices[group]) for group in groups if choices.get(group) is not None}


def named_groups() -> set[str]:
    """The groups for which the command line names a choice."""
    return typed_keys() & set(configs.GROUPS)


def changed(group: str, composed: Any, stored: Any) -> dict[str, Any]:
    """The stored settings of a group, with the command line's changes; a choice of the group replaces all of them."""
    from hydra.core.hydra_config import HydraConfig

    if group in named_groups() or not isinstance(stored, Mapping):
        return dict(composed)
    settings = copy.deepcopy(dict(stored))
    if str(settings.get(TARGET)).startswith("hepclf."):
        settings = current_settings(recipe_class(str(settings[TARGET]), group, trusted=False), settings, group)
    for override in overrides(HydraConfig.get().overrides.task):
        if override.key_or_group.startswith(f"{group}."):
            put(settings, override.key_or_group.removeprefix(f"{group}."), override.value())
    return settings
