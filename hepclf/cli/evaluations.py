"""The evaluation of a configuration, with the user's own studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hepclf.cli.config import Composed
from hepclf.recipe import TARGET

PATH = "evaluation.studies"


def read_evaluation(composed: Composed, values: Any, *, trusted: bool = True, trust: Sequence[str] = ()) -> Any:
    """The recipe of an evaluation; a study that is null is left out.

    Without trust, a user's own study is built only if the command line, or `trust`, names its class.
    """
    studies = values.get("studies") if isinstance(values, Mapping) else None
    if isinstance(studies, Mapping):
        settings = {str(name): study for name, study in studies.items() if study is not None}
        built = {name: _study(composed, study, name, trusted, trust) for name, study in settings.items()}
        values = {**values, "studies": built}
    return composed.recipe(values, "evaluation", trusted=trusted)


def _study(composed: Composed, values: Any, name: str, trusted: bool, trust: Sequence[str]) -> Any:
    path = f"{PATH}.{name}"
    typed = f"{path}.{TARGET}" in composed.typed or _names_class(composed.typed, path)
    named = isinstance(values, Mapping) and values.get(TARGET) in trust
    return composed.recipe(values, path, trusted=trusted or typed or named)


def _names_class(typed: Mapping[str, Any], path: str) -> bool:
    """Whether the command line gives the class as part of a mapping: `studies={mine: {_target_: ...}}`."""
    inner = None
    if isinstance(studies := typed.get(PATH), Mapping):
        inner = studies.get(path.removeprefix(f"{PATH}."))
    return any(isinstance(value, Mapping) and TARGET in value for value in (typed.get(path), inner))
