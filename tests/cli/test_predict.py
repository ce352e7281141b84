from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import uproot

from hepclf import Evaluation, Events, Logistic, Prediction, Trainer, train
from hepclf.cli import configs

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    events = Events(features=np.arange(300.0)[:, None], labels=np.arange(300) % 2, names=("x0",))
    train(events, Logistic(), Trainer(epochs=1), SCORES_ONLY, folder=folder)
    return folder


@pytest.fixture(autouse=True)
def _files(trained_once):
    copytree(trained_once, "run")
    for folder, events in {"n/a": 1000, "n/b": 2000}.items():
        Path(folder).mkdir(parents=True)
        with uproot.recreate(f"{folder}/[b]x.root") as file:
            values = {"x0": np.linspace(-1, 1, events), "event": np.arange(events)}
            file.mktree("t", {name: column.dtype for name, column in values.items()}).extend(values)


def test_the_file_of_settings_has_a_line_of_help_for_each_of_them():
    path = configs.folder() / "predict.yaml"
    keys = configs.keys(path)
    assert set(keys) == {"run", "trust", *(field.name for field in fields(Prediction))}
    assert all(comment for _, comment in keys.values())
    defaults = Prediction(files="x")
    for field in fields(Prediction):
        if field.name != "files":
            assert keys[field.name][0] == (list(value) if (value := getattr(defaults, field.name)) == () else value)


def test_scores_are_written_and_a_table_says_so_within_80_columns(hepclf):
    code, out, err = hepclf(
        "predict", "run=run", "files='n/*/*.root'", "selection='x0 > 0'", "columns=[event]", "out=o"
    )
    assert code == 0, err
    lines = out.splitlines()
    assert lines[2].split() == ["a/[b]x.root", "1,000", "500", "written"]
    assert lines[3].split() == ["b/[b]x.root", "2,000", "1,000", "written"]
    assert lines[4].split() == ["2", "files", "3,000", "1,500"]
    assert "2 of 2 files scored, 3,000 events in " in out
    assert "they are in o" in out
    assert max(map(len, lines)) <= 80
    reader = next(line for line in lines if "uproot" in line).split(" = ")[1]
    assert reader == 'uproot.open("o/a/[b]x.root")["scores"].arrays()'
    with uproot.open(Path("o/a/[b]x.root")) as file:
        assert file["scores"].keys() == ["event", "score"]


def test_an_existing_file_with_brackets_in_its_name_is_scored(hepclf):
    code, _, err = hepclf("predict", "run=run", "files='n/a/[b]x.root'", "out=o")
    assert code == 0, err
    assert Path("o/[b]x.root").is_file()


def test_what_is_there_already_is_said(hepclf):
    hepclf("predict", "run=run", "files=n/a/*.root", "out=o/a")
    code, out, _ = hepclf("predict", "run=run", "files=n/*/*.root", "out=o")
    assert code == 0
    assert "1 of 2 files were there already" in out
    assert "1 of 2 files scored, 2,000 events" in out


def test_files_that_were_left_out_are_named(hepclf):
    Path("n/a/bad.root").write_text("no ROOT file")
    code, out, err = hepclf("predict", "run=run", "files=n/a/*.root", "out=o")
    assert (code, out) == (1, "")
    assert err.startswith("hepclf: n/a/bad.root cannot be read: ")
    assert err.count("\n") == 1
    code, out, _ = hepclf("predict", "run=run", "files=n/a/*.root", "out=o", "on_bad_file=skip")
    assert code == 0
    assert "left out: n/a/bad.root cannot be read: " in out


def test_many_files_are_one_line(hepclf, monkeypatch):
    monkeypatch.setattr("hepclf.cli.predict.MOST_LISTED", 1)
    _, out, _ = hepclf("predict", "run=run", "files=n/*/*.root", "out=o")
    assert "a/[i]x" not in out.split("they are in")[0]
    assert "2 files" in out


@pytest.mark.parametrize("kind", ["copy", "parquet", "npz", "csv"])
def test_every_kind_says_how_it_is_read(hepclf, kind):
    _, out, _ = hepclf("predict", "run=run", "files=n/a/*.root", "out=o", f"output={kind}")
    line = out.splitlines()[-1]
    readers = {"copy": "uproot.open", "parquet": "pandas.read_parquet", "npz": "numpy.load", "csv": "pandas.read_csv"}
    assert readers[kind] in line
    assert "AddFriend" not in out


def test_progress_is_a_line_now_and_then_in_a_log(hepclf, monkeypatch):
    monkeypatch.setattr("hepclf.cli.terminal.EVERY", -1.0)
    _, _, err = hepclf("predict", "run=run", "files=n/*/*.root", "out=o")
    assert "scoring 3,000/3,000: " in err
    assert "events/s" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "run must be given; say run=DIR"),
        (["run=run"], "files must be given; say files=..."),
        (["run=run", "a.root"], "'a.root' is not key=value; say files=a.root"),
        (["run=run", "files=a", "fil=1"], "fil is not a setting of Prediction; nearest: 'fill', 'files'"),
        (
            ["run=run", "files=a", "output=json"],
            "output must be one of friend, copy, parquet, npz, csv or null, not 'json'",
        ),
        (["run=run", "files=a", "shard=3/2"], "shard must be i/N with i from 1 to N, not 3/2"),
        (["run=run", "files=a", "chunk=0"], "chunk must be at least 1, not 0"),
    ],
)
def test_a_command_that_is_wrong_says_why(hepclf, words, said):
    code, _, err = hepclf("predict", *words)
    assert code == 2
    assert err.startswith(f"hepclf: {said}")
    assert err.count("\n") == 1


def test_a_run_that_is_none_says_so(hepclf):
    code, _, err = hepclf("predict", "run=nowhere", "files=n/a/*.root")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("hepclf: there is no run nowhere; ")


def test_columns_and_selection_are_written_as_the_page_says(hepclf):
    code, _, err = hepclf(
        "predict", "run=run", "files='n/a/*.root'", "columns={twice: 2 * x0}", "selection='isfinite(x0)'", "out=o"
    )
    assert code == 0, err
    (written,) = Path("o").glob("**/*.root")
    with uproot.open(written) as file:
        found = file["scores"].arrays(library="np")
    np.testing.assert_allclose(found["twice"], 2 * np.linspace(-1, 1, 1000), rtol=1e-6)
    code, _, err = hepclf("predict", "run=run", "files='n/a/*.root'", "columns=[event]", "out=p")
    assert code == 0, err
