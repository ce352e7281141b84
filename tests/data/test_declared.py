"""Declared missing values: one rule for every loader, against values put in by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hepclf import CSV
from hepclf.data.declared import declared, replace_sentinels
from hepclf.data.hdf5 import HDF5
from hepclf.data.npz import NPZ
from hepclf.data.parquet import Parquet
from hepclf.data.root import Root
from hepclf.data.samples import Sample
from hepclf.disk import mapped
from hepclf.recipe import RecipeError, build

ROWS = 12
SINGLE = np.float32(-999.99)  # -999.989990234375, which no file of float64 holds
nan = np.nan


def table():
    """Numbers of each kind: in single and double precision, whole, and a list an event, with sentinels in them."""
    x = np.arange(ROWS, dtype=np.float64)
    x[[1, 4]] = -999.99
    y = np.arange(ROWS, dtype=np.float32) / 2
    y[[2, 4]] = SINGLE
    n = np.arange(ROWS, dtype=np.int32)
    n[[3, 5]] = -9
    lists = np.stack([x + 1, x * 0 + 7], axis=1)
    lists[6, 0] = -999.99
    return {
        "x": x,
        "y": y,
        "n": n,
        "event": np.arange(ROWS, dtype=np.int64) + 2**60,
        "w": np.where(np.arange(ROWS) % 3, 1.0, -9.0),
        "pair": lists,
        "label": np.arange(ROWS) % 2,
    }


def to_root(columns):
    import uproot

    with uproot.recreate("t.root") as file:
        kinds = {name: np.dtype((column.dtype, column.shape[1:])) for name, column in columns.items()}
        file.mktree("t", kinds).extend(columns)


def to_parquet(columns):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    arrays = {name: pyarrow.array(column.tolist() if column.ndim > 1 else column) for name, column in columns.items()}
    parquet.write_table(pyarrow.table(arrays), "t.parquet", row_group_size=5)


def to_hdf5(columns):
    h5py = pytest.importorskip("h5py")
    with h5py.File("t.h5", "w") as file:
        for name, column in columns.items():
            file[name] = column


def to_npz(columns):
    np.savez("t.npz", **columns)


FILES = {"root": "t.root", "parquet": "t.parquet", "hdf5": "t.h5", "npz": "t.npz"}
NTUPLES = {"root": (Root, to_root), "parquet": (Parquet, to_parquet), "hdf5": (HDF5, to_hdf5), "npz": (NPZ, to_npz)}


def load(kind, **settings):
    NTUPLES[kind][1](table())
    return loader(kind, **settings).load()


def loader(kind, **settings):
    settings = {"features": ("x", "y", "n"), "cache": False, "chunk": 5, **settings}
    return NTUPLES[kind][0](samples=(Sample(name="all", class_="all", files=FILES[kind]),), **settings)


def expected(*names, **missing):
    """The columns as features, NaN in these rows."""
    columns = {name: table()[name].astype(np.float32) for name in names}
    for name, rows in missing.items():
        columns[name][rows] = nan
    return np.stack(list(columns.values()), axis=1)


@pytest.mark.parametrize("kind", NTUPLES)
def test_sentinels_of_all_features_are_nan_in_each_format(kind):
    events = load(kind, missing=(-999.99, -9))
    np.testing.assert_array_equal(events.features, expected("x", "y", "n", x=[1, 4], y=[2, 4], n=[3, 5]))
    assert events.sentinels == dict.fromkeys("xyn", (-999.99, -9.0))


@pytest.mark.parametrize("kind", NTUPLES)
def test_sentinels_of_one_feature_are_values_in_the_others(kind):
    events = load(kind, missing={"y": (-999.99,), "n": (-9,)})
    np.testing.assert_array_equal(events.features, expected("x", "y", "n", y=[2, 4], n=[3, 5]))
    assert events.sentinels == {"y": (-999.99,), "n": (-9.0,)}


@pytest.mark.parametrize("kind", NTUPLES)
def test_a_list_loses_its_sentinels_before_an_expression_sees_it(kind):
    features = {"first": "pair[0]", "sum": "sum(pair[not isnan(pair)])"}
    events = load(kind, features=features, leading={"pair": 1}, missing={"pair": (-999.99,)})
    first, both = table()["pair"][:, 0].copy(), table()["pair"].sum(axis=1)
    first[6], both[6] = nan, 7
    np.testing.assert_array_equal(events.features, np.stack([first, both, first], axis=1).astype(np.float32))
    assert events.sentinels == dict.fromkeys(("first", "sum", "pair_0"), (-999.99,))


@pytest.mark.parametrize("kind", NTUPLES)
def test_the_kept_table_is_that_of_memory_and_another_setting_is_another_table(kind):
    settings = {"cache": "kept", "missing": (-999.99,)}
    first, again = load(kind, **settings), loader(kind, **settings).load()
    np.testing.assert_array_equal(first.features, expected("x", "y", "n", x=[1, 4], y=[2, 4]))
    np.testing.assert_array_equal(again.features, first.features)
    assert again.sentinels == first.sentinels
    assert mapped(again.features) is not None
    assert len(list(Path("kept").iterdir())) == 1
    other = loader(kind, cache="kept", missing={"n": (-9,)}).load()
    np.testing.assert_array_equal(other.features, expected("x", "y", "n", n=[3, 5]))


def test_a_selection_sees_no_sentinels():
    assert len(load("npz", selection="x < 3", missing=(-999.99,))) == 2  # rows 0 and 2
    assert len(load("npz", selection="x < 3")) == 4


def test_spectators_that_are_whole_numbers_stay_exact():
    events = load("root", spectators=("event", "n", "x"), missing=(-9, -999.99), chunk=3)
    assert events.spectators["event"].tolist() == table()["event"].tolist()
    assert events.spectators["n"].tolist() == table()["n"].tolist()
    assert np.flatnonzero(np.isnan(events.spectators["x"])).tolist() == [1, 4]


def test_a_weight_that_is_a_column_is_what_the_file_says():
    assert load("npz", weight="w", missing=(-9,)).weights.tolist() == table()["w"].tolist()


def test_a_weight_that_is_made_of_missing_values_is_refused():
    with pytest.raises(ValueError, match=r"entry 0: weight '2 \* w' is nan; .*; data.missing declares a value in it"):
        load("npz", weight="2 * w", missing=(-9,))


def test_a_feature_has_the_sentinels_of_its_columns_and_its_own():
    features = {"ratio": "x / y", "n": "n * 2", "here": "y"}
    events = load("npz", features=features, missing={"here": (-999.99,), "ratio": (4.0,), "n": (-9, 4)})
    assert events.sentinels == {"ratio": (4.0, -999.99), "n": (-9.0, 4.0), "here": (-999.99,)}
    columns = table()
    with np.errstate(all="ignore"):
        ratio = columns["x"] / np.where(columns["y"] == SINGLE, nan, columns["y"].astype(np.float64))
    doubled = np.where(np.isin(columns["n"], (-9, 4)), nan, columns["n"] * 2.0)
    doubled[2] = nan  # 4, which is declared of the feature too
    np.testing.assert_array_equal(events.features[:, 0], ratio.astype(np.float32))
    np.testing.assert_array_equal(events.features[:, 1], doubled.astype(np.float32))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(events.features[:, 2])), [2, 4])


def csv(text, **settings):
    Path("t.csv").write_text(text)
    return CSV(files="t.csv", cache=False, label=None, **settings).load()


def test_a_csv_knows_sentinels_by_feature_in_cells_and_in_what_is_made_of_them():
    text = "a,b\n-999.99,1\n-999.990,-999.99\n3,\n"
    events = csv(text, features={"a": "a", "second": "b", "sum": "a + 1"}, missing={"a": (-999.99,), "second": ("",)})
    np.testing.assert_array_equal(
        events.features, np.array([[nan, 1, nan], [nan, -999.99, nan], [3, nan, 4]], dtype=np.float32)
    )
    assert events.sentinels == {"a": (-999.99,), "sum": (-999.99,)}


def test_a_csv_and_an_ntuple_have_the_same_features():
    columns = {name: table()[name] for name in ("x", "n")}
    text = "x,n\n" + "".join(
        f"{x!r},{n}\n" for x, n in zip(*(column.tolist() for column in columns.values()), strict=True)
    )
    features = {"x": "x", "shifted": "where(isnan(n), -9, n + 0.5)", "n": "n"}
    for missing in ((-999.99, -9), {"n": (-9,)}, {"shifted": (-9,)}):
        one, other = csv(text, features=features, missing=missing), load("npz", features=features, missing=missing)
        np.testing.assert_array_equal(one.features, other.features)
        assert one.sentinels == other.sentinels


@pytest.mark.parametrize(
    ("values", "missing", "rows"),
    [
        ([1e39, 1.7e308, np.inf, 1], (1.7e308,), [1]),
        ([1, np.inf, -np.inf, 3], (np.inf,), [1]),
        ([-3.4e38, np.finfo(np.float32).min, 0], (float(np.finfo(np.float32).min),), [1]),
        ([0.1, np.float64(np.float32(0.1)), 0.2], (0.1,), [0, 1]),
        (np.array([250, 1, 2], dtype=np.uint8), (-6, 1), [1]),
        (np.array([2**53, 5, 6], dtype=np.int64), (5.5, 6), [2]),
        (np.array([True, False]), (0, 1), []),
        ([nan, 2], (2,), [0, 1]),
    ],
)
def test_sentinels_are_compared_as_features_are_kept(values, missing, rows):
    column = replace_sentinels(np.asarray(values), missing, "x")
    assert np.flatnonzero(np.isnan(column.astype(np.float64))).tolist() == rows


def test_whole_numbers_that_no_fraction_holds_are_not_rounded_in_silence():
    with pytest.raises(
        ValueError, match=r"column 'event' holds 9007199254740993, beyond 2\^53, and misses other values"
    ):
        replace_sentinels(np.array([2**53 + 1, -9]), (-9,), "event")


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (["", -999], "data.missing must be numbers, as these files hold no text, not ''; drop it"),
        ({"x": ["NA"]}, "data.missing.x must be numbers, as these files hold no text, not 'NA'"),
        ([1e-50], "data.missing must be numbers that features hold in single precision, not 1e-50, which is 0 there"),
        ({"xx": [-9]}, "data.missing names 'xx', which is neither a feature nor a column of one; nearest: 'x'"),
        ({"w": [-9]}, "data.missing names 'w', which is neither a feature nor a column of one"),
        (-999, "data.missing must be a list, each text or a number or a mapping of names"),
    ],
)
def test_what_cannot_be_a_sentinel_is_refused(missing, says):
    samples = [{"name": "all", "class": "all", "files": "t.npz"}]
    with pytest.raises(RecipeError) as error:
        build(NPZ, {"samples": samples, "features": ["x", "2 * n"], "weight": "w", "missing": missing}, "data")
    assert str(error.value).startswith(says)


def test_a_csv_refuses_a_name_that_is_no_column_of_a_feature():
    with pytest.raises(
        ValueError, match="missing names 'bb', which is neither a feature nor a column of one; nearest: 'b'"
    ):
        csv("a,b\n1,2\n", features="all", missing={"bb": (-9,)})


def test_nan_needs_no_declaration():
    assert not declared(("NaN", float("nan")))
