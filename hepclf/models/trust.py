"""What a stored tagger may be made of: classes of hepclf or those that the caller trusts, and layers with weights."""

from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass
from typing import Any

from hepclf.recipe import TARGET

MOST_TENSORS = 4096  # of a stored network; building layers takes about a millisecond each


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


def check_layers(settings: Any, tensors: int) -> None:
    """Refuse more layers than the file has tensors for, before any layer is built, which takes time."""
    if tensors > MOST_TENSORS:
        raise ValueError(f"the weights must be at most {MOST_TENSORS:,} tensors, not {tensors:,}; refused")
    lists = {name: value for name, value in settings.items() if isinstance(value, list)}
    if long := next((name for name, value in lists.items() if len(value) > tensors), None):
        raise ValueError(
            f"recipe.{long} must be at most {tensors:,} values, as the weights are so many tensors, not "
            f"{len(lists[long]):,}"
        )
