"""The comparison of runs: their scored events side by side, and what each of them cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hepclf.comparison.entry import Entry, entry
from hepclf.comparison.labels import labels
from hepclf.comparison.repeated import Repeated, repeated
from hepclf.comparison.sculpted import plain
from hepclf.evaluation.compare import Comparison, compare, contender
from hepclf.evaluation.scored import Scored
from hepclf.evaluation.value import Value
from hepclf.run import Run

# Settings of an evaluation that say how it is shown, not what it finds.
SHOWN = ("plots", "report", "label")


@dataclass(frozen=True, kw_only=True, repr=False)
class Compared:
    """Runs side by side: `entries` by the names of the comparison, in its order; rates in events per second.

    repeated  the runs that differ in seeds and folds alone, together
    """

    comparison: Comparison
    entries: Mapping[str, Entry]
    rates: Mapping[str, float | None]
    repeated: tuple[Repeated, ...]
    classes: tuple[str, ...]
    signal: str

    @property
    def reference(self) -> str:
        """The run that the others are set against."""
        return self.comparison.contenders[0].name

    @property
    def notes(self) -> list[str]:
        """What makes the numbers of these runs less comparable than they look."""
        found = []
        settings = [{k: v for k, v in one.judged.items() if k not in SHOWN} for one in self.entries.values()]
        keys = [key for key in settings[0] if any(other.get(key) != settings[0][key] for other in settings[1:])]
        if keys:
            found.append(f"significances by evaluations that differ in {', '.join(keys)}")
        devices = sorted({one.device for one in self.entries.values() if one.device})
        if len(devices) > 1:
            found.append(f"times on different devices: {', '.join(devices)}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON: what could not be had is None."""
        return {
            "classes": list(self.classes),
            "signal": self.signal,
            "reference": self.reference,
            "reference_chosen_by": "validation AUC" if self.comparison.by_validation else "order",
            "notes": self.notes,
            "runs": [self._run(index) for index in range(len(self.entries))],
            "differences": [_plain(one._asdict()) for one in self.comparison.differences],
            "repeated": [one.to_dict() for one in self.repeated],
        }

    def _run(self, index: int) -> dict[str, Any]:
        one = self.comparison.contenders[index]
        of = self.entries[one.name]
        return {
            "name": one.name,
            "run": str(of.run.folder),
            "data": of.data,
            "model": of.model,
            "test_events": len(one.events),
            "auc": {"valid": one.valid.to_dict(), "test": one.test.to_dict()},
            "working_points": [_plain(point._asdict()) for point in one.working_points],
            "significance": _plain(of.expected._asdict()),
            "sculpting": plain(of.sculpted),
            "device": of.device,
            "training_s": of.training_s,
            "tagger_bytes": of.tagger_bytes,
            "events_per_s": self.rates[one.name],
        }


def compared(runs: Sequence[Run], names: Sequence[str] = ()) -> Compared:
    """Compare runs of the same classes, called by these names, or else by what tells them apart."""
    entries = [entry(run) for run in runs]
    called = names or labels(entries)
    targets = sorted({float(target) for one in entries for target in one.judged.get("working_points") or ()})
    first, contenders, rates = entries[0].scored(), [], {}
    classes, signal = first.classes, entries[0].signal(first.classes)
    for name, one in zip(called, entries, strict=True):
        scored = first if one is entries[0] else one.scored()
        _check(one, scored, entries[0], first)
        contenders.append(contender(name, scored, classes.index(signal), targets))
        rates[name] = len(scored) / one.scoring_s if one.scoring_s else None
    found = compare(contenders)
    by_name = dict(zip(called, entries, strict=True))
    ordered = {one.name: by_name[one.name] for one in found.contenders}
    alike = repeated(ordered, found.contenders)
    return Compared(comparison=found, entries=ordered, rates=rates, repeated=alike, classes=classes, signal=signal)


def _check(one: Entry, scored: Scored, first: Entry, of_first: Scored) -> None:
    if scored.classes != of_first.classes:
        raise ValueError(
            f"runs that are compared must tell the same classes apart, however {first.run.folder} has "
            f"{list(of_first.classes)} and {one.run.folder} {list(scored.classes)}; compare them apart"
        )
    mine, theirs = one.signal(scored.classes), first.signal(of_first.classes)
    if mine != theirs:
        raise ValueError(
            f"runs that are compared must have the same evaluation.signal, however {first.run.folder} has {theirs!r} "
            f"and {one.run.folder} {mine!r}; compare them apart"
        )


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.to_dict() if isinstance(value, Value) else value for name, value in found.items()}
