import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from hepclf.data.hdf5 import HDF5, Datasets
from hepclf.data.samples import Sample, SumOfWeights, find_sources

JETS = np.array([(10.0, 0.5, 5), (20.0, -1.5, 0), (30.0, 2.0, 4)], dtype=[("pt", "f4"), ("eta", "f2"), ("label", "i4")])
TRACKS = np.zeros((3, 4), dtype=[("d0", "f2"), ("pt", ">f4"), ("valid", "?")])
TRACKS["d0"] = np.arange(12).reshape(3, 4)
TRACKS["valid"] = [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1]]


def write(name="s.h5", **things):
    """A small HDF5 file of these datasets and groups; `attrs` are those of the file."""
    attrs = things.pop("attrs", {})
    with h5py.File(name, "w") as file:
        for key, values in things.items():
            file[key.replace("__", "/")] = values
        file.attrs.update(attrs)


def sample(name="s", files="s.h5", **settings):
    return Sample(name=name, class_=name, files=files, **settings)


def load(*samples, **settings):
    return HDF5(samples=samples or (sample(),), cache=False, **settings).load()


def features(*names, **settings):
    return load(features=names, **settings).features.tolist()


def equal(found, expected):
    return np.array_equal(found, expected, equal_nan=True)


def test_jets_of_atlas_have_their_fields_and_the_valid_tracks_beside_them():
    write(jets=JETS, tracks=TRACKS, eventwise=np.zeros(2, dtype=[("mu", "f4")]))
    b = sample("light", selection="label == 0")
    s = sample("tagged", selection="label != 0")
    asked = {
        "features": ("pt", "eta", "count(tracks_d0)", "sum(tracks_d0)", "sum(tracks_pt)"),
        "leading": {"tracks_d0": 2},
    }
    events = load(b, s, tree="jets", **asked)
    nan = np.nan
    assert equal(events.features, [[20, -1.5, 0, 0, 0, nan, nan], [10, 0.5, 2, 1, 0, 0, 1], [30, 2, 3, 29, 0, 8, 10]])


def test_fields_of_the_dataset_that_tree_names_come_before_those_beside_it():
    own = np.array([(1.0,), (2.0,), (3.0,)], dtype=[("tracks_pt", "f8")])
    write(vertices=own, tracks=JETS)
    assert features("tracks_pt", "tracks_label", tree="vertices") == [[1, 5], [2, 0], [3, 4]]


def test_without_a_flag_all_slots_are_elements_and_another_flag_selects():
    there = TRACKS["valid"]
    write(j__pt=TRACKS["d0"].astype("f8"), j__MASK=there, j__met=np.arange(3.0))
    assert features("count(pt)", "sum(pt[MASK])", "met", "pt_2", tree="j") == [
        [4, 1, 0, 2],
        [4, 0, 1, 6],
        [4, 29, 2, 10],
    ]


def test_a_matrix_has_columns_by_position_and_what_is_beside_it_belongs_to_it():
    write(x=np.arange(6.0).reshape(3, 2), y=[7, 8, 9])
    assert features("c1", "c0", "y", "x[0]", tree="x") == [[1, 0, 7, 0], [3, 2, 8, 2], [5, 4, 9, 4]]
    assert features("x_1", "y") == [[1, 7], [3, 8], [5, 9]]
    assert equal(load(leading={"x": 2}).features, np.arange(6).reshape(3, 2))


@pytest.mark.parametrize("kind", [h5py.string_dtype(), "S4"])
@pytest.mark.parametrize("where", ["names", "columns", "feature_names"])
def test_the_columns_of_a_matrix_are_named_by_an_attribute_or_a_dataset_beside_it(kind, where):
    names = np.array(["pt", "eta"], dtype=kind)
    write(x=np.arange(6.0).reshape(3, 2), y=[7, 8, 9])
    with h5py.File("s.h5", "a") as file:
        file["x"].attrs[where] = names
    assert features("eta", "pt", "y") == [[1, 0, 7], [3, 2, 8], [5, 4, 9]]
    write(x=np.arange(6.0).reshape(3, 2), y=[7, 8, 9], **{where: names})
    assert features("eta", "pt", tree="x") == features("eta", "pt") == [[1, 0], [3, 2], [5, 4]]


