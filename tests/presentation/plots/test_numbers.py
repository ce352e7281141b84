from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from hepclf.presentation.plots.numbers import write_numbers
from hepclf.presentation.plots.picture import Series

NAMES = ("t$t_bar<script>", '"Z→νν": {', "- no, yes: 'x'", "\u2028\x07é", '😀 "\\ud83d')


@pytest.fixture
def curves():
    """Two series of different columns, with a value and an error that could not be had."""
    first = {
        "x": np.array([0.1, 1e-7, 1e22]),
        "y": np.array([1, 2, np.nan]),
        "y_error": np.array([0.5, np.nan, np.nan]),
    }
    return (Series("one", first), Series("two", {"x": [3.0], "z": [-4.5]}))


def table(stem):
    """The HEPData table as its variables by name."""
    data = yaml.safe_load(Path(f"{stem}.yaml").read_text())
    every = data["independent_variables"] + data["dependent_variables"]
    return data, {variable["header"]["name"]: variable["values"] for variable in every}


def test_the_csv_is_a_tidy_table(curves):
    write_numbers(Path(), "roc", curves)
    data = pd.read_csv("roc.csv")
    assert list(data.columns) == ["series", "x", "y", "y_error", "z"]
    assert list(data["series"]) == ["one"] * 3 + ["two"]
    np.testing.assert_array_equal(data["x"], [0.1, 1e-7, 1e22, 3.0])
    np.testing.assert_array_equal(data["z"], [np.nan] * 3 + [-4.5])


def test_the_json_has_null_where_nothing_could_be_had(curves):
    write_numbers(Path(), "roc", curves)
    first, second = json.loads(Path("roc.json").read_text())["series"]
    assert first == {
        "name": "one",
        "columns": {"x": [0.1, 1e-7, 1e22], "y": [1.0, 2.0, None], "y_error": [0.5, None, None]},
    }
    assert second == {"name": "two", "columns": {"x": [3.0], "z": [-4.5]}}


def test_the_yaml_is_one_table_of_hepdata(curves):
    write_numbers(Path(), "roc", curves)
    data, by_name = table("roc")
    assert [variable["header"]["name"] for variable in data["independent_variables"]] == ["series", "x"]
    assert [variable["header"]["name"] for variable in data["dependent_variables"]] == ["y", "z"]
    assert [value["value"] for value in by_name["x"]] == [0.1, 1e-7, 1e22, 3.0]
    assert by_name["y"] == [
        {"value": 1.0, "errors": [{"symerror": 0.5}]},
        {"value": 2.0},
        {"value": "-"},
        {"value": "-"},
    ]
    assert len({len(values) for values in by_name.values()}) == 1


def test_bins_are_bins_in_hepdata():
    columns = {"low": [0.0, 0.5], "high": [0.5, 1.0], "density": [2.0, 0.0], "density_error": [0.1, 0.2]}
    write_numbers(Path(), "scores", [Series("signal", columns)])
    _, by_name = table("scores")
    assert by_name["bin"] == [{"low": 0.0, "high": 0.5}, {"low": 0.5, "high": 1.0}]
    assert by_name["density"][1] == {"value": 0.0, "errors": [{"symerror": 0.2}]}
    assert "series" not in by_name


@pytest.mark.parametrize("name", NAMES)
def test_any_name_survives_all_three(name):
    write_numbers(
        Path(), "any", [Series(name, {"process": [name], name: [1.5]}), Series("b", {"process": ["c"], name: [2]})]
    )
    assert pd.read_csv("any.csv")["series"][0] == name
    assert json.loads(Path("any.json").read_text())["series"][0]["columns"]["process"] == [name]
    _, by_name = table("any")
    assert by_name["series"][0] == by_name["process"][0] == {"value": name}
    assert by_name[name] == [{"value": 1.5}, {"value": 2}]


def test_numbers_are_the_same_in_all_three():
    values = np.random.default_rng(1).lognormal(0, 30, 200) * np.where(np.arange(200) % 2, -1, 1)
    write_numbers(Path(), "same", [Series("", {"x": values, "y": values})])
    _, by_name = table("same")
    from_yaml = [value["value"] for value in by_name["y"]]
    assert from_yaml == json.loads(Path("same.json").read_text())["series"][0]["columns"]["y"]
    assert from_yaml == list(pd.read_csv("same.csv")["y"])
    np.testing.assert_allclose(from_yaml, values, rtol=1e-7)


def test_an_error_of_zero_is_none():
    write_numbers(Path(), "zero", [Series("", {"x": [0.0, 1.0], "y": [0.0, 2.0], "y_error": [0.0, 0.5]})])
    _, by_name = table("zero")
    assert by_name["y"] == [{"value": 0.0}, {"value": 2.0, "errors": [{"symerror": 0.5}]}]
    assert pd.read_csv("zero.csv")["y_error"].isna().tolist() == [True, False]


def test_a_picture_without_numbers_has_no_files_of_them():
    assert write_numbers(Path(), "none", ()) == []
    assert list(Path().iterdir()) == []
