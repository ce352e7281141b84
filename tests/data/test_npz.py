from pathlib import Path

import numpy as np
import pytest

from hepclf.data.npz import NPZ
from hepclf.data.samples import Sample, SumOfWeights

X = np.arange(6.0).reshape(3, 2)


def sample(name="s", files="s.npz", **settings):
    return Sample(name=name, class_=name, files=files, **settings)


def load(*samples, **settings):
    return NPZ(samples=samples or (sample(),), cache=False, **settings).load()


def features(*names, **settings):
    return load(features=names, **settings).features.tolist()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_columns_and_matrices_lists_and_columns_by_position(save):
    save("s.npz", x=np.asfortranarray(X), y=[7, 8, 9], w=np.array([1.0, -1, 2], ">f4"), scalar=5.0)
    assert features("x_1", "y", "x[0]") == [[1, 7, 0], [3, 8, 2], [5, 9, 4]]
    assert load(leading={"x": 2}, weight="w").features.tolist() == X.tolist()
    assert features("c1", "y", tree="x") == [[1, 7], [3, 8], [5, 9]]


@pytest.mark.parametrize("where", ["names", "columns", "feature_names"])
def test_names_beside_the_one_matrix_are_those_of_its_columns(where):
    np.savez("s.npz", x=X, y=[7, 8, 9], **{where: ["pt", "eta"]})
    assert features("eta", "pt", "y") == [[1, 0, 7], [3, 2, 8], [5, 4, 9]]


@pytest.mark.filterwarnings("ignore:Stored array in format")
def test_fields_of_records_have_their_array_in_front_but_those_of_the_tree():
    made = np.array([(1.0, 2), (3.0, 4)], dtype=[("pt", "f8"), ("Δφ", "i8")])
    np.savez("s.npz", jets=made, other=np.arange(5))
    assert features("pt", "`Δφ`", tree="jets") == [[1, 2], [3, 4]]
    np.savez("s.npz", jets=made)
    assert features("jets_pt") == [[1], [3]]


def test_objects_are_never_unpickled():
    class Escape:
        def __reduce__(self):
            return Path.touch, (Path("escaped"),)

    np.savez("s.npz", x=[1.0, 2.0], o=np.array([Escape(), 5], dtype=object))
    assert features("x") == [[1], [2]]
    with pytest.raises(ValueError, match=r"^s\.npz: column 'o' holds objects; numbers and booleans can be used"):
        features("o")
    one = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(branch="o"))
    with pytest.raises(ValueError, match="sum_of_weights must be a number, not objects as in array 'o'"):
        load(one, features=("x",), luminosity_fb=1.0)
    assert not Path("escaped").exists()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", ["s.npz", "s.npy"])
def test_an_image_is_the_list_of_its_pixels_which_are_features_with_two_numbers(name, order):
    images = np.asarray(np.arange(7 * 3 * 2, dtype=np.float32).reshape(7, 3, 2), order=order)
    if name == "s.npz":
        np.savez(name, image=images)
    else:
        np.save(name, images)
    column = "image" if name == "s.npz" else "x"
    events = load(sample(files=name), leading={column: (3, 2)}, spectators=(f"sum({column})",), chunk=2)
    assert events.names == tuple(f"{column}_{i}_{j}" for i in range(3) for j in range(2))
    assert events.features.reshape(images.shape).tolist() == images.tolist()
    assert events.spectators[f"sum({column})"].tolist() == images.sum((1, 2)).tolist()
    flat = load(sample(files=name), leading={column: 6})
    assert flat.names[5] == f"{column}_5"
    assert flat.features.tolist() == events.features.tolist()


BAD = {
    "no such array": ({"tree": "z"}, r"^array 'z' is not in s\.npz; there are: "),
    "several lengths": (
        {},
        r"^s\.npz: it holds arrays of different lengths, x 3, few 2, image 3; say with tree which to read",
    ),
    "text": ({"tree": "x", "features": ("text",)}, "column 'text' holds text; numbers and booleans can be used"),
    "times": ({"tree": "x", "features": ("when",)}, r"column 'when' holds datetime64\[s\]; numbers and booleans can"),
    "another length": ({"tree": "x", "features": ("few",)}, "column 'few' is not there"),
}


