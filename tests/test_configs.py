"""Every choice of every group: it composes, it is built, and its file says what its class says."""

from __future__ import annotations

import importlib
from dataclasses import fields

import pytest
import yaml

import hepclf
from hepclf.cli import configs
from hepclf.cli.help import command_help
from hepclf.recipe import MANDATORY, TARGET, build, describe

FILES = [
    *(path for group in (*configs.GROUPS[:4], "cluster") for path in sorted((configs.folder() / group).glob("*.yaml"))),
    configs.folder() / "folds" / "kfold.yaml",
]


def names(path):
    return f"{path.parent.name}/{path.stem}"


def contents(path):
    values = yaml.safe_load(path.read_text().replace("${seed}", "0"))
    module, _, name = values[TARGET].rpartition(".")
    return getattr(importlib.import_module(module), name), values


SAMPLES = [{"name": name, "class": name, "files": "somewhere"} for name in ("background", "signal")]


def filled(values):
    given = {"samples": SAMPLES}
    return {key: given.get(key, "somewhere") if value == MANDATORY else value for key, value in values.items()}


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_choice_begins_with_its_description_and_can_be_built(path):
    assert path.read_text().startswith("# ")
    assert 10 < len(configs.description(path)) < 80
    cls, values = contents(path)
    assert isinstance(build(cls, filled(values), path.parent.name), cls)


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_choice_names_every_setting_of_its_class(path):
    cls, values = contents(path)
    assert set(values) - {TARGET} == {field.name for field in fields(cls)}


MODELS = [f"model/{path.stem}" for path in FILES if path.parent.name == "model" and path.stem != "sklearn"]

SYNTHETIC = [f"data/{name}" for name in ("gw", "mixture", "ising", "strain", "digits")]


@pytest.mark.parametrize("choice", [*SYNTHETIC, "trainer/default", "folds/kfold", *MODELS])
def test_yaml_and_class_agree_on_the_defaults(choice):
    cls, values = contents(configs.folder() / f"{choice}.yaml")
    assert describe(build(cls, values, "x")) == describe(cls())


@pytest.mark.parametrize("path", FILES, ids=names)
def test_every_setting_has_a_line_of_help(path):
    comments = {key: comment for key, (_, comment) in configs.keys(path).items()}
    silent = [key for key, comment in comments.items() if not comment and not comments.get(key.rpartition(".")[0])]
    assert [key for key in silent if not key.endswith("seed")] == []


def test_help_says_how_a_study_is_switched_off_and_nothing_else_of_its_settings():
    lines = command_help("train", ()).splitlines()
    off = [line.split() for line in lines if line.endswith("; null: off") and line.startswith("  evaluation.")]
    assert {word[0] for word in off} >= {f"evaluation.{name}={{...}}" for name in ("importance", "bands", "points")}
    assert [word[0] for word in off if word[0].endswith("seed=0")] == []
    assert "  evaluation.importance.seed=0          random seed" in lines


def test_experiments_are_described_too():
    assert all(configs.choices("experiment").values())


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in ("model", "data")], ids=names)
def test_every_model_and_loader_is_a_public_name(path):
    cls, _ = contents(path)
    assert getattr(hepclf, cls.__name__) is cls


def test_help_shows_the_settings_of_the_folds_though_there_are_none_by_default():
    lines = command_help("train", ()).splitlines()
    assert "settings of folds=kfold" in lines
    assert {"  folds.count=5", "  folds.by=[]"} <= {line[: line.find(" ", 2)] for line in lines}
