from __future__ import annotations

import pytest

from hepclf.cli.sweep_check import MOST, check_values
from hepclf.recipe import RecipeError
from hepclf.workflow.sweep import SweepJob


def jobs(*varied):
    return [
        SweepJob(number, (), dict(word.split("=") for word in named.split())) for number, named in enumerate(varied)
    ]


class Composer:
    """Refuses these settings, and counts how often it was asked."""

    def __init__(self, *refused, kind=RecipeError):
        self.refused, self.kind, self.asked = refused, kind, []

    def __call__(self, job):
        self.asked.append(job.number)
        if job.named in self.refused:
            raise self.kind(job.named)


def test_each_value_is_composed_once_and_not_each_combination():
    composer = Composer()
    check_values(jobs(*(f"a={a} b={b}" for a in range(5) for b in range(10))), composer)
    assert composer.asked == [*range(10), 10, 20, 30, 40]


def test_a_value_that_no_job_can_be_composed_with_is_refused():
    with pytest.raises(RecipeError, match=r"^a=0 b=1$"):
        check_values(jobs("a=0 b=0", "a=0 b=1", "a=1 b=0", "a=1 b=1"), Composer("a=0 b=1", "a=1 b=1"))


def test_a_combination_that_is_wrong_is_left_to_its_job():
    check_values(jobs("a=0 b=0", "a=0 b=1", "a=1 b=0", "a=1 b=1"), Composer("a=0 b=0"))


def test_an_error_that_is_none_of_the_command_is_left_to_its_job():
    check_values(jobs("a=0", "a=1"), Composer("a=0", kind=OSError))


def test_a_sweep_of_one_job_without_lists_is_checked_too():
    with pytest.raises(RecipeError, match=r"^one job$"):
        check_values(jobs(""), Composer("one job"))


def test_a_sweep_of_thousands_of_values_starts_soon():
    composer = Composer()
    check_values(jobs(*(f"seed={seed}" for seed in range(3000))), composer)
    assert len(composer.asked) == MOST


def test_many_values_of_one_setting_do_not_hide_a_wrong_one_of_another():
    pairs = [f"a={a} b={b}" for a in (0, 1) for b in range(1000)]
    with pytest.raises(RecipeError, match=r"^a=1 b=0$"):
        check_values(jobs(*pairs), Composer(*pairs[1000:]))
