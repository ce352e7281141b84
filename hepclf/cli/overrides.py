"""Overrides of the command line, as Hydra parses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def overrides(words: Sequence[str]) -> list[Any]:
    """Overrides as Hydra parses them."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return list(OverridesParser.create().parse_overrides(list(words)))
