"""Recipes: frozen dataclasses that are schema, factory and record at once, and their plain-data form."""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from hepclf.files import read_yaml
from hepclf.nearest import nearest

TARGET = "_target_"
MANDATORY = "???"
STORED = {**dict.fromkeys(("data", "model", "trainer", "evaluation"), (TARGET,)), "names": ("data", "model")}
_TYPES: dict[type[Any], dict[str, Any]] = {}  # by recipe, once they were asked for


T = TypeVar("T")


class RecipeError(ValueError):
    """A setting that no recipe accepts; the message names its full path."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def recipe(cls: type[T]) -> type[T]:
    """Make the class a recipe: a frozen, keyword-only dataclass whose values are checked against their types.

    So a typo is refused in Python as in YAML. The class's own __post_init__ checks ranges, after the types.
    """
    check_ranges: Callable[[Any], None] | None = cls.__dict__.get("__post_init__")

    def __post_init__(self: Any) -> None:  # noqa: N807
        for field, value in _converted(self):
            object.__setattr__(self, field, value)
        if check_ranges is not None:
            check_ranges(self)
        elif hasattr(super(cls, self), "__post_init__"):
            super(cls, self).__post_init__()

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    return dataclass(frozen=True, kw_only=True)(cls)


def _converted(recipe: Any) -> list[tuple[str, Any]]:
    hints = _types(type(recipe))
    names = [field.name for field in fields(recipe) if field.init]
    return [(name, convert(hints[name], getattr(recipe, name), _key(name))) for name in names]


def _types(cls: type[Any]) -> dict[str, Any]:
    """The types of a recipe's fields, cached because Python evaluates them from text, which takes time."""
    if cls not in _TYPES:
        _TYPES[cls] = get_type_hints(cls)
    return _TYPES[cls]


def build(cls: type[Any], values: Any, path: str) -> Any:
    """The recipe of this class with these plain values (from YAML or JSON), every one checked against its type.

    `path` is what the user typed to get here (`model`, `data.split`); errors begin with it.
    """
    if not isinstance(values, Mapping):
        raise RecipeError(f"{path} must be a group of settings, not {values!r}")
    target = f"{cls.__module__}.{cls.__qualname__}"
    if values.get(TARGET, target) != target:
        raise RecipeError(f"{path}.{TARGET} must be {target}, not {values[TARGET]}")
    hints = _types(cls)
    settings = {_key(field.name): field for field in fields(cls) if field.init}
    arguments = {}
    for key, value in current_settings(cls, values, path).items():
        if key == TARGET:
            continue
        if key not in settings:
            raise RecipeError(f"{path}.{key} is not a setting of {cls.__name__}{nearest(str(key), settings)}")
        name = settings[key].name
        arguments[name] = convert(hints[name], value, f"{path}.{key}")
    for name, field in settings.items():
        if field.name not in arguments and field.default is MISSING and field.default_factory is MISSING:
            raise RecipeError(f"{path}.{name} must be given; say {path}.{name}=...")
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        text = str(error).removeprefix(f"{path.rpartition('.')[2]}.")
        subject = text.split(" ", 1)[0].split("=", 1)[0].split(".", 1)[0]
        # A message of the class that begins with a setting gets the full path of that setting.
        separator = "." if subject in settings else ": "
        raise RecipeError(f"{path}{separator}{text}") from error


def former_names(cls: type[Any]) -> Mapping[str, str]:
    """Former names of settings of a recipe, which stored runs have, and the present names."""
    names: Mapping[str, str] = getattr(cls, "RENAMED", {})
    return names


