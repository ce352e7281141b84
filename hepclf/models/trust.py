"""The classes that a stored tagger may use: hepclf's own, and those that the caller trusts."""

from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass
from typing import Any

from hepclf.recipe import TARGET


class UntrustedError(ValueError):
    """A tagger uses a class that is not hepclf's; its user must say that it is trusted."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"the tagger is made of {target}, which is not part of hepclf; "
            "pass the class in recipes=(...) if you trust it"
        )
        self.target = target


def trusted_class(target: Any, recipes: tuple[type[Any], ...], kind: type[Any]) -> type[Any]:
    """The class that a tagger names: one of the caller's, or one of hepclf's of this kind; nothing else is imported."""
    if not isinstance(target, str):
        raise ValueError(f"recipe.{TARGET} must be the name of a class, not {str(target)[:40]!r}")
    for recipe_class in recipes:
        if target == f"{recipe_class.__module__}.{recipe_class.__qualname__}":
            return recipe_class
    module, _, name = target.rpartition(".")
    if not module.startswith("hepclf.models."):
        raise UntrustedError(target)
    try:
        candidate = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"the tagger names {target}, which is not a network of this hepclf: {error}") from error
    if not (
        isinstance(candidate, type) and is_dataclass(candidate) and issubclass(candidate, kind) and fields(candidate)
    ):
        raise ValueError(f"the tagger names {target}, which is not a network of hepclf")
    return candidate
