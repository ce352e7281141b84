"""The result of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hepclf.words import Grid


class Finding(Protocol):
    """The result of a study: plain values, each with its error."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in one or two sentences, with its meaning."""

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The tables for the terminal and the page."""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dictionaries, as metrics.json has them."""


def passed_checks(finding: Finding) -> Mapping[str, str]:
    """The sentences of passed checks, each with its short form; `passed` is optional in a finding."""
    checks: Mapping[str, str] = getattr(finding, "passed", {})
    return checks


def problems(finding: Finding) -> tuple[str, ...]:
    """The sentences that say that something is wrong; a finding need not have `problems`."""
    return tuple(getattr(finding, "problems", ()))
