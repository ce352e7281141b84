"""Finished runs that may become the members of one tagger; what does not fit together is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.comparison.entry import RunEntry, run_entry
from hepclf.comparison.labels import labels
from hepclf.models.tagger import HEAD
from hepclf.recipe import TARGET, read_stored
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.workflow.resume import flat_settings

SHARED = ("data", "folds")  # groups of settings that must be the same
MIXTURE = ("trainer.balance", "trainer.negative_weights", "trainer.planing")  # what the probabilities refer to
FREE = ("data.check", "data.cache")  # without influence on the events
ENSEMBLE = "hepclf.workflow.ensemble.Ensemble"


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A finished run and its scored events; `name` is its model, with what tells it from the other runs."""

    name: str
    entry: RunEntry
    scored: Scored

    @property
    def run(self) -> Run:
        """Its folder."""
        return self.entry.run

    @property
    def config(self) -> Mapping[str, Any]:
        """Its configuration."""
        return self.entry.config

    def record(self) -> dict[str, str]:
        """Its entry in the configuration of the ensemble: the folder, and digests of its settings and its tagger."""
        text = json.dumps(flat_settings(self.config, ("data", "model", "trainer", "folds")), sort_keys=True)
        return {
            "name": self.name,
            "run": str(self.run.folder),
            "settings": hashlib.sha256(text.encode()).hexdigest(),
            "tagger": hashlib.sha256((self.run.tagger / HEAD).read_bytes()).hexdigest(),
        }


def candidates(folders: Sequence[Path | str]) -> list[Candidate]:
    """The runs in these folders, which must have the same events in the same split."""
    if len(folders) < 2:
        raise ValueError(f"an ensemble needs at least 2 runs, not {len(folders)}; say hepclf ensemble RUN RUN...")
    entries = [_finished(Run.open(folder)) for folder in folders]
    places = [entry.run.folder for entry in entries]
    if twins := [folder for folder in places if places.count(folder) > 1]:
        raise ValueError(f"the runs of an ensemble must differ, and {twins[0]} is named twice; leave one of them out")
    for entry in entries[1:]:
        _refuse_other_settings(entry, entries[0])
    first = entries[0].scored()
    runs = [Candidate(name=labels(entries)[0], entry=entries[0], scored=first)]
    for name, entry in zip(labels(entries)[1:], entries[1:], strict=True):
        scored = entry.scored()
        _refuse_other_events(entry, scored, entries[0], first)
        runs.append(Candidate(name=name, entry=entry, scored=scored))
    return runs


def is_ensemble(config: Mapping[str, Any]) -> bool:
    """Whether this is the configuration of an ensemble, which has no training of its own."""
    return bool(config["model"][TARGET] == ENSEMBLE)


def _finished(run: Run) -> RunEntry:
    """The records of a finished run that is a training."""
    run.require(run.scores, run.tagger)
    if (status := run.status()).name != "finished":
        raise ValueError(f"{run.folder} is not finished: its training {status}; {status.way_out}")
    if is_ensemble(read_stored(run.config)):
        raise ValueError(f"{run.folder} is an ensemble itself; name the runs of which it is made")
    return run_entry(run)


def _refuse_other_settings(run: RunEntry, first: RunEntry) -> None:
    """Refuse a run whose data, split or mixture is another than that of the first, and name the setting."""
    settings, others = _shared(run.config), _shared(first.config)
    for name in dict.fromkeys((*others, *settings)):
        if settings.get(name) != others.get(name):
            raise ValueError(
                f"{_cannot_join(run, first)}: {name} is {settings.get(name)} there and {others.get(name)} here; "
                "combine runs that differ in model and trainer alone (vary trainer.seed, not seed)"
            )


def _refuse_other_events(run: RunEntry, scored: Scored, first: RunEntry, others: Scored) -> None:
    """Refuse a run whose events are not those of the first, as the files of its data were changed."""
    names = [name for name in ("classes", "process_names") if getattr(scored, name) != getattr(others, name)]
    for name in ("split", "labels", "weights", "processes"):
        if not np.array_equal(getattr(scored, name), getattr(others, name)):
            names.append(name)
    if names:
        raise ValueError(
            f"{_cannot_join(run, first)}: the settings of their data are the same, but the {names[0]} of their events "
            "differ, so the files were changed in between; train one of them again"
        )


def _cannot_join(run: RunEntry, first: RunEntry) -> str:
    return f"{run.run.folder} cannot join {first.run.folder}"


def _shared(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the runs of an ensemble share."""
    trainer = flat_settings(config, ("trainer",))
    settings = {name: value for name, value in flat_settings(config, SHARED).items() if name not in FREE}
    return settings | {name: trainer.get(name) for name in MIXTURE}
