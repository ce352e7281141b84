"""The space of a search: what it holds, its corners, its grid and its plain form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hepclf.recipe import RecipeError
from hepclf.search.space import Choice, Float, Integer, Space

MODEL = Choice(name="model", options=("mlp", "bdt"))
DROPOUT = Float(name="dropout", key="model.dropout", low=0.0, high=0.5, where={"model": ("mlp",)})
LEAVES = Integer(name="leaves", key="model.leaves", low=7, high=30, step=8, where={"model": ("bdt",)})
HIDDEN = Choice(name="hidden", key="model.hidden", options=([64], [64, 64]), where={"model": ("mlp",)})
SPACE = Space((MODEL, DROPOUT, LEAVES, HIDDEN))


def test_its_plain_form_is_read_back():
    assert Space.read(SPACE.describe()) == SPACE


def test_a_parameter_is_there_only_where_its_choice_is_made():
    assert SPACE.present(DROPOUT, {"model": "mlp"})
    assert not SPACE.present(DROPOUT, {"model": "bdt"})
    assert not SPACE.present(DROPOUT, {})


def test_the_point_of_settings_leaves_out_what_does_not_lie_in_the_space():
    settings = {"model": "mlp", "model.dropout": 0.9, "model.hidden": [64, 64], "model.leaves": 15}
    assert SPACE.point(settings) == {"model": "mlp", "hidden": [64, 64]}
    assert SPACE.settings(SPACE.point(settings)) == {"model": "mlp", "model.hidden": [64, 64]}


def test_the_corners_hold_every_end_of_every_parameter():
    corners = list(SPACE.corners())
    assert {"model": "mlp", "dropout": 0.0, "hidden": [64]} in corners
    assert {"model": "mlp", "dropout": 0.5, "hidden": [64]} in corners
    assert {"model": "mlp", "dropout": 0.0, "hidden": [64, 64]} in corners
    assert {"model": "bdt", "leaves": 23} in corners
    inside = {corner["dropout"] for corner in corners if "dropout" in corner} - {0.0, 0.5}
    assert [0 < value < 0.5 and value != 0.25 for value in inside] == [True]
    assert len(corners) == 6


def test_a_grid_holds_each_point_once_and_leaves_out_what_is_not_there():
    space = Space((MODEL, LEAVES, HIDDEN))
    assert list(space.grid()) == [
        {"model": "mlp", "hidden": [64]},
        {"model": "mlp", "hidden": [64, 64]},
        {"model": "bdt", "leaves": 7},
        {"model": "bdt", "leaves": 15},
        {"model": "bdt", "leaves": 23},
    ]
    with pytest.raises(RecipeError, match="dropout must be a choice or a range in a grid, not an interval"):
        list(SPACE.grid())


@given(some.integers(-50, 50), some.integers(0, 99), some.integers(1, 12))
def test_whole_numbers_are_those_of_their_steps(low, width, step):
    parameter = Integer(name="x", low=low, high=low + width, step=step)
    assert parameter.values == tuple(value for value in range(low, low + width + 1, step))
    assert all(map(parameter.holds, parameter.values))
    assert not parameter.holds(float(low))
    assert not parameter.holds(low + width + step)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Float, {"low": 1.0, "high": 0.0}, "x must lie between two numbers, the lower first, not 1.0 and 0.0"),
        (Float, {"low": 0.0, "high": float("inf")}, "x must lie between two numbers"),
        (Float, {"low": 0.0, "high": 1.0, "log": True}, r"x must be positive where tag\(log, ...\) is used, not 0.0"),
        (Integer, {"low": 1, "high": 9, "step": 0}, "x must have steps of at least 1, not 0"),
        (Integer, {"low": 1, "high": 9, "step": 2, "log": True}, "x must have either steps or tag"),
        (Choice, {"options": ()}, "x must have one value or more"),
    ],
)
def test_what_no_search_can_use_is_refused(kind, settings, message):
    with pytest.raises(RecipeError, match=message):
        kind(name="x", **settings)


def test_names_are_unique_and_stand_behind_what_they_depend_on():
    with pytest.raises(RecipeError, match="model is twice in the space"):
        Space((MODEL, MODEL))
    with pytest.raises(RecipeError, match="dropout depends on model, which does not stand before it"):
        Space((DROPOUT, MODEL))


def test_true_is_no_number_and_one_is_not_true():
    assert not Choice(name="x", options=(1, 2)).holds(True)
    assert not Float(name="x", low=0.0, high=2.0).holds(True)
    assert Choice(name="x", options=(True, None)).holds(None)


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(RecipeError, match=r"space.x must have a kind of float, integer, choice, not 'normal'"):
        Space.read({"x": {"kind": "normal"}})
