"""The comparison of runs: their scored events side by side, and what each of them cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hepclf.comparison.contenders import Comparison, Contender, Difference, comparisons
from hepclf.comparison.entry import Entry
from hepclf.comparison.labels import labels, sample_labels
from hepclf.comparison.members import members_of
from hepclf.comparison.repeated import Repeated, copies, repeated
from hepclf.comparison.sculpted import plain
from hepclf.comparison.selection import LeftOut, enough
from hepclf.run import Run
from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.value import Value

# Settings of an evaluation that say how it is shown, not what it finds.
SHOWN = ("plots", "report", "label")
# Settings of a trainer that say in which mixture of events scores are probabilities, and of what.
LOSS = ("loss", "balance", "negative_weights", "planing", "decorrelate", "calibrate")


@dataclass(frozen=True, kw_only=True, repr=False)
class Compared:
    """Runs side by side: `entries` by the names of the comparison, in its order; rates in events per second.

    samples   a comparison for each set of test events, by its name; runs are ranked within one alone
    repeated  the runs that differ in seeds and folds alone, together
    left_out  the runs that could not be compared, and why
    """

    samples: Mapping[str, Comparison]
    entries: Mapping[str, Entry]
    rates: Mapping[str, float | None]
    repeated: tuple[Repeated, ...]
    classes: tuple[str, ...]
    signal: str
    left_out: tuple[LeftOut, ...] = ()

    @property
    def contenders(self) -> list[Contender]:
        """The runs of all sets of test events, in their order."""
        return [contender for sample in self.samples.values() for contender in sample.contenders]

    @property
    def differences(self) -> list[Difference]:
        """The differences of all sets of test events, in their order."""
        return [difference for sample in self.samples.values() for difference in sample.differences]

    @property
    def trained(self) -> list[Difference]:
        """The differences without those of copies, which are none."""
        copies = {run.name for run in self.contenders if run.copy_of is not None}
        return [difference for difference in self.differences if difference.name not in copies]

    @property
    def by_validation(self) -> bool:
        """Whether each reference is the best on validation, and not just the first given."""
        return all(sample.by_validation for sample in self.samples.values())

    @property
    def targets(self) -> list[float]:
        """The signal efficiencies at which rejections are quoted."""
        return [point.target for point in self.contenders[0].working_points]

    @property
    def devices(self) -> list[str]:
        """The devices on which the runs were trained."""
        return sorted({run.device for run in self.entries.values() if run.device})

    @property
    def notes(self) -> list[str]:
        """What makes the numbers of these runs less comparable than they look."""
        notes = []
        runs = self.entries.values()
        if keys := _differing([{key: run.judged[key] for key in run.judged if key not in SHOWN} for run in runs]):
            notes.append(f"significances by evaluations that differ in {', '.join(keys)}")
        trainers = [run.config.get("trainer") or {} for run in runs]
        if keys := _differing([{key: trainer.get(key) for key in LOSS} for trainer in trainers]):
            notes.append(f"validation losses of trainings that differ in {', '.join(keys)}")
        if len(self.devices) > 1:
            notes.append(f"times on different devices: {', '.join(self.devices)}")
        return notes

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON: what could not be had is None."""
        members = [(name, contender) for name, sample in self.samples.items() for contender in sample.contenders]
        return {
            "classes": list(self.classes),
            "signal": self.signal,
            "samples": [_sample(name, sample) for name, sample in self.samples.items()],
            "notes": self.notes,
            "left_out": [run._asdict() for run in self.left_out],
            "runs": [self._run(contender, name) for name, contender in members],
            "differences": [_plain(difference._asdict()) for difference in self.differences],
            "repeated": [group.to_dict() for group in self.repeated],
        }

    def _run(self, contender: Contender, sample: str) -> dict[str, Any]:
        member = self.entries[contender.name]
        return {
            "name": contender.name,
            "run": str(member.run.folder),
            "data": member.data,
            "model": member.model,
            "copy_of": contender.copy_of,
            "sample": sample or None,
            "test_events": len(contender.events),
            "kept_epoch": member.kept_epoch,
            "log_loss": {"valid": contender.valid_loss.to_dict()},
            "auc": {"valid": contender.valid.to_dict(), "test": contender.test.to_dict()},
            "working_points": [_plain(point._asdict()) for point in contender.working_points],
            "significance": _plain(member.expected._asdict()),
            "sculpting": plain(member.sculpted),
            "device": member.device,
            "training_s": member.training_s,
            "tagger_bytes": member.tagger_bytes,
            "events_per_s": self.rates[contender.name],
        }


def compared(runs: Sequence[Run], names: Sequence[str] = (), left_out: Sequence[LeftOut] = ()) -> Compared:
    """Compare runs of the same classes, called by these names, or else by what tells them apart.

    Failed, unfinished and damaged runs are left out, beside those that were before.
    """
    members, missing = members_of(runs, names)
    missing = [*left_out, *missing]
    enough(len(members), missing)
    entries, contenders = [member.entry for member in members], [member.contender for member in members]
    originals = copies(entries, contenders)
    called = _named(entries, originals) if not names else [contender.name for contender in contenders]
    renamed = [
        replace(contender, name=name, copy_of=called[originals[index]] if index in originals else None)
        for index, (name, contender) in enumerate(zip(called, contenders, strict=True))
    ]
    parts = comparisons(renamed)
    by_name = dict(zip(called, members, strict=True))
    order = [contender for part in parts for contender in part.contenders]
    ordered = {contender.name: by_name[contender.name].entry for contender in order}
    samples = sample_labels([[ordered[contender.name] for contender in part.contenders] for part in parts])
    classes = members[0].classes
    return Compared(
        samples=dict(zip(samples, parts, strict=True)),
        entries=ordered,
        rates={name: by_name[name].rate for name in ordered},
        repeated=repeated(ordered, order),
        classes=classes,
        signal=entries[0].signal(classes),
        left_out=tuple(missing),
    )


def _named(entries: Sequence[Entry], originals: Mapping[int, int]) -> list[str]:
    """A name for each run; a copy is called by its original."""
    indices = [index for index in range(len(entries)) if index not in originals]
    called = dict(zip(indices, labels([entries[index] for index in indices]), strict=True))
    counts = Counter[int]()
    for index, original in originals.items():
        counts[original] += 1
        called[index] = f"{called[original]} (copy{f' {counts[original]}' if counts[original] > 1 else ''})"
    return [called[index] for index in range(len(entries))]


def _sample(name: str, sample: Comparison) -> dict[str, Any]:
    return {
        "name": name or None,
        "differs_in": sample.differs_in,
        "test_events": len(sample.reference.events),
        "reference": sample.reference.name,
        "reference_chosen_by": "validation AUC" if sample.by_validation else "order",
        "runs": [contender.name for contender in sample.contenders],
    }


def _differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of the first in which the others differ from it."""
    return [key for key in settings[0] if any(row.get(key) != settings[0][key] for row in settings[1:])]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value._asdict() if isinstance(value, (Value, Limit)) else value for name, value in values.items()}
