"""Settings by their names: former ones, and the folder that names of files start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hepclf import CSV
from hepclf.recipe import RecipeError, build, describe

ROWS = "label,pt,eta\n" + "".join(f"{i % 2},{i * 37 % 91}.5,{i * 17 % 83 / 20}\n" for i in range(80))
LEAN = ("evaluation.bands=null", "evaluation.importance=null", "evaluation.report=false")
QUICK = ("model=logistic", "trainer.epochs=1", "evaluation.plots=false", *LEAN)


@pytest.fixture(autouse=True)
def _table():
    Path("a.csv").write_text(ROWS)


def events(folder="runs/latest"):
    """How many events a run read."""
    counts = json.loads(Path(folder, "metrics.json").read_text())
    return sum(counts[split]["events"] for split in ("train", "valid", "test"))


def stored_with_rows(hepclf, rows):
    """A run of before, whose limit was called rows."""
    code, _, err = hepclf("train", "data=csv", "data.files=a.csv", *QUICK)
    assert code == 0, err
    path = next(Path("runs/csv-logistic").iterdir()) / "config.yaml"
    config = yaml.safe_load(path.read_text())
    assert config["data"].pop("max_events") is None
    config["data"]["rows"] = rows
    path.write_text(yaml.safe_dump(config))
    return path.parent


@pytest.mark.parametrize("command", ["train", "inspect"])
def test_a_former_name_that_is_typed_shows_the_line_with_the_new_one(hepclf, command):
    code, _, err = hepclf(command, "data=csv", "data.files=a.csv", "data.rows=60")
    assert code == 2
    assert err == "hepclf: data.rows is called data.max_events now; say data.max_events=60\n"


def test_a_stored_run_keeps_the_limit_that_it_had_under_the_former_name(hepclf):
    run = stored_with_rows(hepclf, 60)
    code, _, err = hepclf("train", f"again={run}")
    assert code == 0, err
    assert yaml.safe_load(Path("runs/latest/config.yaml").read_text())["data"]["max_events"] == 60
    code, _, err = hepclf("train", f"again={run}", "data.max_events=70")
    assert code == 0, err
    assert yaml.safe_load(Path("runs/latest/config.yaml").read_text())["data"]["max_events"] == 70
    code, _, err = hepclf("train", f"again={run}", "data.rows=70")
    assert (code, err) == (2, "hepclf: data.rows is called data.max_events now; say data.max_events=70\n")


def test_a_file_of_settings_may_have_the_former_name_or_the_new_one_but_not_both(hepclf):
    Path("lab/data").mkdir(parents=True)
    for text, code in (("rows: 60", 0), ("max_events: 60", 0), ("rows: 60\nmax_events: 70", 2)):
        Path("lab/data/mine.yaml").write_text(f"# mine\n_target_: hepclf.data.csv.CSV\nfiles: a.csv\n{text}\n")
        found, out, err = hepclf("inspect", "--config-dir", "lab", "data=mine", "--json")
        assert found == code, err
        assert (json.loads(out)["events"] == 60) if code == 0 else "data.rows is called max_events now, and both" in err


def test_former_names_are_read_wherever_a_recipe_is_built():
    assert build(CSV, {"files": "a.csv", "rows": 5}, "data") == CSV(files="a.csv", max_events=5)
    assert build(CSV, {"files": "a.csv", "rows": None, "max_events": 3}, "data").max_events == 3
    assert "rows" not in describe(CSV(files="a.csv"))
    with pytest.raises(RecipeError, match=r"x\.rows is called max_events now, and both are set; drop rows"):
        build(CSV, {"files": "a.csv", "rows": 5, "max_events": 3}, "x")


def cut(folder):
    return json.loads(Path(folder, "metrics.json").read_text())["test"]["significance"]["cut"]


def test_constants_of_measures_keep_their_former_key_in_commands_and_stored_runs(hepclf):
    """The same cut by the key of today, by the former key, and from a run as it was stored before."""
    few = ("data.signals=800", "data.noise=2400")
    command = ("train", "data=gw", *few, *QUICK, "evaluation.optimise=punzi", "evaluation.minimum_background=1")
    for name, key in (("new", "evaluation.punzi_sigmas=0"), ("old", "evaluation.counting.punzi_sigmas=0")):
        code, _, err = hepclf(*command, key, f"name={name}", "evaluation.counting.luminosity_fb=10")
        assert code == 0, err
    new, old = (next(Path(f"runs/{name}").iterdir()) for name in ("new", "old"))
    assert json.loads((new / "metrics.json").read_text()) == json.loads((old / "metrics.json").read_text())
    config = yaml.safe_load((old / "config.yaml").read_text())
    assert config == yaml.safe_load((new / "config.yaml").read_text())
    for name in ("punzi_sigmas", "ams_background", "off_exposure"):
        config["evaluation"]["counting"][name] = config["evaluation"].pop(name)
    (old / "config.yaml").write_text(yaml.safe_dump(config))

    for run, folder in ((new, "today"), (old, "before")):
        assert hepclf("evaluate", f"run={run}", f"out={folder}")[0] == 0
    assert json.loads(Path("before/metrics.json").read_text()) == json.loads(Path("today/metrics.json").read_text())
    assert cut("before") == cut(new)
    assert hepclf("evaluate", f"run={old}", "out=bare", "evaluation.counting=null", "evaluation.plots=false")[0] == 0
    assert cut("bare") == cut(new)
    for folder, key in (("a", "evaluation.punzi_sigmas=100"), ("b", "evaluation.counting.punzi_sigmas=100")):
        assert hepclf("evaluate", f"run={old}", f"out={folder}", key)[0] == 0
    assert cut("a") == cut("b") != cut(new)


def test_names_of_files_start_from_the_folder_of_the_command_or_from_the_one_that_is_said(
    hepclf, tmp_path, monkeypatch
):
    Path("tables/deep").mkdir(parents=True)
    Path("a.csv").rename("tables/a.csv")
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text("# mine\n_target_: hepclf.data.csv.CSV\nfiles: a.csv\n")
    command = ("train", "--config-dir", str(tmp_path / "lab"), "data=mine", *QUICK)
    code, _, err = hepclf(*command)
    assert (code, "file 'a.csv' does not exist" in err) == (1, True)
    code, _, err = hepclf(*command, f"data.root={tmp_path}/tables")
    assert code == 0, err
    monkeypatch.chdir("tables")
    assert hepclf(*command)[0] == 0  # not from the folder of the YAML file
    monkeypatch.chdir("deep")
    assert hepclf("train", "again=../runs/latest")[0] == 1
    assert hepclf("train", f"again={tmp_path}/runs/latest")[0] == 0  # its root is absolute
    assert hepclf("train", "again=../runs/latest", "data.root=..")[0] == 0


@pytest.mark.parametrize(
    ("words", "sigmas"), [((), 3.0), (("evaluation.punzi_sigmas=5",), 5.0), (("evaluation.punzi_sigmas=4",), 4.0)]
)
def test_what_is_typed_wins_over_a_former_key_in_a_file_of_settings(hepclf, words, sigmas):
    Path("lab/evaluation").mkdir(parents=True)
    Path("lab/evaluation/old.yaml").write_text("defaults: [default]\ncounting: {punzi_sigmas: 3.0}\n")
    code, _, err = hepclf(
        "train", "--config-dir", "lab", "data=csv", "data.files=a.csv", *QUICK, "evaluation=old", *words
    )
    assert code == 0, err
    assert yaml.safe_load(Path("runs/latest/config.yaml").read_text())["evaluation"]["punzi_sigmas"] == sigmas
