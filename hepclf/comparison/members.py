"""The runs of a comparison as they are read: the records of their folders, and their test events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hepclf.comparison.contenders import Contender, contender
from hepclf.comparison.entry import RunEntry, run_entry, unfinished
from hepclf.comparison.selection import LeftOut
from hepclf.run import Run

# Exceptions from reading files that hepclf did not write, or that are damaged.
DAMAGE = (ValueError, OSError, LookupError, TypeError, AttributeError)


class Member(NamedTuple):
    """A run that could be read, and the number of events that it scores per second."""

    entry: RunEntry
    contender: Contender
    classes: tuple[str, ...]
    rate: float | None


def members_of(runs: Sequence[Run], names: Sequence[str]) -> tuple[list[Member], list[LeftOut]]:
    """The runs that can be read, named by `names` or else by their folders, and those that cannot, with the reason."""
    legible, left_out = _legible(runs, names or [str(run.folder) for run in runs])
    targets = sorted(
        {float(target) for entry in legible.values() for target in entry.evaluation.get("working_points", ())}
    )
    members: list[Member] = []
    for name, entry in legible.items():
        try:
            scored = entry.scored()
        except DAMAGE as error:
            left_out.append(LeftOut(name, _damage(error)))
            continue
        if members:
            _check(entry, scored.classes, members[0].entry, members[0].classes)
        signal = scored.classes.index(entry.signal(scored.classes))
        rate = None
        if entry.scoring_s:
            rate = len(scored) / entry.scoring_s
        compared = contender(name, scored, signal, targets, entry.yields, entry.valid_loss, entry.balance)
        members.append(Member(entry, compared, scored.classes, rate))
    return members, left_out


def _legible(runs: Sequence[Run], names: Sequence[str]) -> tuple[dict[str, RunEntry], list[LeftOut]]:
    """The entries of finished runs that can be read, by name, and the other runs with the reason."""
    legible, left_out = {}, []
    for run, name in zip(runs, names, strict=True):
        try:
            if reason := unfinished(run):
                left_out.append(LeftOut(name, reason))
            else:
                legible[name] = run_entry(run)
        except DAMAGE as error:
            left_out.append(LeftOut(name, _damage(error)))
    return legible, left_out


def _check(member: RunEntry, classes: tuple[str, ...], first: RunEntry, first_classes: tuple[str, ...]) -> None:
    if classes != first_classes:
        raise ValueError(
            f"compared runs must have the same classes, not {list(first_classes)} in {first.run.folder} and "
            f"{list(classes)} in {member.run.folder}; compare them separately"
        )
    signal, first_signal = member.signal(classes), first.signal(first_classes)
    if signal != first_signal:
        raise ValueError(
            f"compared runs must have the same evaluation.signal, not {first_signal!r} in {first.run.folder} and "
            f"{signal!r} in {member.run.folder}; compare them separately"
        )


def _damage(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, ValueError):
        return f"damaged: {text}"
    return f"damaged: {type(error).__name__}: {text}"
