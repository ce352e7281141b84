"""The space of a search: the settings and their possible values, as plain values independent of the engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hepclf.recipe import RecipeError, build

INSIDE = 0.381966  # place between the ends at which an interval is tested: hardly ever an integer

Conditions = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Varied:
    """A setting that a search varies.

    name   unique in its space; trials record their values under it
    key    the setting or the group that it sets
    where  it exists only if each of these choices has one of these values
    """

    name: str
    key: str = ""
    where: Conditions = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.name)


@dataclass(frozen=True, kw_only=True)
class Float(Varied):
    """A number in an interval, both ends included; with `log` its logarithm is uniform."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_ends(self)

    @property
    def values(self) -> tuple[float, ...] | None:
        """All values; None for an interval, which has infinitely many."""
        if self.low < self.high:
            return None
        return (self.low,)

    @property
    def ends(self) -> tuple[float, ...]:
        """The lowest and the highest value."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether it can take this value."""
        return _is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True, kw_only=True)
class Integer(Varied):
    """A whole number: low, low + step, and so on up to high."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_ends(self)
        if self.step < 1:
            raise RecipeError(f"{self.name} must have steps of at least 1, not {self.step}")
        if self.log and self.step != 1:
            raise RecipeError(f"{self.name} must have either steps or tag(log, ...), not both")
        object.__setattr__(self, "high", self.low + (self.high - self.low) // self.step * self.step)

    @property
    def values(self) -> tuple[int, ...] | None:
        """All values."""
        return tuple(range(self.low, self.high + 1, self.step))

    @property
    def ends(self) -> tuple[int, ...]:
        """The lowest and the highest value."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether it can take this value."""
        return type(value) is int and value in range(self.low, self.high + 1, self.step)


@dataclass(frozen=True, kw_only=True)
class Choice(Varied):
    """One of several values, which may be lists."""

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "options", tuple(map(_option, self.options)))
        if not self.options:
            raise RecipeError(f"{self.name} must have one value or more to choose from")

    @property
    def values(self) -> tuple[Any, ...] | None:
        """All values."""
        return self.options

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values: each of them must be tested."""
        return self.options

    def holds(self, value: Any) -> bool:
        """Whether it can take this value; a bool is no number."""
        return any(type(option) is type(value) and option == value for option in self.options)


Parameter = Float | Integer | Choice
KINDS: Mapping[str, type[Parameter]] = {"float": Float, "integer": Integer, "choice": Choice}


@dataclass(frozen=True)
class Space:
    """The parameters of a search; a parameter comes before those that depend on it."""

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        names = [parameter.name for parameter in self.parameters]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise RecipeError(f"{twice[0]} is twice in the space; name it once")
        for place, parameter in enumerate(self.parameters):
            if unknown := sorted(set(parameter.where) - set(names[:place])):
                raise RecipeError(f"{parameter.name} depends on {unknown[0]}, which does not stand before it")

    def __len__(self) -> int:
        return len(self.parameters)

    def present(self, parameter: Parameter, values: Mapping[str, Any]) -> bool:
        """Whether a parameter exists, given the values of those before it."""
        return all(values.get(name) in options for name, options in parameter.where.items())

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings for these values of the parameters, by their keys."""
        return {parameter.key: values[parameter.name] for parameter in self.parameters if parameter.name in values}

    def point(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the parameters in these settings, without those outside the space."""
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            if self.present(parameter, values) and parameter.holds(settings.get(parameter.key)):
                values[parameter.name] = settings[parameter.key]
        return values

    def corners(self) -> Iterator[dict[str, Any]]:
        """Points to test, for each combination of groups.

        The first point has the first end of each parameter. In the others one parameter is at its other end or inside.
        """
        groups = [parameter for parameter in self.parameters if "." not in parameter.key]
        for chosen in product(*(parameter.ends for parameter in groups)):
            fixed = dict(zip((parameter.name for parameter in groups), chosen, strict=True))
            yield from self._corners(fixed)

    def _corners(self, fixed: dict[str, Any]) -> Iterator[dict[str, Any]]:
        first: dict[str, Any] = {}
        for parameter in self.parameters:
            if self.present(parameter, first):
                first[parameter.name] = fixed.get(parameter.name, parameter.ends[0])
        yield first
        for parameter in self.parameters:
            if parameter.name in first and parameter.name not in fixed:
                yield from (first | {parameter.name: end} for end in _probes(parameter)[1:])

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every point of a grid once; the last parameter varies fastest."""
        if endless := [parameter.name for parameter in self.parameters if parameter.values is None]:
            raise RecipeError(f"{endless[0]} must be a choice or a range in a grid, not an interval; list its values")
        yield from self._points({}, self.parameters)

    def _points(self, values: dict[str, Any], rest: tuple[Parameter, ...]) -> Iterator[dict[str, Any]]:
        if not rest:
            yield values
        elif not self.present(rest[0], values):
            yield from self._points(values, rest[1:])
        else:
            for value in rest[0].values or ():
                yield from self._points(values | {rest[0].name: value}, rest[1:])

    def describe(self) -> dict[str, Any]:
        """Plain values, by the names of the parameters; `Space.read` takes them."""
        return {parameter.name: _described(parameter) for parameter in self.parameters}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Space:
        """The space of plain values, as a study stores them."""
        return cls(tuple(_parameter(str(name), settings) for name, settings in values.items()))


def _check_ends(parameter: Float | Integer) -> None:
    if not (math.isfinite(parameter.low) and math.isfinite(parameter.high) and parameter.low <= parameter.high):
        raise RecipeError(
            f"{parameter.name} must lie between two numbers, the lower first, not {parameter.low} and {parameter.high}"
        )
    if parameter.log and parameter.low <= 0:
        raise RecipeError(f"{parameter.name} must be positive where tag(log, ...) is used, not {parameter.low}")


def _probes(parameter: Parameter) -> tuple[Any, ...]:
    """The ends, and for an interval a number between them: the ends may be integers where other values are not."""
    if not isinstance(parameter, Float) or parameter.low == parameter.high:
        return parameter.ends
    return (*parameter.ends, parameter.low + INSIDE * (parameter.high - parameter.low))


def _option(value: Any) -> Any:
    """A value of a choice as YAML has it: a list, not a tuple."""
    if isinstance(value, tuple):
        return list(value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _described(parameter: Parameter) -> dict[str, Any]:
    kind = next(name for name, cls in KINDS.items() if type(parameter) is cls)
    settings = {name: value for name, value in vars(parameter).items() if name != "name"}
    if isinstance(parameter, Choice):
        settings["options"] = list(parameter.options)
    return {"kind": kind, **settings, "where": {name: list(options) for name, options in parameter.where.items()}}


def _parameter(name: str, settings: Any) -> Parameter:
    kind = None
    if isinstance(settings, Mapping):
        kind = settings.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise RecipeError(f"space.{name} must have a kind of {', '.join(KINDS)}, not {kind!r}")
    contents = {key: value for key, value in settings.items() if key != "kind"}
    parameter: Parameter = build(KINDS[kind], {"name": name, **contents}, f"space.{name}")
    return parameter
