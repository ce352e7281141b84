"""The run that a training resumes; settings and data must be those of its first start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.files import from_json
from hepclf.recipe import read_stored
from hepclf.run import Run
from hepclf.words import typed_setting
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import Prepared

GROUPS = ("data", "model", "trainer", "folds")
FREE = (  # may differ
    "trainer.device",
    "trainer.devices",
    "trainer.threads",
    "trainer.checkpoint_s",
    "trainer.exit_after_s",
)
SAMPLE = 1000  # events whose features are in the digest of the data


def opened(folder: Path, job: Job, *, resume: bool) -> Run:
    """The run to train in a folder: with `resume` an unfinished one with the same settings, otherwise a new one."""
    if not resume or not Run(folder).config.is_file():
        return Run.create(folder, restart=resume)
    refuse_other_settings(Run(folder), job)
    return Run.resume(folder)


def refuse_other_settings(run: Run, job: Job) -> None:
    """Refuse a job that would train another tagger than an unfinished run, and name the difference."""
    before, now = _settings(read_stored(run.config)), _settings(job.describe())
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"{run.folder} cannot be resumed with other settings: {name} was {before.get(name)} and is "
                f"{now.get(name)} now; leave that out, or train in a new folder ({typed_setting('again', run.folder)})"
            )


def job_digest(job: Job) -> str:
    """A digest of all settings that determine the training."""
    return hashlib.sha256(json.dumps(_settings(job.describe()), sort_keys=True).encode()).hexdigest()


def events_digest(prepared: Prepared) -> str:
    """A digest of the events: labels, weights and split of all, and the features of a thousand."""
    events, digest = prepared.events, hashlib.sha256()
    # A sample, because the features may be larger than memory.
    rows = np.unique(np.linspace(0, len(events) - 1, SAMPLE).astype(np.int64))
    for array in (events.labels, events.weights, prepared.split, np.asarray(events.features[rows])):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _settings(description: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of data, model and trainer by their dotted names, without those that may differ."""
    return {name: value for name, value in flat_settings(description, GROUPS).items() if name not in FREE}


def flat_settings(description: Mapping[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    """The settings of these groups by their dotted names; a group that is not there has none."""
    plain = {group: description[group] for group in groups if group in description}
    return _flat(from_json(json.dumps(plain, default=str)))


def _flat(settings: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(settings, dict) or not settings:
        return {path: settings}
    prefix = f"{path}." if path else ""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}")
    return flat
