"""The one seam where YAML becomes code: Hydra's configuration to recipes, every setting checked."""

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
from hepclf.cli.quoting import refusal
from hepclf.nearest import nearest
from hepclf.recipe import TARGET, RecipeError, build, current, renamed

WITH_VALUE = {"--config-dir", "-cd", "--cfg", "-c", "--package", "-p", "--info", "-i"}
FLAGS = WITH_VALUE | {"-m", "--multirun", "--resolve", "-r", "--hydra-help"}

# Hydra leaves folders and logs to us, whatever the configuration says.
OURS = (
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
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that errors reach us, who say them on one line
    typed, sys.argv = sys.argv, ["hepclf", *words]
    for lab in map(Path.resolve, configs.labs(arguments)):
        sys.path += [str(lab), *(str(lab / group) for group in configs.GROUPS)]  # for modules beside their YAML
    failures: list[Exception] = []

    def job(config: DictConfig) -> None:
        sys.argv = typed
        try:
            task(config)
        except Exception as error:  # raised below, where Hydra adds no lines of its own
            failures.append(error)

    try:
        hydra.main(version_base="1.3", config_path=str(configs.folder()), config_name=command)(job)()
    except hydra.errors.HydraException as error:
        if (way := refusal(arguments)) is not None:
            raise RecipeError(way) from error
        raise
    finally:
        sys.argv = typed
    if failures:
        raise failures[0]


def hydra_arguments(command: str, arguments: Sequence[str]) -> list[str]:
    """Flags first (argparse takes no overrides on both sides of one), then overrides, each allowed to name any key.

    Whether a key exists is for `read` to say, which knows the recipes and so the nearest name.
    """
    flags: list[str] = []
    overrides: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            made = _override(command, word, arguments)
            if made.startswith("++") and made.partition("=")[2].startswith(("{", "[")):
                # Hydra merges no mapping into a list, and no list into a mapping.
                overrides.append(f"{made.partition('=')[0]}=null")
            overrides.append(made)
            continue
        if word.split("=", 1)[0] not in FLAGS:
            key = word.lstrip("-")
            way = f"; say {key if '=' in key else key + '=...'}" if word.startswith("--") else ""
            raise RecipeError(f"{word} is not a flag of hepclf; there are: {', '.join(sorted(FLAGS))}{way}")
        flags.append(word)
        if word in WITH_VALUE and rest:
            flags.append(rest.pop(0))
    return [*flags, *OURS, *overrides]


def _override(command: str, word: str, arguments: Sequence[str]) -> str:
    """An override as Hydra wants it: `++` lets it name any key."""
    key, given, value = word.partition("=")
    if not given and not key.startswith("~"):
        if (way := refusal(arguments)) is not None:
            raise RecipeError(way)
        meant = {"evaluate": "run", "export": "run", "predict": "files"}.get(command)
        raise RecipeError(f"{word!r} is not key=value" + (f"; say {meant}={word}" if meant else ""))
    if key in configs.GROUPS and value.endswith((".yaml", ".yml")):
        place = Path(value)
        way = f"--config-dir {place.parent.parent} {key}={place.stem}"
        raise RecipeError(f"{word} names a file; put it below a folder of yours named {key}/ and say {way}")
    plain = re.fullmatch(r"[A-Za-z_][\w.]*", key) and key not in configs.GROUPS and not key.startswith("hydra.")
    return f"++{word}" if plain else word


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, interpolations resolved; mandatory ones still say ???.

    A mapping that was given whole (`data.classes={...}`) replaces the one before, which Hydra would merge.
    """
    from hydra.core.hydra_config import HydraConfig

    made = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    values = {str(key): value for key, value in made.items()} if isinstance(made, dict) else {}
    for override in overrides(HydraConfig.get().overrides.task):
        if isinstance(given := override.value(), dict):
            put(values, override.key_or_group, {str(key): value for key, value in given.items()})
    return values


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set what a dotted path names."""
    *groups, last = path.split(".")
    for group in groups:
        inner = values.get(group)
        values[group] = inner if isinstance(inner, dict) else {}
        values = values[group]
    values[last] = value


def seeded(values: dict[str, Any], cls: type[Any], seed: Any) -> dict[str, Any]:
    """These values with the run's seed wherever the recipe, or its split, has one and none was given."""
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


def read(values: Any, path: str, *, trusted: bool = True, seed: Any = None) -> Any:
    """The recipe that `_target_` names, built from the other values; the run's seed goes where none is given.

    Without trust (a configuration that came with somebody else's run) only recipes of hepclf are built.
    """
    if not isinstance(values, Mapping) or TARGET not in values:
        raise RecipeError(f"{path} must name a recipe in _target_; choose one with {path}=NAME")
    cls = recipe_class(str(values[TARGET]), path, trusted=trusted)
    if path in ROLES and not hasattr(cls, ROLES[path]):
        raise RecipeError(f"{path}._target_={values[TARGET]} is no recipe of a {path}: it has no {ROLES[path]}")
    _refuse_former(cls, values, path)
    return build(cls, values if seed is None else seeded(dict(values), cls, seed), path)


def _refuse_former(cls: type[Any], values: Mapping[str, Any], path: str) -> None:
    """Refuse a former name of a setting where it was typed, and show the line with the name it has now."""
    for former, name in renamed(cls).items():
        if f"{path}.{former}" in typed_keys():
            value = "..." if values.get(former) is None else values[former]
            raise RecipeError(f"{path}.{former} is called {path}.{name} now; say {path}.{name}={value}")


def recipe_class(target: str, path: str, *, trusted: bool) -> type[Any]:
    """The dataclass of this dotted name; importing one of the user's own runs their module, hence the trust."""
    module, _, name = target.rpartition(".")
    if not trusted and not target.startswith("hepclf."):
        raise RecipeError(
            f"{path} names {target}, which is not part of hepclf, and a stored configuration may not run it; "
            f"choose it yourself with {path}=NAME"
        )
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name, None) if module else None
    except ModuleNotFoundError as error:
        if not module.startswith(str(error.name)):
            raise
        raise RecipeError(f"{path}._target_={target} cannot be imported: {error}") from error
    if not (isinstance(found, type) and is_dataclass(found)):
        raise RecipeError(f"{path}._target_={target} is not a dataclass; a recipe must be one")
    return found


