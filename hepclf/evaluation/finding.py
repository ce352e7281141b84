"""What a study finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hepclf.words import Grid


class Finding(Protocol):
    """What a study found: plain values, each with its error."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a person should know of it, in a line or two: result first, then what it means."""

    @property
    def tables(self) -> tuple[Grid, ...]:
        """What is worth a table on the terminal and the page."""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dictionaries, as metrics.json has them."""


def passed_checks(finding: Finding) -> Mapping[str, str]:
    """The sentences that only say that nothing is wrong, each with its short form; a finding need not have `passed`."""
    checks: Mapping[str, str] = getattr(finding, "passed", {})
    return checks
