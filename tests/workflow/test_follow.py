"""The ranks that follow: they stop at once where their settings or events are not those of rank 0."""

from __future__ import annotations

import pytest

from hepclf import Mixture, PlainMLP, Trainer
from hepclf.training import ranks as ranks_module
from hepclf.training.ranks import Ranks
from hepclf.workflow.checkpoints import Checkpoints
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare
from hepclf.workflow.stop import Stop


class Second(Ranks):
    """Rank 1 of two, where rank 0 has the digests that it is told."""

    def __init__(self, **changed):
        super().__init__(1, 2)
        self._changed = changed

    def spread_value(self, value):
        return value | self._changed


@pytest.mark.parametrize("name", ["settings", "data"])
def test_other_settings_or_events_than_those_of_rank_0_are_refused(name, monkeypatch):
    job = Job.of(Mixture(events=300), PlainMLP(), Trainer())
    prepared = prepare(job)
    monkeypatch.setattr(ranks_module, "_group", Second())
    Checkpoints(None, job, Stop()).check(prepared)
    monkeypatch.setattr(ranks_module, "_group", Second(**{name: "another"}))
    with pytest.raises(ValueError, match=rf"^{name} must be those of process 0 in all .*; say trainer\.devices=1"):
        Checkpoints(None, job, Stop()).check(prepared)
