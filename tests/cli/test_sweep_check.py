from __future__ import annotations

import pytest

from hepclf.cli.config import composed, composing, hydra_words
from hepclf.cli.sweep_check import MOST, SettingCheck, check_values
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


def never(key, text):
    return False


def test_each_value_is_composed_once_and_not_each_combination():
    composer = Composer()
    check_values(jobs(*(f"a={a} b={b}" for a in range(5) for b in range(10))), composer, never)
    assert composer.asked == [*range(10), 10, 20, 30, 40]


def test_a_value_that_no_job_can_be_composed_with_is_refused():
    with pytest.raises(RecipeError, match=r"^a=0 b=1$"):
        check_values(jobs("a=0 b=0", "a=0 b=1", "a=1 b=0", "a=1 b=1"), Composer("a=0 b=1", "a=1 b=1"), never)


def test_a_combination_that_is_wrong_is_left_to_its_job():
    check_values(jobs("a=0 b=0", "a=0 b=1", "a=1 b=0", "a=1 b=1"), Composer("a=0 b=0"), never)


def test_an_error_that_is_none_of_the_command_is_left_to_its_job():
    check_values(jobs("a=0", "a=1"), Composer("a=0", kind=OSError), never)


def test_a_sweep_of_one_job_without_lists_is_checked_too():
    with pytest.raises(RecipeError, match=r"^one job$"):
        check_values(jobs(""), Composer("one job"), never)


def test_a_sweep_of_thousands_of_values_starts_soon():
    composer = Composer()
    check_values(jobs(*(f"seed={seed}" for seed in range(3000))), composer, lambda _, text: text != "2000")
    assert composer.asked == [*range(MOST), 2000]


def test_many_values_of_one_setting_do_not_hide_a_wrong_one_of_another():
    pairs = [f"a={a} b={b}" for a in (0, 1) for b in range(1000)]
    with pytest.raises(RecipeError, match=r"^a=1 b=0$"):
        check_values(jobs(*pairs), Composer(*pairs[1000:]), never)


@pytest.fixture
def setting_check():
    """The check of single settings after one job of ordinary settings."""
    with composing("train", ["data=mixture", "model=mlp_plain"]) as hydra:
        words = ["data=mixture", "model=mlp_plain", "++model.dropout=0.1", "++model.init_width=${trainer.batch}"]
        check = SettingCheck(lambda _: composed(hydra.config(hydra_words("train", words)[1])))
        assert not check.is_fine("seed", "1")  # nothing is known yet
        check.compose(SweepJob(0, (), {}))
        yield check


@pytest.mark.parametrize(
    ("key", "value", "is_fine"),
    [
        ("seed", "3", True),
        ("seed", "-3", False),
        ("seed", "three", False),
        ("model.dropout", "0.3", True),
        ("model.dropout", "1.5", False),
        ("model.dropout", "${seed}", False),
        ("model.drop", "0.3", False),
        ("trainer.batch", "64", False),  # model.init_width takes it over
        ("trainer.epochs", "3", True),
        ("trainer.epochs", "0", False),
        ("data.split.seed", "5", True),
        ("model", "mlp", False),  # only a whole job can tell
        ("name", "a", False),
    ],
)
def test_a_setting_is_checked_against_its_recipe_alone(setting_check, key, value, is_fine):
    assert setting_check.is_fine(key, value) is is_fine


def test_of_a_thousand_values_the_last_wrong_one_is_found(hepclf):
    values = ",".join(map(str, (*range(1000, 1100), 0)))
    code, _, err = hepclf("train", "-m", "data=mixture", "model=logistic", f"trainer.epochs={values}", "folder=sweep")
    assert code == 2
    assert "trainer.epochs must be at least 1, not 0" in " ".join(err.split())
