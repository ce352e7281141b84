"""The comparison of runs: their performance on the same events, and the cost of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hepclf.comparison.comparison import Comparison, comparisons
from hepclf.comparison.contenders import Contender
from hepclf.comparison.differences import Difference
from hepclf.comparison.entry import RunEntry
from hepclf.comparison.labels import labels, sample_labels
from hepclf.comparison.members import members_of
from hepclf.comparison.repeated import Repeated, copies, repeated
from hepclf.comparison.sculpted import sculpting_dict
from hepclf.comparison.selection import LeftOut, check_count
from hepclf.evaluation.results import plain
from hepclf.run import Run

# Settings of an evaluation that change how its results are shown, not the results.
DISPLAY_SETTINGS = ("plots", "report", "label")
# Settings of a trainer that define the mixture of events in which its scores are probabilities.
LOSS_SETTINGS = ("loss", "balance", "negative_weights", "planing", "decorrelate", "calibrate")


@dataclass(frozen=True, kw_only=True, repr=False)
class Compared:
    """A comparison of runs: `entries` and `rates` (scored events per second) by the names of the runs, in its order.

    samples   a comparison for each set of test events, by its name; runs are ranked only within one set
    repeated  groups of runs that differ only in seeds and folds
    left_out  the runs that could not be compared, and why
    """

    samples: Mapping[str, Comparison]
    entries: Mapping[str, RunEntry]
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
        """The differences without those of copies, which are zero by construction."""
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
        """Reasons why the numbers of these runs are less comparable than they look."""
        notes = []
        runs = self.entries.values()
        evaluations = [
            {key: value for key, value in run.evaluation.items() if key not in DISPLAY_SETTINGS} for run in runs
        ]
        if keys := _differing(evaluations):
            notes.append(f"significances by evaluations that differ in {', '.join(keys)}")
        trainers = [run.config.get("trainer") or {} for run in runs]
        if keys := _differing([{key: trainer.get(key) for key in LOSS_SETTINGS} for trainer in trainers]):
            notes.append(f"validation losses of trainings that differ in {', '.join(keys)}")
        if len(self.devices) > 1:
            notes.append(f"times on different devices: {', '.join(self.devices)}")
        return notes

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON: None for what could not be computed."""
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
        entry = self.entries[contender.name]
        return {
            "name": contender.name,
            "run": str(entry.run.folder),
            "data": entry.data,
            "model": entry.model,
            "copy_of": contender.copy_of,
            "sample": sample or None,
            "test_events": len(contender.events),
            "kept_epoch": entry.kept_epoch,
            "log_loss": {"valid": contender.valid_loss.to_dict()},
            "auc": {"valid": contender.valid.to_dict(), "test": contender.test.to_dict()},
            "working_points": [_plain(point._asdict()) for point in contender.working_points],
            "significance": _plain(entry.expected._asdict()),
            "sculpting": sculpting_dict(entry.sculpted),
            "likelihood_ratio": None if contender.exact is None else contender.exact.agreement.to_dict(),
            "device": entry.device,
            "training_s": entry.training_s,
            "tagger_bytes": entry.tagger_bytes,
            "events_per_s": self.rates[contender.name],
        }


def compare_runs(runs: Sequence[Run], names: Sequence[str] = (), left_out: Sequence[LeftOut] = ()) -> Compared:
    """Compare runs of the same classes, named by `names`, or else by the settings in which they differ.

    Failed, unfinished and damaged runs are left out, in addition to `left_out`.
    """
    members, missing = members_of(runs, names)
    missing = [*left_out, *missing]
    check_count(len(members), missing)
    entries, contenders = [member.entry for member in members], [member.contender for member in members]
    originals = copies(entries, contenders)
    run_names = [contender.name for contender in contenders]
    if not names:
        run_names = _run_names(entries, originals)
    copy_of = {index: run_names[original] for index, original in originals.items()}
    renamed = [
        replace(contender, name=name, copy_of=copy_of.get(index))
        for index, (name, contender) in enumerate(zip(run_names, contenders, strict=True))
    ]
    samples = comparisons(renamed)
    by_name = dict(zip(run_names, members, strict=True))
    ordered = [contender for sample in samples for contender in sample.contenders]
    ordered_entries = {contender.name: by_name[contender.name].entry for contender in ordered}
    sample_names = sample_labels(
        [[ordered_entries[contender.name] for contender in sample.contenders] for sample in samples]
    )
    classes = members[0].classes
    return Compared(
        samples=dict(zip(sample_names, samples, strict=True)),
        entries=ordered_entries,
        rates={name: by_name[name].rate for name in ordered_entries},
        repeated=repeated(ordered_entries, ordered),
        classes=classes,
        signal=entries[0].signal(classes),
        left_out=tuple(missing),
    )


def _run_names(entries: Sequence[RunEntry], originals: Mapping[int, int]) -> list[str]:
    """A name for each run; a copy is named after its original."""
    indices = [index for index in range(len(entries)) if index not in originals]
    names = dict(zip(indices, labels([entries[index] for index in indices]), strict=True))
    counts = Counter[int]()
    for index, original in originals.items():
        counts[original] += 1
        names[index] = f"{names[original]} (copy)"
        if counts[original] > 1:
            names[index] = f"{names[original]} (copy {counts[original]})"
    return [names[index] for index in range(len(entries))]


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
    return {name: plain(value) for name, value in values.items()}