def refuse_unknown(values: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse a top-level key that no command has, pointing at the setting that was meant."""
    for key in values:
        if key in known:
            continue
        inner = [
            f"{group}.{name}" for group in known if isinstance(values.get(group), Mapping) for name in values[group]
        ]
        meant = [name for name in inner if name.split(".")[1] == key]
        hint = f"; nearest: {meant[0]!r}" if meant else nearest(key, [*known, *inner])
        raise RecipeError(f"{key} is not a setting{hint}")


def typed_keys() -> set[str]:
    """The keys, and groups, that the command line names."""
    from hydra.core.hydra_config import HydraConfig

    return {override.lstrip("+~").split("=", 1)[0] for override in HydraConfig.get().overrides.task}


def chosen(groups: Sequence[str]) -> dict[str, str]:
    """The name of the choice of each group."""
    from hydra.core.hydra_config import HydraConfig

    choices = HydraConfig.get().runtime.choices
    return {group: str(choices[group]) for group in groups if choices.get(group) is not None}


def named_groups() -> set[str]:
    """The groups of which the command line chose a file."""
    return typed_keys() & set(configs.GROUPS)


def changed(group: str, composed: Any, stored: Any) -> dict[str, Any]:
    """The settings that a run had for a group, with what the command line changes; a choice replaces all."""
    from hydra.core.hydra_config import HydraConfig

    if group in named_groups() or not isinstance(stored, Mapping):
        return dict(composed)
    made = copy.deepcopy(dict(stored))
    if str(made.get(TARGET)).startswith("hepclf."):
        made = current(recipe_class(str(made[TARGET]), group, trusted=False), made, group)
    for override in overrides(HydraConfig.get().overrides.task):
        if override.key_or_group.startswith(f"{group}."):
            put(made, override.key_or_group.removeprefix(f"{group}."), override.value())
    return made
