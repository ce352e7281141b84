"""Monotone constraints: features with which the signal's score may only rise or fall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from hepclf.events import Events
from hepclf.nearest import nearest

Monotone = Mapping[str, Literal[-1, 1]]


def check_monotone(monotone: Monotone, names: tuple[str, ...] | None, classes: tuple[str, ...] | None) -> None:
    """Refuse names that are not features, and more than two classes; None if these are not known yet."""
    if names is not None and (strange := [name for name in monotone if name not in names]):
        raise ValueError(f"monotone names {strange[0]!r}, which is not a feature{nearest(strange[0], names)}")
    if monotone and classes is not None and len(classes) > 2:
        raise ValueError(f"monotone needs two classes, the data has {len(classes)}; leave it out")


def monotone_signs(monotone: Monotone, train: Events) -> list[int] | None:
    """-1, 0 or 1 for each feature; None without constraints. A ValueError if the data do not allow them."""
    check_monotone(monotone, train.names, train.classes)
    return [monotone.get(name, 0) for name in train.names] if monotone else None
