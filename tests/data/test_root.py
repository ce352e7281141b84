import os
from itertools import pairwise

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf.data.root import Root
from hepclf.data.samples import Sample, SumOfWeights

REAL = os.environ.get("HEPCLF_REAL_DATA")
real = pytest.mark.skipif(REAL is None, reason="HEPCLF_REAL_DATA does not name the folder of real data")
FORMATS = ("TTree", "RNTuple")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, *, tree="t", form="TTree", compression=None, pieces=1, also=(), **columns):
    """A small ROOT file: the columns of its tree, in so many pieces, and histograms and trees beside it."""
    arrays = {key: ak.Array(values) for key, values in columns.items()}
    length = len(next(iter(arrays.values())))
    bounds = np.linspace(0, length, pieces + 1).astype(int)
    with uproot.recreate(name, compression=compression) as file:
        make = file.mktree if form == "TTree" else file.mkrntuple
        types = {key: array.type.content if form == "TTree" else array[:0] for key, array in arrays.items()}
        made = make(tree, types)
        for low, high in pairwise(bounds):
            made.extend({key: array[low:high] for key, array in arrays.items()})
        for key, value in dict(also).items():
            if isinstance(value, dict):
                file.mktree(key, {branch: np.asarray(values).dtype for branch, values in value.items()}).extend(value)
            else:
                file[key] = value
    return str(name)


def sample(name="s", files="s.root", class_=None, **settings):
    return Sample(name=name, files=files, class_=class_ or name, **settings)


def load(*samples, **settings):
    return Root(samples=samples, **{"tree": "t", **settings}).load()


@pytest.fixture(params=FORMATS)
def form(request):
    return request.param


# Two processes whose yields are known by hand. The signal: 2 fb x 1.5 x 0.5 x 100 /fb = 150 expected events, weights
# 1, 1, -1 in one file and 2, 1, 1, -1, 2 in the other, 6 in all. The background: 30 fb x 100 /fb = 3000 expected
# events, weights 0.5, 0.5, 0.5, 0.5 in one file and -1 in the other, 1 in all.
SIGNAL = sample(
    "signal", ("s1.root", "s2.root"), cross_section_pb=0.002, k_factor=1.5, filter_efficiency=0.5, weight="w"
)
BACKGROUND = sample("zz", "b*.root", "background", cross_section_fb=30.0, weight="w")


def toy(form="TTree"):
    write("s1.root", form=form, x=[1.0, 2, 3], w=[1.0, 1, -1], also={"Runs": {"sumw": [1.0, 1.0]}})
    write("s2.root", form=form, x=[4.0, 5, 6, 7, 8], w=[2.0, 1, 1, -1, 2], also={"Runs": {"sumw": [10.0]}})
    write("b1.root", form=form, x=[1.0, 2, 3, 4], w=[0.5, 0.5, 0.5, 0.5])
    write("b2.root", form=form, x=[5.0], w=[-1.0])


def yields(*samples, **settings):
    return load(*samples, features=("x",), luminosity_fb=100.0, **settings).sums


def changed(one, **settings):
    return Sample(**{**vars(one), **settings})


def test_the_yields_of_two_processes_are_those_known_by_hand(form):
    toy(form)
    assert yields(BACKGROUND, SIGNAL) == pytest.approx({"background": 3000, "signal": 150})


def test_a_selection_takes_its_share_of_the_yield(form):
    toy(form)
    # x > 2 leaves -1 + 5 of the 6 of the signal, and 0.5 + 0.5 - 1 of the 1 of the background
    assert yields(BACKGROUND, SIGNAL, selection="x > 2") == pytest.approx({"background": 0, "signal": 100})
    # anded with x < 5 of the signal's own: -1 + 2
    own = changed(SIGNAL, selection="x < 5")
    assert yields(BACKGROUND, own, selection="x > 2")["signal"] == pytest.approx(25)


@pytest.mark.parametrize("limit", [2, 4, 5, 8, 100])
def test_fewer_entries_stand_for_the_whole_sample(limit):
    toy()
    assert yields(BACKGROUND, changed(SIGNAL, max_events=limit))["signal"] == pytest.approx(150)
    assert yields(BACKGROUND, SIGNAL, max_events=limit) == pytest.approx({"background": 3000, "signal": 150})


