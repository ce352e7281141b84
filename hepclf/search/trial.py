"""A trial: its values, the results of its trainings, and its record in its folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from hepclf.files import read_json, write_json

State = Literal["running", "complete", "pruned", "failed"]
STATES = ("running", "complete", "pruned", "failed")
SCHEMA = 1
RECORD = "trial.json"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One point of the space and its result.

    number      of its folder; trials count from 0
    values      of the parameters, without those that do not exist for its choices
    state       running: it has no result yet
    repeats     objectives of each finished repeat
    errors      statistical errors of the objectives of each finished repeat, where they are known
    objectives  means over the repeats, if the trial is complete
    last        last reported validation loss with the sign of the objective, if the trial was pruned
    reported    the values reported to the pruning, by their place in the training
    stored      the engine's attributes, which a continued pruning needs
    drawn       what differs between its repeats: split (and seed), or seed alone
    is_default  whether it has the settings of the configuration without the search
    seconds     time of its trainings
    error       the line of a failure
    """

    number: int
    values: Mapping[str, Any] = field(default_factory=dict)
    state: State = "running"
    repeats: tuple[tuple[float, ...], ...] = ()
    errors: tuple[tuple[float | None, ...], ...] = ()
    objectives: tuple[float, ...] = ()
    last: float | None = None
    reported: Mapping[int, float] = field(default_factory=dict)
    stored: Mapping[str, Any] = field(default_factory=dict)
    drawn: str = "split"
    is_default: bool = False
    seconds: float = 0.0
    error: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether it has its final result."""
        return self.state != "running"

    def write(self, folder: Path) -> None:
        """Write the record into the trial's folder."""
        write_json(folder / RECORD, {"schema": SCHEMA, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> Trial | None:
        """The record of a trial's folder; None where there is none, or it is damaged."""
        try:
            contents = read_json(folder / RECORD)
            return cls._parsed(contents, int(folder.name))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    @classmethod
    def _parsed(cls, contents: Mapping[str, Any], number: int) -> Trial:
        if contents["schema"] != SCHEMA or contents["state"] not in STATES or not isinstance(contents["values"], dict):
            raise ValueError("this is no record of a trial")
        objectives = tuple(float(value) for value in contents["objectives"])
        if not all(map(math.isfinite, objectives)) or bool(objectives) != (contents["state"] == "complete"):
            raise ValueError("a complete trial has finite objectives, and no other has any")
        return cls(
            number=number,
            values=contents["values"],
            state=contents["state"],
            repeats=tuple(tuple(float(value) for value in row) for row in contents["repeats"]),
            errors=tuple(tuple(row) for row in contents["errors"]),
            objectives=objectives,
            last=contents["last"],
            reported={int(step): float(value) for step, value in contents["reported"].items()},
            stored=dict(contents["stored"]),
            drawn=str(contents["drawn"]),
            is_default=bool(contents["is_default"]),
            seconds=float(contents["seconds"]),
            error=contents["error"],
        )
