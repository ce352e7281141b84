"""Titles and units of features and spectators, as the setting `labels` of a loader gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hepclf.nearest import nearest

Titles = Mapping[str, str | tuple[str, ...]]  # name -> title, or title and unit


def titles(data: Any) -> dict[str, tuple[str, str]]:
    """Title and unit of each feature with a label; a user's own loader may have no labels."""
    return named_titles(getattr(data, "labels", {}))


def named_titles(labels: Titles) -> dict[str, tuple[str, str]]:
    """The same, from the labels of a stored configuration."""
    return {name: _title_and_unit(name, label) for name, label in labels.items()}


def check_titles(data: Any, columns: tuple[str, ...] | None) -> None:
    """Refuse labels that cannot be drawn, and labels of unknown columns, if the columns are known."""
    for name in titles(data):
        if columns is not None and name not in columns:
            raise ValueError(f"data.labels must name features or spectators, not {name!r}{nearest(name, columns)}")


def _title_and_unit(name: str, label: str | tuple[str, ...]) -> tuple[str, str]:
    parts = (label,) if isinstance(label, str) else label
    if not 1 <= len(parts) <= 2:
        raise ValueError(f"data.labels.{name} must be a title, or a title and a unit, not {list(parts)}")
    for text in parts:
        if text.count("$") % 2 or text.count("{") != text.count("}"):
            raise ValueError(f"data.labels.{name} must have a partner for each $ and brace, not {text!r}")
    title, unit = (*parts, "")[:2]
    return title, unit