def test_numbers_that_are_called_names_name_nothing():
    write(x=np.zeros((2, 2)), columns=[7, 8])
    assert features("x_0", "columns") == [[0, 7], [0, 8]]


def test_names_that_do_not_fit_the_columns_are_refused():
    write(x=np.zeros((3, 2)))
    for names in (["a"], ["a", "a"]):
        with h5py.File("s.h5", "a") as file:
            file["x"].attrs["names"] = names
        with pytest.raises(ValueError, match=r"^s\.h5: array 'x' has 2 columns, which need as many different names"):
            features("c0")


def test_the_only_dataset_of_a_file_is_read_wherever_it_lies():
    write(deep__er__table=JETS)
    assert features("pt") == [[10], [20], [30]]


def test_lists_of_their_own_length_and_fields_of_several_values_are_lists():
    made = np.zeros(3, dtype=[("block", "f4", (2,)), ("x", "i8")])
    made["block"], made["x"] = [[1, 2], [3, 4], [5, 6]], [2**60 + 1, 2, 3]
    with h5py.File("s.h5", "w") as file:
        file["table"] = made
        file.create_dataset("j", (3,), dtype=h5py.vlen_dtype("f4"))
        file["j"][0], file["j"][2] = [1.5, 2.5], [3.5]
    events = load(features=("block[1]", "sum(j)"), leading={"j": 1}, spectators=("x",), tree="table")
    assert equal(events.features, [[2, 4, 1.5], [4, 0, np.nan], [6, 3.5, 3.5]])
    assert events.spectators["x"].tolist() == [2**60 + 1, 2, 3]


def test_numbers_of_every_kind_come_as_those_of_this_machine():
    write(x=np.array([1.5, 2], ">f8"), n=np.array([1, 2], ">i8"), half=np.array([1, 2], "f2"), flag=[True, False])
    events = load(features=("x", "n", "half", "flag"), spectators=("x", "n", "half", "flag"))
    assert events.features.tolist() == [[1.5, 1, 1, 1], [2, 2, 2, 0]]
    assert [column.dtype for column in events.spectators.values()] == ["=f8", "=i8", "=f4", "?"]


BAD = {
    "no such tree": ({"tree": "jet"}, r"dataset 'jet' is not in s\.h5; nearest: 'jets'"),
    "several lengths": ({}, r"s\.h5: it holds arrays of different lengths, few 2, image 3, .*; say with tree which to"),
    "a group of groups": ({"tree": "top"}, r"s\.h5, tree 'top': /top holds a, b and no dataset; say which to read w"),
    "an empty group": ({"tree": "void"}, r"s\.h5, tree 'void': /void holds nothing and no dataset"),
    "text": ({"features": ("text",), "tree": "jets"}, "column 'text' holds text; numbers and booleans can be used"),
    "bytes": ({"features": ("bytes",), "tree": "jets"}, "column 'bytes' holds text; numbers and booleans can be used"),
    "times": ({"features": ("when",), "tree": "rec"}, "column 'when' holds records; numbers and booleans can be used"),
    "lists of lists": ({"features": ("count(l)",), "tree": "rec2"}, "column 'l' holds lists of lists; numbers and"),
    "another length": ({"features": ("few",), "tree": "jets"}, "column 'few' is not there"),
    "a broken link": ({"tree": "gone"}, r"dataset 'gone' is not in s\.h5"),
    "no entries": ({"tree": "scalar", "features": ("scalar",)}, "column 'scalar' is not there"),
}


