"""`hepclf evaluate ... observed.files=...`: what is said of observed data, and what the run says for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from hepclf.cli import config as conf
from hepclf.recipe import MANDATORY, TARGET, RecipeError

NAME = "observed"
# What the run says of its data and observed data share; the rest is of classes and of yields.
SHARED = ("features", "leading", "tree", "selection", "groups", "header", "columns", "delimiter", "missing")


def observed_data(given: Any, stored: Any, inputs: tuple[str, ...], seed: Any) -> Any:
    """The loader of observed data.

    given   what the command line says: a choice, data@observed=NAME, and settings of it, or the settings alone
    stored  the run's own data, whose kind is taken where none is chosen, and whose features where it is of that kind
    inputs  of the tagger: the features of data of another kind
    """
    if not isinstance(given, Mapping):
        raise RecipeError(f"observed must be a group of settings, such as observed.files=..., not {given!r}")
    stored = stored if isinstance(stored, Mapping) else {}
    trusted = TARGET in given
    target = str(given.get(TARGET) or stored.get(TARGET))
    if not trusted:
        _refuse_others(given.get("files"), target)
    known = {one.name for one in fields(conf.recipe_class(target, NAME, trusted=trusted))}
    settings = {TARGET: target, **given}
    typed = conf.typed_keys()
    for key in SHARED:
        if key in known and key in stored and f"{NAME}.{key}" not in typed and _alike(known, stored):
            settings[key] = stored[key]
    if "features" in known and settings.get("features", "all") in ([], "all", MANDATORY):
        settings["features"] = list(inputs)
    if "samples" in known and (files := settings.pop("files", None)) is not None:
        settings["samples"] = [{"name": NAME, "class": NAME, "files": files}]
    if "label" in known and f"{NAME}.label" not in typed:
        settings["label"] = None
    return conf.read(settings, NAME, trusted=trusted, seed=seed)


def _refuse_others(files: Any, target: str) -> None:
    """Files that another loader reads than that of the run need the choice of one."""
    from hepclf.prediction.formats import LOADERS

    for name in [files] if isinstance(files, str) else files or ():
        meant = LOADERS.get(Path(str(name).partition(":")[0]).suffix.lower(), target)
        if meant != target:
            kind = meant.split(".")[-2]
            raise RecipeError(
                f"observed.files={name} is no file of the kind that the run read; add data@observed={kind}"
            )


def _alike(known: set[str], stored: Mapping[str, Any]) -> bool:
    """Whether the run's data is described in the words of this kind: files of samples, or files of labelled rows."""
    return all((word in known) == (word in stored) for word in ("samples", "label", "files"))
