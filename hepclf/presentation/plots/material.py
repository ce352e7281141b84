"""What the pictures of a training are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hepclf.evaluation.label import Label
from hepclf.evaluation.results import Results


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """Results and the course of their training, the folder of their pictures, and the words on them.

    history  the columns of history.csv, or None
    rates    a learning-rate range test: rate, loss, smoothed [n], suggested and used [1]; or None
    """

    results: Results
    folder: Path
    history: Mapping[str, Sequence[float]] | None = None
    rates: Mapping[str, Sequence[float]] | None = None
    title: str = ""
    label: Label | None = None