def current_settings(cls: type[Any], values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """These values, with former names of settings replaced by the present names.

    A former name may be in a group (`counting.punzi_sigmas`). A present setting at its default counts as not set.
    """
    settings = dict(values)
    defaults = {_key(field.name): field.default for field in fields(cls)}
    for former, name in former_names(cls).items():
        group, _, key = former.rpartition(".")
        holder = settings.get(group) if group else settings
        if not isinstance(holder, Mapping) or key not in holder:
            continue
        value = holder[key]
        rest = {inner: setting for inner, setting in holder.items() if inner != key}
        if group:
            settings = settings | {group: rest}
        else:
            settings = rest
        if value is not None and settings.get(name) not in (None, value, defaults[name]):
            raise RecipeError(f"{path}.{former} is called {name} now, and both are set; drop {former}")
        if value is not None or settings.get(name) is None:
            settings[name] = value
    return settings


def describe(recipe: Any) -> Any:
    """The plain-data form of a recipe: what `build` reads back, and what config.yaml holds."""
    if is_dataclass(recipe) and not isinstance(recipe, type):
        target = f"{type(recipe).__module__}.{type(recipe).__qualname__}"
        return {TARGET: target} | {_key(field.name): describe(getattr(recipe, field.name)) for field in fields(recipe)}
    if isinstance(recipe, Mapping):
        return {str(key): describe(value) for key, value in recipe.items()}
    if isinstance(recipe, (list, tuple)):
        return [describe(value) for value in recipe]
    if recipe is None or isinstance(recipe, (bool, int, float, str)):
        return recipe
    return f"{type(recipe).__module__}.{type(recipe).__qualname__}, which is not a recipe"


def read_stored(path: Path) -> dict[str, Any]:
    """The configuration of a run, or one like it. No default may replace what it lacks, so it is then refused."""
    values = read_yaml(path)
    for group, keys in STORED.items():
        settings = values.get(group)
        for key in keys:
            if not isinstance(settings, Mapping) or not isinstance(settings.get(key), str):
                raise ValueError(
                    f"{path} must name {group}.{key}, as the configuration of a run does; it is damaged or not of a "
                    "run: restore it, or train anew"
                )
    return values


def _key(name: str) -> str:
    """The name of a field outside Python: `class` for class_, because a keyword cannot name a field."""
    word = name.removesuffix("_")
    return word if iskeyword(word) else name


def convert(kind: Any, value: Any, path: str) -> Any:
    """`value` converted to this type annotation, or a RecipeError with the path, the rule and the value."""
    if isinstance(value, str) and value == MANDATORY:
        raise RecipeError(f"{path} must be given; say {path}=...")
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()  # a number of numpy's or torch's
    for reader in (_exact, _union, _sequence, _mapping):
        converted = list(reader(kind, value, path))
        if converted:
            return converted[0]
    raise RecipeError(f"{path} must be {_accepted(kind)}, not {value!r}")


def _accepted(kind: Any) -> str:
    """The values that a type annotation accepts, in words for an error message."""
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "text",
        type(None): "null",
        Any: "a value",
    }
    if kind in words:
        return words[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        choices = ", ".join(str(choice) for choice in arguments)
        return choices if len(arguments) == 1 else f"one of {choices}"
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_accepted(choice) for choice in arguments))
    if origin is tuple:
        return f"a list, each {_accepted(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a mapping of names, each to {_accepted(arguments[1])}"
    return f"the settings of {getattr(kind, '__name__', kind)}"


# Each reader yields the converted value, or nothing if it does not handle this annotation or value.


def _exact(kind: Any, value: Any, path: str) -> Iterator[Any]:
    if kind is Any:
        yield value
    elif is_dataclass(kind) and isinstance(value, kind):  # type: ignore[arg-type]
        yield value
    elif is_dataclass(kind):
        yield build(kind, value, path)  # type: ignore[arg-type]
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        with suppress(OverflowError):  # of a whole number beyond 1e308
            yield float(value)
    elif kind is int and isinstance(value, float) and value.is_integer() or kind is int and type(value) is int:
        yield int(value)
    elif kind in (bool, str, type(None)) and type(value) is kind:
        yield value
    elif get_origin(kind) is Literal and value in get_args(kind):
        yield value


def _union(kind: Any, value: Any, path: str) -> Iterator[Any]:
    if get_origin(kind) not in (Union, types.UnionType):
        return
    choices = get_args(kind)
    exact = [choice for choice in choices if choice is type(value)]
    for choice in exact + [choice for choice in choices if choice not in exact]:
        try:
            yield convert(choice, value, path)
        except RecipeError as error:
            if is_dataclass(choice) and isinstance(value, Mapping):
                raise error


def _sequence(kind: Any, value: Any, path: str) -> Iterator[Any]:
    if get_origin(kind) is not tuple or not isinstance(value, (list, tuple)):
        return
    inner = get_args(kind)
    if len(inner) == 2 and inner[1] is Ellipsis:
        yield tuple(convert(inner[0], item, f"{path}[{i}]") for i, item in enumerate(value))
    elif len(inner) == len(value):
        pairs = enumerate(zip(inner, value, strict=True))
        yield tuple(convert(item_kind, item, f"{path}[{i}]") for i, (item_kind, item) in pairs)


def _mapping(kind: Any, value: Any, path: str) -> Iterator[Any]:
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        inner = get_args(kind)[1]
        yield {str(key): convert(inner, item, f"{path}.{key}") for key, item in value.items()}
