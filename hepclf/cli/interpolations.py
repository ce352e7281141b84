"""A bound on interpolations: a few lines that name each other twice must not make a billion values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hepclf.recipe import RecipeError

Path = tuple[str, ...]

LONGEST = 10_000_000  # characters
COST = 1_000  # of one interpolation, in characters that are copied in the same time
KEY = r"[^\\{}()\[\]:.,\s'\"]+"
NAME = re.compile(rf"(?P<dots>\.*)(?P<keys>{KEY}(?:\.{KEY}|\[{KEY}\])*)")


def check_interpolations(config: DictConfig) -> None:
    """Refuse a configuration that is too long once its interpolations are resolved, before they are."""
    container = OmegaConf.to_container(config, resolve=False)
    _Lengths(container).length((), container)


class _Lengths:
    """The length of each value with its interpolations resolved, computed once for each."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._known: dict[Path, int] = {}

    def length(self, path: Path, value: Any) -> int:
        """The length of the value at a path; a value that names itself counts once, as its reader refuses it."""
        if path not in self._known:
            self._known[path] = 0
            self._known[path] = sum(self._parts(path, value))
            if self._known[path] > LONGEST:
                raise RecipeError(
                    f"{'.'.join(path) or 'the configuration'} must not be longer than {LONGEST // 10**6} MB once its "
                    "${...} are filled in; name fewer values that name others, or write them out"
                )
        return self._known[path]

    def _parts(self, path: Path, value: Any) -> Iterator[int]:
        if isinstance(value, (Mapping, list)):
            yield from (self.length((*path, key), entry) for key, entry in _entries(value).items())
        elif isinstance(value, str):
            yield len(value) + COST * value.count("${")
            for target in _targets(value, path):
                yield self.length(target, _value(self._container, target))


def _entries(value: Mapping[Any, Any] | list[Any]) -> dict[str, Any]:
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    return {str(key): entry for key, entry in pairs}


def _value(container: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for key in path:
        if not isinstance(container, (Mapping, list)):
            return None
        container = _entries(container).get(key)
    return container


def _targets(text: str, path: Path) -> Iterator[Path]:
    """The paths that the interpolations of a text may name; leading dots count upwards from the value."""
    for part in text.split("${")[1:]:
        for name in NAME.finditer(part):
            up = len(name["dots"])
            base = path[:-up] if up else ()
            yield (*base, *re.findall(KEY, name["keys"]))
