"""The one seam where YAML becomes code: Hydra's configuration to recipes, every setting checked."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hepclf.cli import configs
from hepclf.events import nearest
from hepclf.recipe import TARGET, RecipeError, build

FLAGS_WITH_VALUE = {
    "--config-dir",
    "-cd",
    "--config-name",
    "-cn",
    "--config-path",
    "-cp",
    "--cfg",
    "-c",
    "--package",
    "-p",
}

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
    import hydra

    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that errors reach us, who say them on one line
    typed, sys.argv = sys.argv, ["hepclf", *hydra_arguments(arguments)]
    failures: list[BaseException] = []

    def job(config: DictConfig) -> None:
        sys.argv = typed
        try:
            task(config)
        except BaseException as error:  # raised below, where Hydra adds no lines of its own
            failures.append(error)

    try:
        hydra.main(version_base="1.3", config_path=str(configs.folder()), config_name=command)(job)()
    finally:
        sys.argv = typed
    if failures:
        raise failures[0]


def hydra_arguments(arguments: Sequence[str]) -> list[str]:
    """Flags first (argparse takes no overrides on both sides of one), then overrides, each allowed to name any key.

    Whether a key exists is for `read` to say, which knows the recipes and so the nearest name.
    """
    flags: list[str] = []
    overrides: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            overrides.append(word)
            continue
        flags.append(word)
        if word in FLAGS_WITH_VALUE and rest:
            flags.append(rest.pop(0))
    return [*flags, *OURS, *(_forced(override) for override in overrides)]


def swept(arguments: Sequence[str]) -> list[str]:
    """The keys that a sweep gives several values."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    words = [word for word in hydra_arguments(arguments) if "=" in word and not word.startswith("-")]
    parsed = OverridesParser.create().parse_overrides(words)
    return [override.key_or_group for override in parsed if override.is_sweep_override()]


def _forced(override: str) -> str:
    key = override.split("=", 1)[0]
    plain = re.fullmatch(r"[A-Za-z_][\w.]*", key) and "=" in override
    return f"++{override}" if plain and key not in configs.GROUPS and not key.startswith("hydra.") else override


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, interpolations resolved; mandatory ones still say ???."""
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else {}


def read(values: Any, path: str, *, trusted: bool = True) -> Any:
    """The recipe that `_target_` names, built from the other values.

    Without trust (a configuration that came with somebody else's run) only recipes of hepclf are built.
    """
    if not isinstance(values, Mapping) or TARGET not in values:
        raise RecipeError(f"{path} must name a recipe in _target_; choose one with {path}=NAME")
    return build(recipe_class(str(values[TARGET]), path, trusted=trusted), values, path)


def recipe_class(target: str, path: str, *, trusted: bool) -> type[Any]:
    """The dataclass of this dotted name; importing one of the user's own runs their module, hence the trust."""
    module, _, name = target.rpartition(".")
    if not trusted and not target.startswith("hepclf."):
        raise RecipeError(f"{path} names {target}, which is not part of hepclf; a stored configuration may not run it")
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
