"""Declared missing values from the command line: what inspect advises is typed, trained with, and exported."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml

ROWS = 900


def table():
    rng = np.random.default_rng(5)
    signal = np.arange(ROWS) % 2
    columns = {"x": rng.normal(signal), "mjj": rng.normal(90, 30, ROWS), "charge": rng.integers(-8, 9, ROWS) / 1.0}
    columns["mjj"][rng.random(ROWS) < 0.3] = -999
    return {**columns, "signal": signal}


@pytest.fixture
def files():
    columns = table()
    with uproot.recreate("t.root") as file:
        file.mktree("t", {name: column.dtype for name, column in columns.items()}).extend(columns)
    np.savez("t.npz", **columns)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    Path("t.csv").write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]))
    samples = [
        {"name": name, "class": name, "files": "t.FORMAT", "selection": f"signal == {label}"}
        for label, name in enumerate(("background", "signal"))
    ]
    return columns, json.dumps(samples).replace('"', "")


def words(kind, samples):
    if kind == "csv":
        return ["data=csv", "data.files=t.csv", "data.label=signal"]
    listed = samples.replace("FORMAT", kind).replace("signal == ", "'signal == ").replace("}", "'}")
    return [f"data={kind}", f"data.samples={listed}", "data.features=[x,mjj,charge]"]


def advice(hepclf, *given):
    code, out, err = hepclf("inspect", *given, "--json")
    assert code == 0, err
    return [row for row in json.loads(out)["warnings"] if row["kind"] == "stand_in"]


@pytest.mark.parametrize("kind", ["root", "npz", "csv"])
def test_what_inspect_advises_can_be_typed_and_ends_its_warning(kind, hepclf, files):
    given = words(kind, files[1])
    (warning,) = advice(hepclf, *given)
    missing = int((files[0]["mjj"] == -999).sum())
    assert f"mjj (-999 in {missing} events)" in warning["text"]
    assert warning["text"].endswith("a tagger takes it for a value; declare it missing with 'data.missing=[-999]'")
    typed = shlex.split(warning["text"].rpartition(" with ")[2])
    assert advice(hepclf, *given, *typed) == []


def test_a_stand_in_that_may_be_a_value_elsewhere_is_declared_by_name(hepclf, files):
    np.savez("t.npz", **{**files[0], "x": np.linspace(0, 2000, ROWS)})
    given = [*words("npz", files[1])[:2], "data.features=[x,charge,'abs(mjj)']"]
    (warning,) = advice(hepclf, *given)
    assert warning["about"] == ["abs(mjj)"]
    typed = shlex.split(warning["text"].rpartition(" with ")[2])
    assert typed == [r"data.missing={abs\(mjj\):[999]}"]
    assert advice(hepclf, *given, *typed) == []


def test_advice_keeps_what_is_declared_already(hepclf, files):
    np.savez("t.npz", **{**files[0], "x": np.where(np.arange(ROWS) % 9 < 2, -99, files[0]["x"])})
    given = words("npz", files[1])
    (warning,) = advice(hepclf, *given, "data.missing=[-999]")
    typed = shlex.split(warning["text"].rpartition(" with ")[2])
    assert typed == ["data.missing=[-999,-99]"]
    assert advice(hepclf, *given, *typed) == []


QUICK = ["model=bdt", "model.iterations=10", "evaluation.plots=false"]


@pytest.mark.parametrize("missing", ["[-999]", "{mjj: [-999]}"])
def test_a_run_is_trained_evaluated_predicted_and_exported_with_them(missing, hepclf, files):
    code, _, err = hepclf("train", *words("root", files[1]), f"data.missing={missing}", *QUICK)
    assert code == 0, err
    stored = yaml.safe_load(Path("runs/latest/config.yaml").read_text())["data"]["missing"]
    assert stored == ([-999.0] if missing.startswith("[") else {"mjj": [-999.0]})
    scores = uproot.open("runs/latest/scores.root")["scores"].arrays(["label", "score"], library="np")

    code, _, err = hepclf("predict", "run=runs/latest", "files=t.npz", "output=npz", "out=out", "columns=[signal]")
    assert code == 0, err
    found = np.load("out/t.npz")
    for label in (0, 1):
        np.testing.assert_allclose(
            found["score"][found["signal"] == label], scores["score"][scores["label"] == label], rtol=0, atol=1e-6
        )

    command = ("evaluate", "run=runs/latest", *words("npz", files[1]), "evaluation.plots=false", "out=again")
    code, out, err = hepclf(*command)
    assert code == 0, err
    assert "set data.missing to what the run declared" in " ".join(out.split())
    again = uproot.open("runs/latest/scores.root")["scores"]
    assert json.loads(Path("again/metrics.json").read_text())["data"]["events"]["test"] == again.num_entries


@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="there is no C++ compiler")
def test_an_export_says_what_it_takes_for_missing_and_how_xgboost_is_told(hepclf, files):
    for missing, where in (("[-999]", "all features"), ("{mjj: [-999]}", "1 of 3 features")):
        assert hepclf("train", *words("root", files[1]), f"data.missing={missing}", *QUICK)[0] == 0
        code, out, err = hepclf("export", "run=runs/latest", "format=cpp")
        assert code == 0, err
        assert f"missing   NaN, -999 in {where}\n" in out
        code, out, err = hepclf("export", "run=runs/latest", "format=xgboost-json")
        if missing.startswith("["):
            assert code == 0, err
            assert "XGBoost knows them where it is told missing=-999" in out
            assert "scores = booster.inplace_predict(features, missing=-999)" in out
        else:
            assert code == 1
            assert err.startswith("hepclf: format=xgboost-json cannot map the declared missing values -999: ")
