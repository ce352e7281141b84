"""The runs of a comparison as they are read: what their folders say, and their test events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hepclf.comparison.contenders import Contender, contender
from hepclf.comparison.entry import Entry, entry, unfinished
from hepclf.comparison.selection import LeftOut
from hepclf.run import Run

# What reading files raises that are not what hepclf writes.
DAMAGE = (ValueError, OSError, LookupError, TypeError, AttributeError)


class Member(NamedTuple):
    """A run that could be read, and what it was called beforehand."""

    entry: Entry
    contender: Contender
    classes: tuple[str, ...]
    rate: float | None


def members_of(runs: Sequence[Run], names: Sequence[str]) -> tuple[list[Member], list[LeftOut]]:
    """The runs that can be read, called by these names or else by their folders, and why the others cannot."""
    legible, left_out = _legible(runs, names or [str(run.folder) for run in runs])
    targets = sorted({float(target) for known in legible.values() for target in known.judged.get("working_points", ())})
    members: list[Member] = []
    for name, known in legible.items():
        try:
            scored = known.scored()
        except DAMAGE as error:
            left_out.append(LeftOut(name, _damage(error)))
            continue
        if members:
            _check(known, scored.classes, members[0].entry, members[0].classes)
        signal = scored.classes.index(known.signal(scored.classes))
        rate = len(scored) / known.scoring_s if known.scoring_s else None
        members.append(Member(known, contender(name, scored, signal, targets, known.yields), scored.classes, rate))
    return members, left_out


def _legible(runs: Sequence[Run], names: Sequence[str]) -> tuple[dict[str, Entry], list[LeftOut]]:
    """What the folders of finished runs say, by name."""
    legible, left_out = {}, []
    for run, name in zip(runs, names, strict=True):
        try:
            if reason := unfinished(run):
                left_out.append(LeftOut(name, reason))
            else:
                legible[name] = entry(run)
        except DAMAGE as error:
            left_out.append(LeftOut(name, _damage(error)))
    return legible, left_out


def _check(member: Entry, classes: tuple[str, ...], first: Entry, first_classes: tuple[str, ...]) -> None:
    if classes != first_classes:
        raise ValueError(
            f"runs that are compared must tell the same classes apart, however {first.run.folder} has "
            f"{list(first_classes)} and {member.run.folder} {list(classes)}; compare them apart"
        )
    mine, theirs = member.signal(classes), first.signal(first_classes)
    if mine != theirs:
        raise ValueError(
            f"runs that are compared must have the same evaluation.signal, however {first.run.folder} has {theirs!r} "
            f"and {member.run.folder} {mine!r}; compare them apart"
        )


def _damage(error: Exception) -> str:
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return f"damaged: {kind}{' '.join(str(error).split())}"
