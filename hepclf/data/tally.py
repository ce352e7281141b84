"""Tally: what was read from the files of a sample, and the factor that scales its weights."""

from __future__ import annotations

import math
from typing import NamedTuple

from hepclf.data.parts import Part
from hepclf.data.samples import Sample, SumOfWeights

MAX_LISTED = 5  # names that a note lists


class Tally(NamedTuple):
    """What was read from the files of a sample.

    first   the name of its first file
    size    number of entries in its files
    total   sum of weights of the entries read, before the selection
    stored  the sum of weights that the files store, times the fraction of their entries that was read
    bad     the error of a file that was left out
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
    """The tally of the parts of a sample; an error if none could be read."""
    readable = [part for part in parts if part.bad is None]
    if not readable:
        raise ValueError(f"sample {sample.name!r} has no file that can be read; the first: {parts[0].bad}")
    reason = next(
        (f"{part.file.name}, which cannot be read ({part.bad})" for part in parts if part.bad is not None), None
    )
    return Tally(
        first=readable[0].file.name,
        files=len(readable),
        size=sum(part.size for part in readable),
        entries=sum(part.entries for part in readable),
        selected=sum(part.rows for part in readable),
        total=math.fsum(part.total for part in readable),
        stored=math.fsum(part.stored * part.fraction for part in readable),
        bad=reason,
        notes=tuple(note for note in (_unreadable_note(parts), _differing_columns_note(readable)) if note),
    )


def scale(sample: Sample, tally: Tally, luminosity_fb: float | None) -> float:
    """The factor that scales the weights of a sample to its expected yield."""
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


def _unreadable_note(parts: list[Part]) -> str | None:
    unreadable = [part for part in parts if part.bad is not None]
    if not unreadable:
        return None
    return (
        f"{len(unreadable)} of {len(parts)} files cannot be read and are left out, with their normalisation: "
        f"{_shortened([part.file.name for part in unreadable])}; the first: {unreadable[0].bad}"
    )


def _differing_columns_note(parts: list[Part]) -> str | None:
    """A note of columns that only some files of a sample have; the columns that are read exist in all."""
    column_sets = {part.columns for part in parts}
    if len(column_sets) < 2:
        return None
    differing = sorted(frozenset.union(*column_sets) - frozenset.intersection(*column_sets))
    return f"{len(differing)} columns are in some of its files alone: {_shortened(differing)}"


def _shortened(names: list[str]) -> str:
    more = ["..."] if len(names) > MAX_LISTED else []
    return ", ".join([*names[:MAX_LISTED], *more])
