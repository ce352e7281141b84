"""Interpolations are bounded before they are resolved."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hepclf.cli.interpolations import COST, LONGEST, check_interpolations
from hepclf.recipe import RecipeError

SHAPES = {
    "a text": "a{i}: ${{a{j}}}${{a{j}}}",
    "a list": "a{i}: ['${{a{j}}}', '${{a{j}}}']",
    "a mapping": "a{i}: {{x: '${{a{j}}}', y: '${{a{j}}}'}}",
    "names in brackets": "a{i}: ${{[a{j}]}}${{[a{j}]}}",
    "relative names": "a{i}: ${{.a{j}}}${{.a{j}}}",
    "a resolver": "a{i}: '${{oc.select:a{j}}}${{oc.select:a{j},b}}'",
}


def chain(shape, steps, first="x"):
    lines = [SHAPES[shape].format(i=step, j=step - 1) for step in range(1, steps + 1)]
    return "\n".join([f"a0: {first}", *lines])


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_chain_that_doubles_is_refused_in_time(shape, order):
    lines = chain(shape, 60).splitlines()[::order]
    with pytest.raises(RecipeError, match=r"^a13 must not be longer than 10 MB once its \$\{\.\.\.\} are filled in"):
        check_interpolations(OmegaConf.create("\n".join(lines)))


def test_a_name_may_hold_a_dash():
    lines = chain("a text", 60).replace("a", "a-").splitlines()
    with pytest.raises(RecipeError, match=r"^a-13 must not be longer"):
        check_interpolations(OmegaConf.create("\n".join(lines)))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_short_chain_is_resolved(shape):
    config = OmegaConf.create(chain(shape, 4))
    check_interpolations(config)
    assert str(OmegaConf.to_container(config, resolve=True)["a4"]).count("x") >= 16


def test_a_long_value_is_not_copied_often():
    text = "x" * (LONGEST // 4)
    check_interpolations(OmegaConf.create({"text": text, "pair": "${text} ${text}"}))
    with pytest.raises(RecipeError, match=r"^five must not be longer"):
        check_interpolations(OmegaConf.create({"text": text, "five": "${text}" * 5}))


def test_many_values_may_name_one_and_a_value_that_names_itself_is_left_to_its_reader():
    check_interpolations(OmegaConf.create({"seed": 1, "seeds": ["${seed}"] * (LONGEST // COST // 2)}))
    check_interpolations(OmegaConf.create({"a": "${b}", "b": "${a}"}))
    check_interpolations(OmegaConf.create({"a": "${gone.x} ${oc.env:HOME} ${b.0}", "b": [1, None]}))


@pytest.mark.parametrize("flags", [(), ("-m",), ("--cfg", "job", "--resolve")])
def test_a_command_refuses_it_in_one_line(flags, hepclf):
    Path("lab/experiment").mkdir(parents=True)
    Path("lab/experiment/mine.yaml").write_text("# @package _global_\n" + chain("a text", 60))
    code, out, err = hepclf("train", "--config-dir", "lab", "experiment=mine", *flags)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("hepclf: a13 must not be longer than 10 MB")
