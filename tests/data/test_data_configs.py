import json
from dataclasses import MISSING, asdict, fields
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from hepclf.data.split import Split

CONFIGS = sorted(Path(__file__).parents[2].joinpath("configs", "data").glob("*.yaml"))
OWN = {"csv", "gw", "higgs", "higgsml", "mixture", "susy"}
FILLED = {"higgs", "higgsml", "susy"}  # with the values of a public dataset


def read(path):
    """The settings of a configuration at seed 0, and the class they are for."""
    settings = yaml.safe_load(path.read_text().replace("${seed}", "0"))
    module, name = settings.pop("_target_").rsplit(".", 1)
    return settings, getattr(import_module(module), name)


@pytest.fixture(params=[path for path in CONFIGS if path.stem in OWN], ids=lambda path: path.stem)
def config(request):
    return request.param


def test_every_loader_has_its_configuration():
    assert {path.stem for path in CONFIGS} >= OWN


def test_the_first_line_describes_the_configuration(config):
    first = config.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert len(first) < 80


def test_every_field_stands_in_the_file_and_nothing_else(config):
    settings, recipe = read(config)
    assert list(settings) == [field.name for field in fields(recipe)]
    assert list(settings["split"]) == [field.name for field in fields(Split)]


def test_one_seed_decides(config):
    text = config.read_text()
    assert text.count("seed: ${seed}") == text.count("seed:")


def test_the_values_are_those_of_the_class(config):
    settings, recipe = read(config)
    required = {field.name: None for field in fields(recipe) if field.default is field.default_factory is MISSING}
    assert all(settings[name] == "???" for name in required)
    defaults = json.loads(json.dumps(asdict(recipe(**(required | dict.fromkeys(required, "a.csv"))))))
    if config.stem not in FILLED:
        assert settings | required == defaults | required


def test_susy_has_the_published_columns_groups_and_split():
    settings, recipe = read(next(path for path in CONFIGS if path.stem == "susy"))
    low, high = settings["groups"]["low"], settings["groups"]["high"]
    assert settings["columns"] == ["label", *low, *high]
    assert (len(low), len(high)) == (8, 10)
    split = Split(**settings.pop("split"))
    assert (split.valid, split.test, split.tail_from) == (0.1, 0.1, 5_000_000)
    assert recipe(**{**settings, "files": "SUSY.csv"}, split=split).features == "all"
