"""A step is taken only when it is asked for, and nothing is left behind."""

from __future__ import annotations

import _thread
import threading

import pytest

from hepclf.models.stepped import stepped


@pytest.fixture(autouse=True)
def _no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def counting(done, steps=3):
    def work(report):
        for step in range(steps):
            done.append(step)
            if not report(step):
                done.append("left")
                return

    return work


def test_each_step_waits_until_it_is_asked_for():
    done = []
    steps = stepped(counting(done))
    assert done == []
    for step in range(3):
        assert next(steps) == step
        assert done == list(range(step + 1))
    assert list(steps) == []


def test_leaving_tells_the_work_to_end():
    done = []
    steps = stepped(counting(done))
    next(steps)
    steps.close()
    assert done == [0, "left"]


def test_an_iterator_that_is_dropped_ends_the_work():
    done = []
    for _ in stepped(counting(done)):
        break
    assert done == [0, "left"]


def test_one_that_is_never_asked_never_starts():
    done = []
    steps = stepped(counting(done))
    steps.close()
    assert done == []


def test_an_error_of_the_work_is_raised_where_the_caller_waits():
    def work(report):
        report(1)
        raise ZeroDivisionError("in the second step")

    steps = stepped(work)
    assert next(steps) == 1
    with pytest.raises(ZeroDivisionError, match="in the second step"):
        next(steps)
    assert list(steps) == []


def test_work_that_does_not_listen_still_ends():
    def work(report):
        for step in range(5):
            report(step)

    assert next(stepped(work)) == 0


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_waiting_ends_the_work():
    done = []

    def work(report):
        _thread.interrupt_main()
        for step in range(1000):
            if not report(step):
                done.append("left")
                return

    with pytest.raises(KeyboardInterrupt):
        list(stepped(work))
    assert done == ["left"]
