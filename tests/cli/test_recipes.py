"""From plain settings to recipes, and what is refused on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from hepclf import GW, Trainer
from hepclf.cli.recipes import _typed_names, read_recipe, recipe_class, refuse_unknown, seed_of, with_seed
from hepclf.recipe import RecipeError

TRAINER = "hepclf.training.trainer.Trainer"
CSV = "hepclf.data.csv.CSV"


@dataclass(frozen=True)
class Seeded:
    seed: int = 0
    split: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Regrouped:
    RENAMED: ClassVar = {"inner.size": "size"}
    size: int = 1


@dataclass(frozen=True)
class Unseeded:
    events: int = 1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"seed": 7, "split": {"seed": 7}}),
        ({"seed": 1}, {"seed": 1, "split": {"seed": 7}}),
        ({"split": {"seed": 2, "test": 0.5}}, {"seed": 7, "split": {"seed": 2, "test": 0.5}}),
        ({"split": "text"}, {"seed": 7, "split": "text"}),
    ],
)
def test_the_seed_of_the_run_stands_where_none_is_set(settings, expected):
    before = dict(settings)
    assert with_seed(settings, Seeded, 7) == expected
    assert settings == before


def test_a_recipe_without_a_seed_gets_none():
    assert with_seed({"events": 3}, Unseeded, 7) == {"events": 3}


@pytest.mark.parametrize("seed", [None, -1, 1.0, True, "3"])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(RecipeError, match=f"^seed must be a whole number of at least 0, not {seed!r}$"):
        seed_of({"seed": seed})
    assert seed_of({"seed": 0}) == 0


def test_settings_become_the_recipe_that_they_name():
    assert read_recipe({"_target_": TRAINER, "epochs": 3}, "trainer", ()) == Trainer(epochs=3)
    data = read_recipe({"_target_": "hepclf.data.gw.GW"}, "data", (), seed=5)
    assert (type(data), data.seed, data.split.seed) == (GW, 5, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (None, "model must name a recipe in _target_; choose one with model=NAME"),
        ({"epochs": 1}, "model must name a recipe in _target_; choose one with model=NAME"),
        ({"_target_": TRAINER}, f"model._target_={TRAINER} is no recipe of a model: it has no fit"),
        ({"_target_": "os.path.join"}, "model._target_=os.path.join is not a dataclass; a recipe must be one"),
        ({"_target_": "Nothing"}, "model._target_=Nothing is not a dataclass; a recipe must be one"),
        ({"_target_": "hepclf.gone.Gone"}, "model._target_=hepclf.gone.Gone cannot be imported: No module named"),
    ],
)
def test_what_names_no_recipe_is_refused(settings, message):
    with pytest.raises(RecipeError, match=f"^{message}"):
        read_recipe(settings, "model", ())


def test_a_recipe_of_somebody_else_is_not_imported_without_consent():
    with pytest.raises(
        RecipeError, match=r"model names os\.path\.join, which is not part of hepclf, and a stored conf"
    ):
        recipe_class("os.path.join", "model", trusted=False)
    assert recipe_class(TRAINER, "trainer", trusted=False) is Trainer


def test_an_unknown_key_is_refused_with_the_group_that_has_it():
    values = {"trainer": {"epochs": 1}, "epochs": 3}
    with pytest.raises(RecipeError, match=r"^epochs is not a setting; nearest: 'trainer\.epochs'$"):
        refuse_unknown(values, ("trainer", "seed"))
    refuse_unknown({"trainer": {}, "seed": 1}, ("trainer", "seed"))


def test_a_former_name_is_refused_where_it_is_typed():
    settings = {"_target_": CSV, "rows": 100}
    with pytest.raises(RecipeError, match=r"^data\.rows is called data\.max_events now; say data\.max_events=100$"):
        read_recipe(settings, "data", {"data.rows"})
    with pytest.raises(RecipeError, match=r"^data\.rows is called data\.max_events now; say data\.max_events=\.\.\.$"):
        read_recipe({"_target_": CSV, "rows": None}, "data", {"data.rows"})


@pytest.mark.parametrize(
    ("typed", "size"), [((), 5), (("rule.inner.size",), None), (("rule.inner.size", "rule.size"), 5)]
)
def test_a_setting_typed_in_its_former_group_counts_unless_the_present_one_is_typed_too(typed, size):
    settings = {"size": 5}
    assert _typed_names(Regrouped, settings, "rule", typed).get("size") == size
    assert settings == {"size": 5}


def test_a_recipe_inside_a_group_is_chosen_by_its_class():
    with pytest.raises(RecipeError, match=r"choose one with evaluation\.studies\.mine\._target_=MODULE\.CLASS$"):
        read_recipe({}, "evaluation.studies.mine", ())
    with pytest.raises(RecipeError, match=r"choose it yourself with evaluation\.studies\.mine\._target_=my\.Study$"):
        recipe_class("my.Study", "evaluation.studies.mine", trusted=False)
