from __future__ import annotations

from threading import Event, current_thread, main_thread

import pytest

from hepclf.training.ahead import ahead


def test_values_come_in_their_order_from_another_thread():
    threads = []
    assert list(ahead(threads.append(current_thread()) or number for number in range(5))) == [0, 1, 2, 3, 4]
    assert main_thread() not in threads
    assert list(ahead(iter(()))) == []


def test_the_next_value_is_computed_while_the_caller_has_the_first():
    is_begun = [Event() for _ in range(3)]

    def values():
        for event in is_begun:
            event.set()
            yield event

    reading = ahead(values())
    next(reading)
    assert is_begun[1].wait(10)
    assert not is_begun[2].is_set()
    reading.close()
    assert not is_begun[2].is_set()


def test_an_error_reaches_the_caller_after_the_values_before_it():
    def values():
        yield 1
        raise OSError("the disk is gone")

    reading = ahead(values())
    assert next(reading) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(reading)
