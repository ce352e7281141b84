"""An exported tagger takes the values of the files: programs of others give the scores of scores.root for them."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf import BDT, CSV, Evaluation, Logistic, PlainMLP, Trainer, train
from hepclf.export.exported import Export, exported
from hepclf.export.formats import FORMATS
from hepclf.export.gate import TOLERANCE, largest_difference, trial
from hepclf.models.fisher import Fisher

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))

compiler = shutil.which("g++") or shutil.which("clang++")
compiled = pytest.mark.skipif(compiler is None, reason="there is no C++ compiler")
ROWS = 1200
MISSING = (-999.99, -9999.9, "inf")  # two that no float32 holds
NAMES = ("mass", "n_jets", "angle")
MODELS = {
    "trees": BDT(iterations=20, leaves=8),
    "fisher": Fisher(),
    "logistic": Logistic(),
    "network": PlainMLP(hidden=(8,)),
}
# Reads numbers of double precision, as a loop over an ntuple may, and writes scores.
PROGRAM = """
#include "tagger.hpp"
#include <cstdio>
int main() {
  double raw[tagger::inputs];
  while (std::fread(raw, sizeof raw, 1, stdin) == 1) {
    float x[tagger::inputs];
    for (int i = 0; i < tagger::inputs; ++i) x[i] = static_cast<float>(raw[i]);
    const float p = tagger::score(x);
    std::fwrite(&p, sizeof p, 1, stdout);
  }
}
"""


def table(sentinels=(-999.99, -9999.9, np.inf)):
    """Columns in double precision; signal misses values less often than background."""
    rng = np.random.default_rng(3)
    label = np.arange(ROWS) % 2
    columns = {
        "mass": rng.normal(90 + 20 * label, 30),
        "n_jets": rng.integers(0, 4, ROWS).astype(np.float64),
        "angle": rng.normal(-0.5 * label, 1),
    }
    for name in ("mass", "angle"):
        absent = np.flatnonzero(rng.random(ROWS) < np.where(label, 0.15, 0.4))
        columns[name][absent] = np.resize(sentinels, len(absent))
    return {**columns, "label": label}


def csv(columns, **settings):
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    return CSV(files="t.csv", cache=False, **settings)


def trained(model, data, **settings):
    train(data, model, Trainer(epochs=3, batch=200, **settings), SCORES_ONLY, folder="run")
    return uproot.open("run/scores.root")["scores"]["score"].array(library="np")


def features():
    """The values of the file, as their text says them."""
    return np.genfromtxt("t.csv", delimiter=",", names=True, usecols=NAMES).view(np.float64).reshape(-1, len(NAMES))


@pytest.mark.parametrize("calibrate", ["none", "isotonic"])
@pytest.mark.parametrize("name", MODELS)
def test_onnxruntime_gives_the_stored_scores_of_raw_values(name, calibrate):
    onnxruntime = pytest.importorskip("onnxruntime")
    scores = trained(MODELS[name], csv(table(), missing=MISSING), calibrate=calibrate)
    written = exported("run", Export(format="onnx"), csv(table(), missing=MISSING).load())
    session = onnxruntime.InferenceSession(written.path, providers=["CPUExecutionProvider"])
    raw = features().astype(np.float32)
    assert np.isin(np.float32([-999.99, -9999.9, np.inf]), raw).all()
    (found,) = session.run(["probability"], {"features": raw})
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-6)


HEADERS = [
    *((name, "none") for name in MODELS),
    ("trees", "isotonic"),
    *(pytest.param(name, "isotonic", marks=pytest.mark.slow) for name in MODELS if name != "trees"),
]


@compiled
@pytest.mark.parametrize(("name", "calibrate"), HEADERS)
def test_a_compiled_header_gives_the_stored_scores_of_raw_values(name, calibrate):
    """The slow ones compile once more the step that calibrated trees go through, after each other model."""
    scores = trained(MODELS[name], csv(table(), missing=MISSING), calibrate=calibrate)
    exported("run", Export(format="cpp", out="."), csv(table(), missing=MISSING).load())
    Path("main.cpp").write_text(PROGRAM)
    words = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "main.cpp", "-o", "main"]
    subprocess.run([compiler, *words], check=True)
    done = subprocess.run(["./main"], input=features().tobytes(), stdout=subprocess.PIPE, check=True)
    np.testing.assert_allclose(np.frombuffer(done.stdout, dtype=np.float32), scores, rtol=0, atol=1e-6)


def test_a_derived_feature_takes_the_values_of_its_expression():
    onnxruntime = pytest.importorskip("onnxruntime")
    features = {"mass": "mass", "twice": "2 * angle", "padded": "where(n_jets >= 2, angle, -999.99)"}
    data = csv(table((-999.99,)), features=features, missing=(-999.99,))
    scores = trained(BDT(iterations=20), data)
    written = exported("run", Export(format="onnx"), data.load())
    columns = table((-999.99,))
    angle = np.where(columns["angle"] == -999.99, np.nan, columns["angle"])
    padded = np.where(columns["n_jets"] >= 2, columns["angle"], -999.99)
    raw = np.stack([columns["mass"], 2 * angle, padded], axis=1).astype(np.float32)
    session = onnxruntime.InferenceSession(written.path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probability"], {"features": raw})
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-6)


def test_xgboost_gives_the_stored_scores_where_it_is_told_the_one_sentinel():
    xgboost = pytest.importorskip("xgboost")
    data = csv(table((-999.99,)), missing=(-999.99,))
    scores = trained(MODELS["trees"], data)
    written = exported("run", Export(format="xgboost-json"), data.load())
    booster = xgboost.Booster(model_file=written.path)
    missing = float(booster.attr("missing"))
    assert np.float32(missing) == np.float32(-999.99)
    found = booster.predict(xgboost.DMatrix(features(), missing=missing))
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-6)
    assert np.abs(booster.predict(xgboost.DMatrix(features())) - scores).max() > 0.01


@pytest.mark.parametrize("missing", [(-999.99, -9), {"mass": (-999.99,)}])
def test_xgboost_is_refused_where_it_cannot_be_told(missing):
    data = csv(table((-999.99,)), missing=missing)
    trained(MODELS["trees"], data)
    with pytest.raises(ValueError, match=r"cannot map the declared missing values -999.99.*format=onnx or format=cpp"):
        exported("run", Export(format="xgboost-json"), data.load())
    assert not Path("run/exports").exists()


def test_a_file_says_what_it_takes_for_missing():
    onnx = pytest.importorskip("onnx")
    data = csv(table(), missing={"mass": MISSING, "angle": (-9999.9, -999.99, "inf")})
    trained(Fisher(), data)
    written = exported("run", Export(format="onnx"), data.load())
    notes = {each.key: json.loads(each.value) for each in onnx.load(written.path).metadata_props}
    assert notes["sentinels"] == {"mass": [-999.99, -9999.9, "inf"], "angle": [-9999.9, -999.99, "inf"]}
    assert written.sentinels == {"mass": (-999.99, -9999.9, np.inf), "angle": (-9999.9, -999.99, np.inf)}


def test_a_tagger_without_sentinels_is_written_as_before(events, fitted):
    for kind in ("onnx", *(("cpp",) if compiler else ())):
        data = FORMATS[kind].writer_and_reader(kind, fitted(Fisher(), events()))[0](
            fitted(Fisher(), events()), "tagger", {}
        )
        assert b"sentinel" not in data.lower()
        assert b"Equal" not in data


@pytest.fixture
def raw_tagger(events, fitted):
    """A tagger with sentinels in two features, one of which no event misses."""
    return fitted(BDT(iterations=10), replace(events(), sentinels={"b": (-999.99, -9.0), "d": (-999.99,)}))


@pytest.mark.parametrize("real", [True, False])
def test_the_gate_feeds_each_sentinel_of_each_feature_and_its_neighbours(real, raw_tagger, events):
    trying = trial(raw_tagger, events().features if real else np.empty((0, 4), dtype=np.float32))
    single = np.float32(-999.99)
    for column, values in {1: (single, np.float32(-9)), 3: (single,)}.items():
        for value in values:
            steps = (np.nextafter(value, np.float32(side)) for side in (-np.inf, np.inf))
            assert all((trying.features[:, column] == step).any() for step in (value, *steps))
    if real:
        first = trying.features[: trying.real_count, 1]
        gaps = np.isnan(events().features[:, 1])
        np.testing.assert_array_equal(first[gaps][:4], np.array([single, -9, np.nan, single], dtype=np.float32))
        np.testing.assert_array_equal(first[~gaps], events().features[~gaps, 1])


@pytest.mark.parametrize("kind", ["onnx", pytest.param("cpp", marks=compiled)])
@pytest.mark.parametrize("sentinels", [{}, {"b": (-999.99, -9.0)}, {"b": (-999.99,), "d": (-999.99,)}, {"b": (-9,)}])
def test_an_export_that_lost_a_sentinel_is_refused(kind, sentinels, raw_tagger, events):
    other = copy.copy(raw_tagger)
    other.sentinels = sentinels
    write, read = FORMATS[kind].writer_and_reader(kind, raw_tagger)
    with read(write(raw_tagger, "tagger", {})) as score:
        assert largest_difference(kind, score, trial(raw_tagger, events().features), refuses=True) <= TOLERANCE
    with (
        read(write(other, "tagger", {})) as score,
        pytest.raises(ValueError, match=f"format={kind} differs from the tagger"),
    ):
        largest_difference(kind, score, trial(raw_tagger, events().features), refuses=True)
