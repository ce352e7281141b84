"""Files with declared missing values have the scores that the training stored, whatever their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf import BDT, CSV, Evaluation, Logistic, Prediction, Trainer, predict, train
from hepclf.data.hdf5 import HDF5
from hepclf.data.npz import NPZ
from hepclf.data.parquet import Parquet
from hepclf.data.root import Root
from hepclf.data.samples import Sample
from hepclf.workflow.reevaluate import _other

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))

ROWS = 600
CLASSES = ("background", "signal")


def table():
    """Numbers and lists with two sentinels, -999.99 and -9; an event number tells events apart."""
    rng = np.random.default_rng(1)
    signal = np.arange(ROWS) % 2
    x = rng.normal(signal)
    y = rng.normal(-signal).astype(np.float32)
    n = rng.integers(0, 5, ROWS)
    pair = rng.normal(size=(ROWS, 2)) + signal[:, None]
    for column, value in ((x, -999.99), (y, -999.99), (n, -9), (pair, -999.99)):
        column[rng.random(column.shape) < 0.3] = value
    return {"x": x, "y": y, "n": n, "pair": pair, "event": np.arange(ROWS), "signal": signal}


def to_root(path, columns):
    with uproot.recreate(path) as file:
        kinds = {name: np.dtype((column.dtype, column.shape[1:])) for name, column in columns.items()}
        file.mktree("t", kinds).extend(columns)


def to_parquet(path, columns):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    arrays = {name: pyarrow.array(column.tolist() if column.ndim > 1 else column) for name, column in columns.items()}
    parquet.write_table(pyarrow.table(arrays), path, row_group_size=150)


def to_hdf5(path, columns):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, column in columns.items():
            file[name] = column


def to_npz(path, columns):
    np.savez(path, **columns)


FORMATS = {
    "root": (Root, to_root, "t.root"),
    "parquet": (Parquet, to_parquet, "t.parquet"),
    "hdf5": (HDF5, to_hdf5, "t.h5"),
    "npz": (NPZ, to_npz, "t.npz"),
}


def ntuple(kind, **settings):
    """The file as two samples."""
    recipe, write, path = FORMATS[kind]
    if not Path(path).is_file():
        write(path, table())
    samples = tuple(
        Sample(name=name, class_=name, files=path, selection=f"signal == {label}") for label, name in enumerate(CLASSES)
    )
    settings = {"features": ("x", "y", "n", "x - y"), "leading": {"pair": 2}, **settings}
    return recipe(samples=samples, spectators=("event",), cache=False, **settings)


def stored(spectator="event"):
    scores = uproot.open("run/scores.root")["scores"].arrays(["score", spectator], library="np")
    return scores["score"][np.argsort(scores[spectator])]


def predicted(path, **settings):
    (outcome,) = predict("run", Prediction(files=path, output="npz", out="out", selection=None, **settings))
    return np.load(outcome.output)["score"]


MISSING = [(-999.99, -9), {"x": (-999.99,), "y": (-999.99,), "n": (-9,), "pair": (-999.99,)}]


@pytest.mark.parametrize("missing", MISSING, ids=["all", "by name"])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_has_the_scores_of_its_training(kind, missing):
    train(ntuple(kind, missing=missing), Logistic(), Trainer(epochs=2), SCORES_ONLY, folder="run")
    np.testing.assert_allclose(predicted(FORMATS[kind][2], chunk=100), stored(), rtol=0, atol=1e-6)


def on_csv(columns, missing):
    """A run on the columns as a CSV file, with a feature that is made of others."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in rows)]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    names = {"x": "x", "y": "y", "n": "n", "apart": "x - y"}
    data = CSV(files="t.csv", label="signal", features=names, spectators=("event",), missing=missing, cache=False)
    train(data, BDT(iterations=10), Trainer(), SCORES_ONLY, folder="run")


@pytest.mark.parametrize("kind", FORMATS)
def test_files_of_any_format_have_the_scores_of_a_run_on_csv(kind):
    columns = {name: column for name, column in table().items() if column.ndim == 1}
    on_csv(columns, {"x": (-999.99,), "y": (-999.99,), "n": (-9, "")})
    _, write, path = FORMATS[kind]
    write(path, columns)
    np.testing.assert_allclose(predicted(path, columns=("event",)), stored(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "missing", [(-999.99, -9, float("inf"), ""), {"x": (-999.99, "inf"), "y": (-999.99,), "n": (-9,)}]
)
def test_a_csv_has_the_scores_of_its_training(missing):
    columns = {name: column for name, column in table().items() if column.ndim == 1}
    columns["x"][::7] = np.inf
    on_csv(columns, missing)
    np.testing.assert_allclose(predicted("t.csv", chunk=100), stored(), rtol=0, atol=1e-6)


def test_columns_that_are_carried_along_stay_as_the_file_has_them():
    train(ntuple("npz", missing=(-999.99, -9)), Logistic(), Trainer(epochs=1), SCORES_ONLY, folder="run")
    (outcome,) = predict("run", Prediction(files="t.npz", output="npz", out="out", columns=("x", "n", "event")))
    found = np.load(outcome.output)
    for name in ("x", "n", "event"):
        np.testing.assert_array_equal(found[name], table()[name])
        assert found[name].dtype == table()[name].dtype


@pytest.mark.parametrize("calibrate", ["none", "temperature"])
def test_other_data_that_declare_nothing_have_the_same_scores_and_features(calibrate):
    trainer, plain = Trainer(epochs=1, calibrate=calibrate), {"features": ("x", "y", "n")}
    data = ntuple("npz", missing=(-999.99, -9), **plain)
    made = train(data, Logistic(), trainer, SCORES_ONLY, folder="run")
    assert "undeclared_missing" not in {doubt.kind for doubt in _other(made.scored, made.tagger, data)[2]}
    scored, seen, doubts = _other(made.scored, made.tagger, ntuple("npz", **plain))
    (doubt,) = (doubt for doubt in doubts if doubt.kind == "undeclared_missing")
    assert "set data.missing to what the run declared" in doubt.text
    np.testing.assert_allclose(scored.of("test").scores, made.scored.scores, rtol=0, atol=1e-12)
    features = seen.read(np.arange(ROWS))
    assert np.isnan(features).any()
    assert not np.isin(features, np.float32([-999.99, -9])).any()
