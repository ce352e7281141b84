import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hepclf.data.parquet import Parquet, ParquetTable
from hepclf.data.samples import Sample, SumOfWeights, find_sources


def write(name="s.parquet", rows=2, metadata=None, **columns):
    """A small Parquet file in row groups of so many rows; settings of the writer go by `writer`."""
    settings = columns.pop("writer", {})
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata), name, row_group_size=rows, **settings)


def sample(name="s", files="s.parquet", **settings):
    return Sample(name=name, class_=name, files=files, **settings)


def load(*samples, **settings):
    return Parquet(samples=samples or (sample(),), cache=False, **settings).load()


def column(name, **settings):
    return load(features=(name,), **settings).features[:, 0]


@pytest.mark.parametrize("writer", [{}, {"write_statistics": False}], ids=["statistics", "none"])
@pytest.mark.parametrize("chunk", [1, 100])
def test_missing_values_are_nan_whatever_their_type(writer, chunk):
    write(
        x=[1.5, None, 3, 4, 5],
        n=pa.array([1, 2, 3, 4, None], pa.int16()),
        flag=[True, False, True, None, True],
        writer=writer,
    )
    events = load(features=("x", "n", "flag"), spectators=("n", "flag"), chunk=chunk)
    expected = [[1.5, 1, 1], [np.nan, 2, 0], [3, 3, 1], [4, 4, np.nan], [5, np.nan, 1]]
    assert np.array_equal(events.features, np.array(expected), equal_nan=True)
    assert {name: values.dtype for name, values in events.spectators.items()} == {"n": "f8", "flag": "f8"}
    assert np.array_equal(events.spectators["n"], [1, 2, 3, 4, np.nan], equal_nan=True)


def test_whole_numbers_are_exact_where_none_is_missing_and_refused_where_float64_is_not():
    write(x=[1.0, 2.0, 3.0], event=[2**60 + 1, 2**60 + 2, 7], gap=[2**60 + 1, 3, None])
    assert load(features=("x",), spectators=("event",)).spectators["event"].tolist() == [2**60 + 1, 2**60 + 2, 7]
    with pytest.raises(ValueError, match=r"^s\.parquet: column 'gap' holds 1152921504606846977, beyond 2\^53, and m"):
        load(features=("x",), spectators=("gap",))


def test_parts_of_records_and_of_lists_of_records_have_the_record_in_front():
    write(
        met=[{"pt": 1.0, "sig": {"x": 5}}, None, {"pt": 3.0, "sig": None}],
        Jet=[[{"pt": 40.0, "id": 3}, {"pt": 30.0, "id": 7}], [], None],
        tags=pa.array([[("a", 1), ("b", 5)], [], []], type=pa.map_(pa.string(), pa.int8())),
        n=[1, 2, 3],
    )
    events = load(features=("met_pt", "met_sig_x", "sum(Jet_id)", "sum(tags_value)"), leading={"Jet_pt": 2})
    nan = np.nan
    expected = [[1, 5, 10, 6, 40, 30], [nan, nan, 0, 0, nan, nan], [3, nan, 0, 0, nan, nan]]
    assert np.array_equal(events.features, expected, equal_nan=True)


def test_a_column_of_a_name_comes_before_the_part_of_a_record():
    write(met=[{"pt": 1.0}], met_pt=[5.0])
    assert column("met_pt").tolist() == [5.0]


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.int64()), pa.list_(pa.float16(), 2)])
def test_lists_of_every_kind_are_read_and_missing_ones_are_empty(kind):
    write(j=pa.array([[1, 2], [3, None], [4, 5]], type=kind), k=pa.array([[1], None, []], type=pa.list_(pa.int8())))
    events = load(features=("j[0]", "j[1]", "count(k)"))
    assert np.array_equal(events.features, [[1, 2, 1], [3, np.nan, 0], [4, 5, 0]], equal_nan=True)


def test_half_floats_dictionaries_and_names_with_dots_are_read():
    write(**{"half": pa.array([1.5, None], pa.float16()), "a.b": [1, 2], "a": [3, 4]})
    events = load(features=("half", "`a.b`", "a"), spectators=("half",))
    assert events.features[0].tolist() == [1.5, 1, 3]
    assert events.spectators["half"].dtype == "f4"
    write(d=pa.array([7, 8, 7]).dictionary_encode())
    assert column("d").tolist() == [7, 8, 7]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["a", "b"], "string"),
        (pa.array([1, 2], pa.timestamp("s")), r"timestamp\[ms\]"),
        (pa.array([["a"], []]), "string"),
        (pa.array(["a", "b"]).dictionary_encode(), "dictionary"),
    ],
)
def test_what_is_no_number_is_refused(values, says):
    write(x=[1.0, 2.0], text=values)
    with pytest.raises(ValueError, match=rf"^s\.parquet: column 'text' holds {says}.*; numbers and booleans can be u"):
        column("text")
    assert column("x").tolist() == [1, 2]