@pytest.mark.parametrize(("settings", "says"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_clear_line(settings, says):
    write(jets=JETS, few=[1, 2], image=np.zeros((3, 2, 2)), text=["a", "b", "c"], bytes=np.array([b"a", b"b", b"c"]))
    with h5py.File("s.h5", "a") as file:
        for name in ("top/a/x", "top/b/x"):
            file[name] = [1.0]
        file.create_group("void")
        file["gone"] = h5py.SoftLink("/nowhere")
        file["scalar"] = 5.0
        file.create_dataset("rec", (3,), dtype=[("when", [("s", "i4"), ("ns", "i4")])])
        file.create_dataset("rec2", (3, 2), dtype=[("l", h5py.vlen_dtype("f4"))])
    with pytest.raises(ValueError, match=says) as error:
        load(**{"features": ("pt",), **settings})
    assert "\n" not in str(error.value)


def test_what_a_filter_compressed_that_is_not_installed_says_so():
    with h5py.File("s.h5", "w") as file:
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk((4,))
        settings.set_filter(32099, h5py.h5z.FLAG_OPTIONAL)
        made = h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((4,)), settings)
        made.write_direct_chunk((0,), bytes(16), filter_mask=0)
    with pytest.raises(ValueError, match=r"^s\.h5 cannot be read: dataset 'x' needs filter 32099, which is not insta"):
        features("x")


def test_columns_that_nothing_names_are_not_read():
    with h5py.File("s.h5", "w") as file:
        file["x"] = [1.0, 2.0]
        file.create_dataset("broken", data=[3.0, 4.0], fletcher32=True, chunks=(2,))
    data = Path("s.h5").read_bytes()
    Path("s.h5").write_bytes(data.replace(np.float64(4.0).tobytes(), np.float64(5.0).tobytes()))
    assert features("x") == [[1], [2]]
    with pytest.raises(ValueError, match=r"^s\.h5 cannot be read: .*filter returned failure"):
        features("broken")


@pytest.mark.parametrize(("chunk", "cuts"), [(1, [0, 4, 8, 10]), (9, [0, 8, 10]), (100, [0, 10]), (4, [0, 4, 8, 10])])
def test_chunks_end_where_the_largest_pieces_do(chunk, cuts):
    with h5py.File("s.h5", "w") as file:
        file.create_dataset("x", data=np.arange(10.0), chunks=(4,))
        file.create_dataset("y", data=np.arange(10.0), chunks=(3,))
        file["z"] = np.arange(10)
    file = Datasets(find_sources("s.h5")[0], None)
    assert file.cuts(("x", "y", "z"), chunk) == cuts
    assert file.cuts(("z",), 9) == [0, 9, 10]
    file.close()


def test_the_sum_of_weights_is_a_dataset_a_field_or_an_attribute():
    counts = np.array((9, 8.0), dtype=[("n", "i8"), ("sumw", "f8")])
    write(jets=JETS, book__counts=counts, book__parts=[1.0, 3.0], attrs={"total": 16.0, "title": "a sample"})
    found = {
        "sumw": ({"tree": "book/counts", "branch": "sumw"}, 8),
        "parts": ({"tree": "book", "branch": "parts"}, 4),
        "total": ({"tree": "/", "branch": "total"}, 16),
        "label": ({"tree": "jets", "branch": "label"}, 9),
    }
    for where, total in found.values():
        one = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(**where))
        assert load(one, features=("pt",), tree="jets", luminosity_fb=10.0).sums["s"] == pytest.approx(10 * 3 / total)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"branch": "sum", "tree": "book/counts"}, r"branch of /book/counts: 'sum' is not in s\.h5; nearest: 'sumw'"),
        ({"branch": "sumw", "tree": "book/count"}, r"dataset 'book/count' is not in s\.h5; nearest: 'book/counts'"),
        ({"branch": "title"}, "sum_of_weights must be a number, not text as in 'title'"),
        ({"branch": "book"}, r"branch of /: 'book' is not in s\.h5; there are: 'jets', 'title'"),
        ({"histogram": "h"}, "sum_of_weights of an HDF5 file is a dataset, a field or an attribute"),
    ],
)
def test_a_sum_of_weights_that_is_not_there_says_so(where, says):
    counts = np.array((9, 8.0), dtype=[("n", "i8"), ("sumw", "f8")])
    write(jets=JETS, book__counts=counts, attrs={"title": "a sample"})
    one = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(**where))
    with pytest.raises(ValueError, match=says):
        load(one, features=("pt",), tree="jets", luminosity_fb=10.0)


def test_without_h5py_the_error_says_how_to_get_it(monkeypatch):
    write(x=[1.0])
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match=r"^data=hdf5 needs h5py; pip install 'hepclf\[io\]'$"):
        features("x")
