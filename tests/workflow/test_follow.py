"""The ranks that follow: they stop at once where their settings or events are not those of rank 0."""

from __future__ import annotations

import pytest

from hepclf import Mixture, PlainMLP, Trainer
from hepclf.run import Stopped
from hepclf.training import ranks as ranks_module
from hepclf.training.ranks import Halt, Ranks
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


def test_a_rank_stops_where_another_does_and_waits_for_its_checkpoint(monkeypatch):
    waits = []
    ranks = Second()
    monkeypatch.setattr(ranks, "agree", lambda halt: halt or Halt("SIGUSR1", is_stop=True))
    monkeypatch.setattr(ranks, "wait", lambda: waits.append("rank 0"))
    monkeypatch.setattr(ranks_module, "_group", ranks)
    checkpoints = Checkpoints(None, Job.of(Mixture(events=300), PlainMLP(), Trainer()), Stop())
    with pytest.raises(Stopped, match="stopped by SIGUSR1 after 0 epochs"):
        checkpoints.edge(object(), [])
    assert waits == ["rank 0"]
