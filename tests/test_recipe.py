from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from hepclf.recipe import RecipeError, build, describe


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1

    def __post_init__(self):
        if self.size < 0:
            raise ValueError(f"size must be at least 0, not {self.size}")


@dataclass(frozen=True, kw_only=True)
class Outer:
    files: str | tuple[str, ...]
    rate: float = 0.1
    count: int | None = None
    flag: bool = False
    kind: Literal["a", "b"] = "a"
    widths: tuple[int, ...] = (1, 2)
    pair: tuple[float, float] = (0.0, 1.0)
    sizes: Mapping[str, float] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)
    parts: Mapping[str, tuple[Inner, ...]] = field(default_factory=dict)
    threshold: float | Literal["best"] = 0.5


def test_values_become_the_annotated_types():
    recipe = build(
        Outer,
        {
            "files": ["a", "b"],
            "rate": 1,
            "count": None,
            "kind": "b",
            "widths": [3],
            "sizes": {"x": 2},
            "inner": {"size": 4},
            "parts": {"p": [{"size": 1}, {}]},
            "threshold": "best",
        },
        "data",
    )
    assert recipe.files == ("a", "b")
    assert (recipe.rate, type(recipe.rate)) == (1.0, float)
    assert (recipe.widths, recipe.sizes, recipe.inner) == ((3,), {"x": 2.0}, Inner(size=4))
    assert recipe.parts == {"p": (Inner(size=1), Inner(size=1))}
    assert recipe.threshold == "best"
    assert build(Outer, {"files": "one"}, "data").files == "one"


def test_describe_and_build_are_inverse():
    recipe = Outer(files=("a",), sizes={"x": 1.0}, parts={"p": (Inner(size=3),)})
    assert build(Outer, describe(recipe), "data") == recipe


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rates": 1}, r"data\.rates is not a setting of Outer; nearest: 'rate'"),
        ({"rate": "fast"}, r"data\.rate must be a number, not 'fast'"),
        ({"rate": True}, r"data\.rate must be a number, not True"),
        ({"count": 1.5}, r"data\.count must be a whole number or null, not 1\.5"),
        ({"flag": 1}, r"data\.flag must be true or false, not 1"),
        ({"kind": "c"}, r"data\.kind must be one of a, b, not 'c'"),
        ({"widths": 3}, r"data\.widths must be a list, each a whole number, not 3"),
        ({"widths": [1, "x"]}, r"data\.widths\[1\] must be a whole number, not 'x'"),
        ({"pair": [1.0]}, r"data\.pair must be a list"),
        ({"sizes": [1]}, r"data\.sizes must be a mapping of names, each to a number"),
        ({"sizes": {"x": "y"}}, r"data\.sizes\.x must be a number, not 'y'"),
        ({"inner": {"size": -1}}, r"data\.inner\.size must be at least 0, not -1"),
        ({"inner": {"sise": 1}}, r"data\.inner\.sise is not a setting of Inner; nearest: 'size'"),
        ({"inner": 3}, r"data\.inner must be a group of settings, not 3"),
        ({"parts": {"p": [{"sise": 1}]}}, r"data\.parts\.p\[0\]\.sise is not a setting"),
        ({"files": "???"}, r"data\.files must be given; say data\.files=\.\.\."),
        ({"threshold": "most"}, r"data\.threshold must be a number or best, not 'most'"),
    ],
)
def test_a_wrong_value_is_named_with_its_path_its_rule_and_itself(values, message):
    with pytest.raises(RecipeError, match=message):
        build(Outer, {"files": "x", **values}, "data")


def test_a_setting_without_default_must_be_given():
    with pytest.raises(RecipeError, match=r"data\.files must be given"):
        build(Outer, {}, "data")
    with pytest.raises(RecipeError, match="data must be a group of settings, not 5"):
        build(Outer, 5, "data")


@dataclass(frozen=True, kw_only=True)
class Kind:
    class_: str
    lambda_: float = 1.0
    plain_: int = 0


def test_a_key_that_python_keeps_for_itself_is_a_field_with_an_underscore():
    recipe = build(Kind, {"class": "signal", "lambda": 2, "plain_": 3}, "data")
    assert recipe == Kind(class_="signal", lambda_=2.0, plain_=3)
    described = describe(recipe)
    assert list(described)[1:] == ["class", "lambda", "plain_"]
    assert build(Kind, described, "data") == recipe


def test_its_errors_say_the_key_and_not_the_field():
    with pytest.raises(RecipeError, match=r"data\.class must be given; say data\.class="):
        build(Kind, {}, "data")
    with pytest.raises(RecipeError, match=r"data\.class must be text, not 3"):
        build(Kind, {"class": 3}, "data")
    with pytest.raises(RecipeError, match=r"data\.class_ is not a setting of Kind; nearest: 'class'"):
        build(Kind, {"class_": "signal"}, "data")
