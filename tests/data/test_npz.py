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
    with pytest.raises(ValueError, match="sum_of_weights: array 'o' holds objects, however the sum of weights is a"):
        load(one, features=("x",), luminosity_fb=1.0)
    assert not Path("escaped").exists()


BAD = {
    "no such array": ({"tree": "z"}, r"^array 'z' is not in s\.npz; there are: "),
    "several lengths": (
        {},
        r"^s\.npz: it holds arrays of different lengths, x 3, few 2, image 3; say with tree which to read",
    ),
    "text": ({"tree": "x", "features": ("text",)}, "column 'text' holds text; numbers and booleans can be used"),
    "times": ({"tree": "x", "features": ("when",)}, r"column 'when' holds datetime64\[s\]; numbers and booleans can"),
    "an image": ({"tree": "x", "features": ("sum(image)",)}, "column 'image' holds 3-dimensional values"),
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
        ({"branch": "text"}, "sum_of_weights: 'text' holds text, however the sum of weights is a number"),
        ({"histogram": "h"}, r"sum_of_weights of an \.npz file is an array"),
    ],
)
def test_a_sum_of_weights_that_is_not_there_says_so(where, says):
    np.savez("s.npz", x=X, parts=[1.0, 3.0], text=["a"])
    one = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(**where))
    with pytest.raises(ValueError, match=says):
        load(one, features=("c0",), tree="x", luminosity_fb=10.0)
