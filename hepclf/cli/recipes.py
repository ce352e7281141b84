"""From plain settings to recipes, with every setting checked; only this module turns YAML into code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from hepclf.nearest import nearest
from hepclf.recipe import TARGET, RecipeError, build, former_names


def with_seed(values: dict[str, Any], cls: type[Any], seed: Any) -> dict[str, Any]:
    """These values, with the run's seed if the recipe, or its split, has a seed that is not set."""
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


ROLES = {
    "data": "load",
    "model": "fit",
    "trainer": "epochs",
    "evaluation": "working_points",
    "folds": "sets",
    "cluster": "submit",
}


def read_recipe(values: Any, path: str, typed: Collection[str], *, trusted: bool = True, seed: Any = None) -> Any:
    """The recipe that `_target_` names, built from the other values; the run's seed is used if none is set.

    Without trust (a configuration from somebody else's run) only recipes of hepclf are built.
    `typed` are the keys of the command line, on which a former name of a setting is refused.
    """
    if not isinstance(values, Mapping) or TARGET not in values:
        raise RecipeError(f"{path} must name a recipe in _target_; choose one with {_choice(path, 'MODULE.CLASS')}")
    cls = recipe_class(str(values[TARGET]), path, trusted=trusted)
    if path in ROLES and not hasattr(cls, ROLES[path]):
        raise RecipeError(f"{path}._target_={values[TARGET]} is no recipe of a {path}: it has no {ROLES[path]}")
    values = _typed_names(cls, values, path, typed)
    if seed is not None:
        values = with_seed(dict(values), cls, seed)
    return build(cls, values, path)


def _choice(path: str, target: str) -> str:
    """How the command line chooses a recipe: by a choice of its group, or, inside one, by its class."""
    if "." in path:
        return f"{path}.{TARGET}={target}"
    return f"{path}=NAME"


def _typed_names(cls: type[Any], values: Mapping[str, Any], path: str, typed: Collection[str]) -> Mapping[str, Any]:
    """These values; if a setting is typed under one of its two names, the value under the other name is removed.

    A former name outside of a group is refused on the command line; the error shows the present one.
    """
    for former, name in former_names(cls).items():
        if f"{path}.{former}" not in typed:
            if f"{path}.{name}" in typed:
                values = _without(values, former)
            continue
        if "." in former and f"{path}.{name}" not in typed:
            values = {key: value for key, value in values.items() if key != name}
        elif "." not in former:
            value = values.get(former)
            if value is None:
                value = "..."
            raise RecipeError(f"{path}.{former} is called {path}.{name} now; say {path}.{name}={value}")
    return values


def _without(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """These values without a key, which may be inside a group."""
    group, _, last = key.rpartition(".")
    if not group:
        return {name: value for name, value in values.items() if name != key}
    inner = values.get(group)
    if not isinstance(inner, Mapping):
        return values
    return {**values, group: _without(inner, last)}


def recipe_class(target: str, path: str, *, trusted: bool) -> type[Any]:
    """The dataclass of this dotted name; importing a user's own class runs its module, so it must be trusted."""
    module, _, name = target.rpartition(".")
    if not trusted and not target.startswith("hepclf."):
        raise RecipeError(
            f"{path} names {target}, which is not part of hepclf, and a stored configuration may not run it; "
            f"choose it yourself with {_choice(path, target)}"
        )
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        cls = None
        if module:
            cls = getattr(importlib.import_module(module), name, None)
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
        hint = nearest(key, [*keys, *settings])
        if same_name:
            hint = f"; nearest: {same_name[0]!r}"
        raise RecipeError(f"{key} is not a setting{hint}")