def test_fewer_entries_take_their_fraction_of_a_stated_sum():
    toy()
    # 4 of 8 entries, of weights 1, 1, -1, 2; 12 were generated, so these stand for 6
    stated = changed(SIGNAL, sum_of_weights=12.0)
    assert yields(BACKGROUND, stated)["signal"] == pytest.approx(150 * 6 / 12)
    assert yields(BACKGROUND, changed(stated, max_events=4))["signal"] == pytest.approx(150 * 3 / 6)
    # the first file holds a sum of 2, the second 10, of which one fifth of the entries is read
    stored = changed(SIGNAL, sum_of_weights=SumOfWeights(branch="sumw", tree="Runs"))
    assert yields(BACKGROUND, stored)["signal"] == pytest.approx(150 * 6 / 12)
    assert yields(BACKGROUND, changed(stored, max_events=4))["signal"] == pytest.approx(150 * 3 / 4)
    assert yields(BACKGROUND, changed(stored, max_events=3))["signal"] == pytest.approx(150 * 1 / 2)


def test_the_sum_of_weights_may_be_a_histogram_or_one_of_its_bins():
    histogram = np.array([3.0, 5.0, 0.0]), np.array([0.0, 1, 2, 3])
    write("s.root", x=[1.0, 2.0], also={"sums": histogram})
    write("b.root", x=[1.0, 2.0])
    b = sample("b", "b.root", cross_section_fb=1.0)
    for where, total in (({}, 8), ({"bin": 1}, 3), ({"bin": 2}, 5)):
        s = sample(cross_section_fb=1.0, sum_of_weights=SumOfWeights(histogram="sums", **where))
        assert yields(b, s)["s"] == pytest.approx(100 * 2 / total)


def test_a_file_that_lost_all_entries_to_a_skim_keeps_its_part_of_the_normalisation():
    write("s1.root", x=[1.0, 2.0], also={"Runs": {"sumw": [2.0]}})
    write("s2.root", x=np.empty(0), also={"Runs": {"sumw": [3.0]}})
    write("b.root", x=[1.0])
    s = sample(files="s?.root", cross_section_fb=1.0, sum_of_weights=SumOfWeights(branch="sumw", tree="Runs"))
    assert yields(sample("b", "b.root", cross_section_fb=1.0), s)["s"] == pytest.approx(100 * 2 / 5)


def test_without_luminosity_weights_count_as_they_are():
    toy()
    assert load(BACKGROUND, SIGNAL, features=("x",)).weights.tolist() == [
        0.5,
        0.5,
        0.5,
        0.5,
        -1,
        1,
        1,
        -1,
        2,
        1,
        1,
        -1,
        2,
    ]
    plain = changed(SIGNAL, weight=None)
    assert load(BACKGROUND, plain, features=("x",)).sums == {"background": 1, "signal": 8}
    assert load(BACKGROUND, plain, features=("x",), weight="w * 2").sums == {"background": 1, "signal": 12}
    assert load(BACKGROUND, changed(SIGNAL, weight=3.0), features=("x",)).sums["signal"] == 24


def test_events_come_in_the_order_of_samples_files_and_entries(form):
    toy(form)
    events = load(SIGNAL, BACKGROUND, features={"double": "x * 2"}, spectators={"position": "x"}, chunk=2)
    assert events.names == ("double",)
    assert events.spectators["position"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5]
    assert events.features[:, 0].tolist() == [2 * x for x in events.spectators["position"]]
    assert events.classes == ("background", "signal")
    assert events.process_names == ("signal", "zz")
    assert events.processes.tolist() == [0] * 8 + [1] * 5
    assert events.labels.tolist() == [1] * 8 + [0] * 5
    assert load(SIGNAL, BACKGROUND, features=("x",), classes=("signal", "background")).labels[0] == 0


@pytest.mark.parametrize("pieces", [1, 3, 10])
@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
def test_chunks_change_nothing(form, pieces, chunk):
    x, lists = np.arange(100.0), [list(range(i % 4)) for i in range(100)]
    write("s.root", form=form, pieces=pieces, x=x, j=lists)
    write("b.root", form=form, x=[0.0], j=[[1]])
    events = load(
        *(sample("b", "b.root"), sample()),
        features=("x", "sum(j)"),
        leading={"j": 3},
        selection="x % 3 != 1 and x < 90",
        chunk=chunk,
        max_events=95,
    )
    kept = [i for i in range(90) if i % 3 != 1]
    assert events.names == ("x", "sum(j)", "j_0", "j_1", "j_2")
    found = events.features[events.labels == 1]
    assert found[:, 0].tolist() == kept
    assert found[:, 1].tolist() == [sum(lists[i]) for i in kept]
    for n in range(3):
        assert np.array_equal(found[:, 2 + n], [n if i % 4 > n else np.nan for i in kept], equal_nan=True)
