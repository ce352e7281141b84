"""Tally: what was read of the files of a sample, and what its weights are then scaled with."""

from __future__ import annotations

import math
from typing import NamedTuple

from hepclf.data.parts import Part
from hepclf.data.samples import Sample, SumOfWeights

SHOWN = 5  # names that a note lists


class Tally(NamedTuple):
    """What was read of the files of a sample.

    first   the name of its first file
    size    entries there are in its files
    total   sum of weights of the entries read, before the selection
    stored  the sum of weights that the files keep, for the fraction of their entries that was read
    bad     why a file cannot be read, where one was left out
    """

    first: str
    files: int
    size: int
    entries: int
    selected: int
    total: float
    stored: float
    bad: str | None
    notes: tuple[str, ...]


def tally_parts(sample: Sample, parts: list[Part]) -> Tally:
    """The tally of the parts of a sample, or an error where none could be read."""
    good = [part for part in parts if part.bad is None]
    if not good:
        raise ValueError(f"sample {sample.name!r} has no file that can be read; the first: {parts[0].bad}")
    bad = next((f"{part.file.name}, which cannot be read ({part.bad})" for part in parts if part.bad is not None), None)
    return Tally(
        first=good[0].file.name,
        files=len(good),
        size=sum(part.size for part in good),
        entries=sum(part.entries for part in good),
        selected=sum(part.rows for part in good),
        total=math.fsum(part.total for part in good),
        stored=math.fsum(part.stored * part.fraction for part in good),
        bad=bad,
        notes=tuple(note for note in (_left_out(parts), _differing(good)) if note),
    )


def scale(sample: Sample, tally: Tally, luminosity_fb: float | None) -> float:
    """What the weights of a sample are multiplied with to sum to its expected yield."""
    if luminosity_fb is None:
        return 1.0
    stated = sample.sum_of_weights
    if stated == "events":
        total = tally.total
    elif isinstance(stated, SumOfWeights):
        total = tally.stored
    else:
        if tally.bad:
            raise ValueError(
                f"sum_of_weights={stated:g} of sample {sample.name!r} includes the part of {tally.bad}; "
                "name a branch or histogram in the files, or drop the file"
            )
        total = stated * tally.entries / max(tally.size, 1)
    if not 0 < total < math.inf:
        raise ValueError(
            f"the weights of sample {sample.name!r} sum to {total:g} before the selection; "
            "they must sum to more than 0 to be scaled to a luminosity"
        )
    return sample.expected(luminosity_fb) / total


def _left_out(parts: list[Part]) -> str | None:
    bad = [part for part in parts if part.bad is not None]
    if not bad:
        return None
    return (
        f"{len(bad)} of {len(parts)} files cannot be read and are left out, with their normalisation: "
        f"{_few([part.file.name for part in bad])}; the first: {bad[0].bad}"
    )


def _differing(parts: list[Part]) -> str | None:
    """The columns that are in some files of a sample alone; those that are read are in all."""
    column_sets = {part.columns for part in parts}
    if len(column_sets) < 2:
        return None
    differing = sorted(frozenset.union(*column_sets) - frozenset.intersection(*column_sets))
    return f"{len(differing)} columns are in some of its files alone: {_few(differing)}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