def test_lists_of_lists_are_refused():
    write(j=[[[1.0], [2.0]], []])
    with pytest.raises(ValueError, match="column 'j' holds lists of lists"):
        column("sum(j)")


def test_two_columns_of_one_name_are_refused():
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), "s.parquet")
    with pytest.raises(ValueError, match=r"s\.parquet: column 'x' is there twice; names of columns must differ"):
        column("x")


def test_columns_that_nothing_names_are_not_read():
    write(x=[1.0, 2.0], broken=[3.0, 4.0], writer={"compression": "zstd", "use_dictionary": False})
    place = pq.read_metadata("s.parquet").row_group(0).column(1)
    data = bytearray(Path("s.parquet").read_bytes())
    data[place.data_page_offset : place.data_page_offset + place.total_compressed_size] = bytes(
        place.total_compressed_size
    )
    Path("s.parquet").write_bytes(data)
    assert column("x").tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"^s\.parquet cannot be read: "):
        column("broken")


def test_damage_that_decodes_is_found_where_the_file_has_checksums():
    write(
        x=[1.0, 2.0, 3.0], writer={"compression": "none", "use_dictionary": False, "write_page_checksum": True}, rows=3
    )
    data = Path("s.parquet").read_bytes()
    Path("s.parquet").write_bytes(data.replace(np.float64(2.0).tobytes(), np.float64(2.5).tobytes(), 1))
    with pytest.raises(ValueError, match=r"^s\.parquet cannot be read: .*CRC"):
        column("x")


@pytest.mark.parametrize(("chunk", "cuts"), [(1, [0, 3, 6, 9, 10]), (4, [0, 3, 6, 10]), (6, [0, 6, 10]), (10, [0, 10])])
def test_chunks_are_whole_row_groups(chunk, cuts):
    write(x=np.arange(10.0), rows=3)
    with ThreadPoolExecutor(1) as pool:
        table = ParquetTable(find_sources("s.parquet")[0], pool)
        assert table.cuts(("x",), chunk) == cuts
        assert table.read(("x",), 4, 8)["x"].tolist() == [4, 5, 6, 7]
        table.close()


@pytest.mark.parametrize("limit", [1, 3, 4, 10])
def test_fewer_entries_than_a_row_group_are_the_first_ones(limit):
    write(x=np.arange(10.0), rows=3)
    assert column("x", max_events=limit).tolist() == list(range(limit))


def test_the_sum_of_weights_is_a_key_of_the_metadata():
    for name, total in {"s1": "5.5", "s2": "2.5"}.items():
        write(f"{name}.parquet", x=[1.0, 2.0], w=[0.5, 1.5], metadata={"sumw": total, "title": "a sample"})
    where = SumOfWeights(branch="sumw")
    one = sample(files="s?.parquet", cross_section_fb=2.0, sum_of_weights=where, weight="w")
    assert load(one, features=("x",), luminosity_fb=10.0).sums["s"] == pytest.approx(20 * 4 / 8)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"branch": "sum"}, "sum_of_weights: key 'sum' is not in the metadata; nearest: 'sumw'"),
        ({"branch": "title"}, "sum_of_weights: key 'title' of the metadata holds no number"),
        ({"branch": "sumw", "tree": "Runs"}, "it holds no trees or histograms"),
        ({"histogram": "h"}, "it holds no trees or histograms"),
    ],
)
def test_a_sum_of_weights_that_is_not_there_says_so(where, says):
    write(x=[1.0], metadata={"sumw": "5", "title": "a sample"})
    with pytest.raises(ValueError, match=says):
        load(sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(**where)), features=("x",), luminosity_fb=1.0)


def test_a_tree_is_refused():
    write(x=[1.0])
    with pytest.raises(
        ValueError, match=r"^tree must be null for s\.parquet, not Events: a Parquet file is one table; drop tree"
    ):
        column("x", tree="Events")


def test_without_pyarrow_the_error_says_how_to_get_it(monkeypatch):
    write(x=[1.0])
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ValueError, match=r"^data=parquet needs pyarrow; pip install 'hepclf\[io\]'$"):
        column("x")


def test_a_file_that_shrinks_between_look_and_read_is_an_error(monkeypatch):
    from hepclf.data import ntuples

    write(x=np.arange(1000.0), rows=100)
    inspect_parts = ntuples.inspect_parts

    def then_shrink(*args, **settings):
        inspect_parts(*args, **settings)
        path = Path("s.parquet")
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)

    monkeypatch.setattr(ntuples, "inspect_parts", then_shrink)
    with pytest.raises(ValueError, match=r"^s\.parquet cannot be read: "):
        column("x")
