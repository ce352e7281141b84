from __future__ import annotations

import os

import numpy as np
import pytest
import uproot

from hepclf.evaluation.files import store
from hepclf.evaluation.files.store import read_scores, write_scores
from hepclf.scored import Scored


def scored(k=2, n=50, **columns):
    rng = np.random.default_rng(0)
    scores = rng.random(n) if k == 2 else rng.dirichlet(np.ones(k), n)
    plain = {
        "labels": rng.integers(0, k, n),
        "weights": rng.normal(size=n) * 1e-7,
        "scores": scores,
        "split": rng.integers(0, 3, n),
        "classes": tuple(f"class{i}" for i in range(k)),
        "processes": rng.integers(0, 3, n),
        "process_names": ("t#bar{t}", "W → ℓν", "a b/c;1"),
        "totals": np.array([1 / 3, -1e300, 0.0]),
    }
    return Scored(**(plain | columns))


def assert_same(found, expected):
    for name in ("labels", "weights", "scores", "split", "processes", "totals"):
        a, b = getattr(found, name), getattr(expected, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert (found.classes, found.process_names) == (expected.classes, expected.process_names)
    assert list(found.spectators) == list(expected.spectators)
    for name, column in expected.spectators.items():
        np.testing.assert_array_equal(found.spectators[name], column)


@pytest.mark.parametrize("k", [2, 3])
def test_what_is_written_is_read_to_the_last_bit(tmp_path, k):
    expected = scored(k)
    write_scores(tmp_path / "scores.root", expected)
    assert_same(read_scores(tmp_path / "scores.root"), expected)


def test_odd_names_keep_their_meaning(tmp_path):
    spectators = {
        name: np.arange(50) * i for i, name in enumerate(["m_{jj} [GeV]", "m_{jj} [TeV]", "score", "2nd", "", "é"])
    }
    expected = scored(3, classes=("b-jet", "b_jet", "τ #tau; {x}"), spectators=spectators)
    write_scores(tmp_path / "scores.root", expected)
    assert_same(read_scores(tmp_path / "scores.root"), expected)
    with uproot.open(tmp_path / "scores.root") as file:
        assert file["scores"].classname == "TTree"
        branches = file["scores"].keys()
    assert len(set(branches)) == len(branches) == 4 + 3 + 6
    assert all(branch.isidentifier() for branch in branches)
    assert branches[4:6] == ["score_b_jet", "score_b_jet_2"]


@pytest.mark.parametrize(
    "kind", [np.bool_, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float32, np.float64]
)
def test_spectators_keep_their_type(tmp_path, kind):
    column = np.random.default_rng(1).integers(0, 2, 50).astype(kind)
    if kind == np.int64:
        column[0] = 2**63 - 1
    write_scores(tmp_path / "scores.root", scored(spectators={"x": column}))
    found = read_scores(tmp_path / "scores.root").spectators["x"]
    assert found.dtype == kind
    np.testing.assert_array_equal(found, column)


def test_half_precision_becomes_single_and_nan_stays(tmp_path):
    column = np.array([0.5, np.nan, -np.inf, *np.zeros(47)], dtype=np.float16)
    write_scores(tmp_path / "scores.root", scored(spectators={"x": column}))
    found = read_scores(tmp_path / "scores.root").spectators["x"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, column)


@pytest.mark.parametrize("kind", [np.str_, object])
def test_text_is_stored_as_the_places_of_its_values(tmp_path, kind):
    column = np.array(["2018A", "2018B", "", "Ünï"] * 12 + ["2018A"] * 2, dtype=kind)
    write_scores(tmp_path / "scores.root", scored(spectators={"era": column, "mass": np.arange(50)}))
    found = read_scores(tmp_path / "scores.root").spectators
    np.testing.assert_array_equal(found["era"], column.astype(str))
    np.testing.assert_array_equal(found["mass"], np.arange(50))
    with uproot.open(tmp_path / "scores.root") as file:
        assert file["scores/era"].array(library="np").dtype == np.int32


@pytest.mark.parametrize("column", [np.array([None] * 50), np.full(50, 1j), np.full(50, np.datetime64("2026-01-01"))])
def test_a_spectator_that_is_neither_number_nor_text_is_refused(tmp_path, column):
    with pytest.raises(ValueError, match="spectator 'x' must be a number or text to be stored, not "):
        write_scores(tmp_path / "scores.root", scored(spectators={"x": column}))
    assert list(tmp_path.iterdir()) == []


def test_no_events_are_written_and_read(tmp_path):
    for k in (2, 3):
        expected = scored(k, n=0, spectators={"x": np.zeros(0), "era": np.zeros(0, dtype=str)})
        write_scores(tmp_path / "scores.root", expected)
        assert_same(read_scores(tmp_path / "scores.root"), expected)


def test_many_rows_are_written_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROWS", 7)
    expected = scored(3)
    write_scores(tmp_path / "scores.root", expected)
    assert_same(read_scores(tmp_path / "scores.root"), expected)


def test_a_write_that_fails_leaves_the_old_file_whole_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "scores.root"
    expected = scored()
    write_scores(path, expected)

    def full(self, columns):
        raise OSError("no space left on device")

    monkeypatch.setattr("uproot.writing.writable.WritableTree.extend", full)
    with pytest.raises(OSError, match="no space left"):
        write_scores(path, scored(n=9))
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    assert_same(read_scores(path), expected)


def test_the_file_is_as_readable_as_any_other(tmp_path):
    before = os.umask(0o022)
    try:
        write_scores(tmp_path / "scores.root", scored())
    finally:
        os.umask(before)
    assert (tmp_path / "scores.root").stat().st_mode & 0o777 == 0o644


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "scores.root", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there are no scores at .*; a finished training writes them"):
            read_scores(path)


def _cut(path):
    write_scores(path, scored(n=5000))
    path.write_bytes(path.read_bytes()[:20_000])


def _other(path):
    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": np.dtype(float)})


def _no_names(path):
    with uproot.recreate(path) as file:
        file["names"] = "{}"
        file.mktree("scores", {"x": np.dtype(float)})


def _no_json(path):
    with uproot.recreate(path) as file:
        file["names"], file["scores"] = "hello", "x"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("label,score\n1,0.5\n"), "OSError"),
        (lambda path: path.write_bytes(b""), "OSError"),
        (_cut, ""),
        (_other, r"it holds \['Events'\] and not \['scores', 'names'\]"),
        (_no_names, "KeyError: 'scores'"),
        (_no_json, "JSONDecodeError"),
    ],
)
def test_a_file_of_other_contents_is_refused_in_one_line(tmp_path, make, message):
    path = tmp_path / "scores.root"
    make(path)
    with pytest.raises(ValueError, match=rf"scores.root cannot be read as scores of hepclf \(.*{message}") as refused:
        read_scores(path)
    assert "\n" not in str(refused.value)
