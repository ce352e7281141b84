from __future__ import annotations

import time

from hepclf.training.epoch import Epoch, Stopping, Timed


class Heard(list):
    def stage(self, name):
        self.append(name)

    def read(self, done, total):
        self.append((done, total))

    def epoch(self, epoch, total, events):
        self.append((epoch, total, events))


def test_each_stage_has_its_own_time_and_all_is_passed_on(monkeypatch):
    clock = iter([1.0, 3.0, 3.5, 10.5])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    heard, epoch = Heard(), Epoch(1, 0.5, 0.5, 0.1, 1.0)
    timed = Timed(heard)
    timed.stage("training")
    timed.read(3, 4)
    timed.epoch(epoch, 2, 100)
    timed.stage("scoring")
    timed.close()
    timed.close()
    assert timed.seconds == {"training": 2.0, "scoring": 7.0}
    assert heard == ["training", (3, 4), (epoch, 2, 100), "scoring"]


def test_stopping_waits_for_patience_epochs_without_a_better_loss():
    stopping = Stopping(2)
    assert [stopping.done(loss) for loss in (1.0, 0.9, 0.95, 0.89, 0.9, 0.89)] == [False] * 5 + [True]
    never = Stopping(None)
    assert not any(never.done(1.0) for _ in range(100))