@pytest.mark.parametrize(("settings", "says"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_clear_line(settings, says):
    when = np.zeros(3, "M8[s]")
    np.savez("s.npz", x=X, few=[1, 2], text=["a", "b", "c"], when=when, image=np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match=says) as error:
        load(**{"features": ("x_0",), **settings})
    assert "\n" not in str(error.value)


def test_a_file_of_no_numbers_says_so():
    np.savez("s.npz", text=["a", "b"])
    with pytest.raises(ValueError, match=r"^s\.npz: it holds no arrays of numbers"):
        features("text")


def test_damage_is_found_where_it_is_read():
    np.savez("s.npz", x=np.arange(5000), broken=np.arange(5000) / 7)
    data = Path("s.npz").read_bytes()
    Path("s.npz").write_bytes(data.replace(np.float64(4999 / 7).tobytes(), np.float64(5.0).tobytes()))
    assert len(features("x")) == 5000
    with pytest.raises(ValueError, match=r"^s\.npz cannot be read: Bad CRC-32"):
        features("broken")


def test_the_sum_of_weights_is_an_array_or_a_field_of_records():
    book = np.array([(9, 8.0)], dtype=[("n", "i8"), ("sumw", "f8")])
    np.savez("s.npz", x=X, parts=[1.0, 3.0], book=book)
    for where, total in (({"branch": "parts"}, 4), ({"tree": "book", "branch": "sumw"}, 8)):
        one = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(**where))
        assert load(one, features=("c0",), tree="x", luminosity_fb=10.0).sums["s"] == pytest.approx(10 * 3 / total)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"branch": "part"}, r"array 'part' is not in s\.npz; nearest: 'parts'"),
        ({"branch": "sum", "tree": "parts"}, "sum_of_weights: array 'parts' has no field 'sum'"),
        ({"branch": "text"}, "sum_of_weights must be a number, not text as in 'text'"),
        ({"histogram": "h"}, r"sum_of_weights of an \.npz file is an array"),
    ],
)
def test_a_sum_of_weights_that_is_not_there_says_so(where, says):
    np.savez("s.npz", x=X, parts=[1.0, 3.0], text=["a"])
    one = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(**where))
    with pytest.raises(ValueError, match=says):
        load(one, features=("c0",), tree="x", luminosity_fb=10.0)


@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_a_matrix_that_was_saved_alone_is_read_in_stretches(order):
    values = np.arange(24.0).reshape(12, 2)
    np.save("s.npy", order(values))
    one = sample(files="s.npy")
    assert load(one, features=("c0", "c1"), chunk=5).features.tolist() == values.tolist()
    assert load(one, leading={"x": 2}, max_events=7, chunk=5).features.tolist() == values[:7].tolist()
    named = load(one, features=("eta", "pt / 2"), columns=("pt", "eta"), chunk=5)
    assert named.features.tolist() == np.column_stack([values[:, 1], values[:, 0] / 2]).tolist()


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("name", ["eta", "Δφ"])
def test_records_and_numbers_that_were_saved_alone_are_columns(name):
    np.save("s.npy", np.array([(1.0, 2), (3.0, 4)], dtype=[("pt", ">f8"), (name, "i8")]))
    assert load(sample(files="s.npy"), features=(f"`{name}`", "pt")).features.tolist() == [[2, 1], [4, 3]]
    np.save("s.npy", np.arange(3))
    assert load(sample(files="s.npy"), features=("x * 2",)).features.tolist() == [[0], [2], [4]]


def test_names_are_those_of_the_one_matrix_of_an_archive_too():
    np.savez("s.npz", x=X, w=[1.0, 2.0, 3.0])
    assert features("pt", "w", columns=("pt", "eta")) == [[0, 1], [2, 2], [4, 3]]


BAD_ARRAYS = {
    "too few names": (X, {"columns": ("pt",)}, r"columns must be 2 names, one a column of the matrix of s\.npy, not 1"),
    "no matrix": (X[:, 0], {"columns": ("pt",)}, r"columns needs s\.npy to hold one matrix, not 0"),
    "objects": (np.array([{}], dtype=object), {"features": ("x",)}, "column 'x' holds objects; numbers"),
    "another column": (X, {"features": ("pt",)}, r"s\.npy: .*column 'pt' is not there; there are: "),
}


@pytest.mark.parametrize(("array", "settings", "says"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_an_array_that_was_saved_alone_and_does_not_fit_is_one_clear_line(array, settings, says):
    np.save("s.npy", array)
    with pytest.raises(ValueError, match=says) as error:
        load(sample(files="s.npy"), **{"features": ("c0",), **settings})
    assert "\n" not in str(error.value)


def test_an_array_that_ends_early_and_a_sum_of_weights_in_it_are_refused():
    np.save("s.npy", X)
    one = sample(files="s.npy", cross_section_fb=1.0, sum_of_weights=SumOfWeights(branch="w"))
    with pytest.raises(ValueError, match=r"sum_of_weights of an \.npy file must be a number or events"):
        load(one, features=("c0",), luminosity_fb=1.0)
    Path("s.npy").write_bytes(Path("s.npy").read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"s\.npy cannot be read: it ends before its array does; is it truncated"):
        load(sample(files="s.npy"), features=("c0",))


def test_names_of_files_start_from_root():
    Path("deep").mkdir()
    np.save("deep/s.npy", X)
    assert load(sample(files="s.npy"), features=("c0",), root="deep").features.tolist() == [[0], [2], [4]]
    with pytest.raises(FileNotFoundError, match=r"file 'deep/t\.npy' does not exist; nearest: 's\.npy'"):
        load(sample(files="t.npy"), features=("c0",), root="deep")
