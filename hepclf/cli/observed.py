"""`hepclf evaluate ... observed.files=...`: the recipe of observed data, with settings of the run's own data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from hepclf.cli.config import Composed
from hepclf.cli.recipes import recipe_class
from hepclf.recipe import MANDATORY, TARGET, RecipeError

NAME = "observed"
# Settings that observed data take from the run's data; the other settings describe classes and yields.
SHARED = ("features", "leading", "tree", "selection", "groups", "header", "columns", "delimiter", "missing")


def observed_data(composed: Composed, settings: Any, stored: Any, inputs: tuple[str, ...], seed: Any) -> Any:
    """The loader of observed data.

    composed  the configuration of the command
    settings  from the command line: those of a choice, data@observed=NAME, or settings without a choice
    stored    the recipe of the run's data: the default kind, and shared settings for data of the same kind
    inputs    of the tagger: the features of data of another kind
    """
    if not isinstance(settings, Mapping):
        raise RecipeError(f"observed must be a group of settings, such as observed.files=..., not {settings!r}")
    if not isinstance(stored, Mapping):
        stored = {}
    trusted = TARGET in settings
    target = str(settings.get(TARGET) or stored.get(TARGET))
    if not trusted:
        _refuse_other_formats(settings.get("files"), target)
    keys = {field.name for field in fields(recipe_class(target, NAME, trusted=trusted))}
    is_same_kind = _is_same_kind(keys, stored)
    settings = {TARGET: target, **settings}
    for key in SHARED:
        if key in keys and key in stored and f"{NAME}.{key}" not in composed.typed and is_same_kind:
            settings[key] = stored[key]
    if "features" in keys and settings.get("features", "all") in ([], "all", MANDATORY):
        settings["features"] = list(inputs)
    if "samples" in keys and (files := settings.pop("files", None)) is not None:
        settings["samples"] = [{"name": NAME, "class": NAME, "files": files}]
    if "label" in keys and f"{NAME}.label" not in composed.typed:
        settings["label"] = None
    return composed.recipe(settings, NAME, trusted=trusted, seed=seed)


def _refuse_other_formats(files: Any, target: str) -> None:
    """Refuse files that the loader of the run does not read, as the user must choose their loader."""
    from hepclf.prediction.formats import LOADERS

    names = [files] if isinstance(files, str) else files or ()
    for name in names:
        loader = LOADERS.get(Path(str(name).partition(":")[0]).suffix.lower(), target)
        if loader != target:
            kind = loader.split(".")[-2]
            raise RecipeError(
                f"observed.files={name} is no file of the kind that the run read; add data@observed={kind}"
            )


def _is_same_kind(keys: set[str], stored: Mapping[str, Any]) -> bool:
    """Whether the recipe of the run's data has these keys: either files of samples, or files of labelled rows."""
    return all((key in keys) == (key in stored) for key in ("samples", "label", "files"))
