import os
import re
import shlex
from itertools import pairwise
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from hepclf.cli.main import main
from hepclf.data.root import Root, chunk_cuts
from hepclf.data.samples import Sample, SumOfWeights
from hepclf.recipe import build

REAL = os.environ.get("HEPCLF_REAL_DATA")
real = pytest.mark.skipif(REAL is None, reason="HEPCLF_REAL_DATA does not name the folder of real data")
FORMATS = ("TTree", "RNTuple")


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


def test_a_branch_of_arrays_of_fixed_size_gives_pixels():
    images = np.arange(5 * 2 * 3, dtype=np.float32).reshape(5, 2, 3)
    with uproot.recreate("s.root") as file:
        file.mktree("t", {"cells": np.dtype(("f4", (2, 3))), "x": "f4"})
        file["t"].extend({"cells": images, "x": np.arange(5.0)})
    events = load(sample(), features=("x",), leading={"cells": (2, 3)}, spectators=("max(cells)",), chunk=2)
    assert events.names == ("x", *(f"cells_{i}_{j}" for i in range(2) for j in range(3)))
    assert events.features[:, 1:].reshape(images.shape).tolist() == images.tolist()
    assert events.spectators["max(cells)"].tolist() == images.max((1, 2)).tolist()


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


@pytest.mark.parametrize("compression", [None, uproot.ZLIB(1), uproot.LZMA(1), uproot.LZ4(1), uproot.ZSTD(1)])
def test_every_compression_is_read(form, compression):
    x = np.arange(1000) // 10
    events = load(sample(files=write("s.root", form=form, compression=compression, x=x)), features=("x",))
    assert np.array_equal(events.features[:, 0], x)


def test_spectators_keep_their_integers_exactly(form):
    write("a.root", form=form, x=[1.0, 2.0], event=np.array([2**63 + 1, 7], dtype=np.uint64))
    write("b.root", form=form, x=[3.0], event=np.array([2**64 - 1], dtype=np.uint64))
    events = load(sample(files=("a.root", "b.root")), features=("x",), spectators=("event",))
    assert events.spectators["event"].dtype == np.uint64
    assert events.spectators["event"].tolist() == [2**63 + 1, 7, 2**64 - 1]


def test_types_of_features_may_differ_between_files_and_booleans_count():
    write("a.root", x=np.array([1, 2], dtype=np.int16), flag=[True, False])
    write("b.root", x=np.array([2.5]), flag=np.array([3], dtype=np.int32))
    events = load(sample(files=("a.root", "b.root")), features=("x", "flag"), spectators=("x",))
    assert events.features.tolist() == [[1, 1], [2, 0], [2.5, 3]]
    assert events.spectators["x"].tolist() == [1, 2, 2.5]


def test_missing_values_are_features_and_select_nothing():
    write("s.root", x=[1.0, np.nan, 3.0], j=[[1.0], [], [2.0]])
    assert np.isnan(load(sample(), features=("x",)).features[1, 0])
    for selection in ("j[0] > 0", "j[0]"):
        assert len(load(sample(), features=("x",), selection=selection)) == 2


def test_many_files_are_read_one_after_another(monkeypatch, form):
    monkeypatch.setattr("hepclf.data.parts.KEPT_OPEN", 3)
    for i in range(12):
        write(f"s{i:02}.root", form=form, x=[2.0 * i, 2.0 * i + 1], pieces=2)
    events = load(sample(files="s*.root"), features=("x",), chunk=1)
    assert events.features[:, 0].tolist() == list(range(24))


def test_columns_are_read_by_their_very_names():
    write("s.root", **{"x": [1.0], "x_1": [2.0], "x*": [3.0], "a.b": [4.0]})
    events = load(sample(), features=("`x*`", "x", "`a.b`"))
    assert events.features.tolist() == [[3, 1, 4]]


def test_the_table_grows_in_place_under_a_selection(monkeypatch):
    write("s.root", x=np.arange(5000.0), pieces=50)
    events = load(sample(), features=("x",), selection="x >= 10", spectators=("x",), chunk=100)
    assert np.array_equal(events.features[:, 0], np.arange(10, 5000))
    assert np.array_equal(events.spectators["x"], np.arange(10, 5000))
    assert events.features.base is None or events.features.base.nbytes == events.features.nbytes


TOO_SHORT = "it ends before its data do; is it truncated, or still being written?"


def truncate(name="s.root", keep=0.5):
    path = Path(name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])


def scramble(name="s.root"):
    """Break the compressed data of the last basket, so that only reading it fails."""
    path = Path(name)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"ZS")
    data[place + 9 : place + 40] = bytes(31)
    path.write_bytes(data)


def entries(name="s.root", **columns):
    columns = {"x": np.arange(100.0), "met_pt": np.ones(100), "j": [[1.0]] * 100, **columns}
    tables = {"sums": {"total": [0.0], "minus": [-2.0]}, "h": (np.array([1.0, 2.0]), np.array([0.0, 1, 2]))}
    return write(name, compression=uproot.ZSTD(1), pieces=10, also=tables, **columns)


def scaled(**settings):
    return {"luminosity_fb": 1.0, "sample": {"cross_section_fb": 1.0, **settings}}


def summed(**where):
    return scaled(sum_of_weights=SumOfWeights(**where))


BAD = {
    "a file that is not there": ({"sample": {"files": "t.root"}}, "file 't.root' does not exist; nearest: 's.root'"),
    "a pattern without match": ({"sample": {"files": "t*.root"}}, "no file matches 't*.root'"),
    "a folder": ({"sample": {"files": "."}}, "file '.' is a folder; name files in it, such as '*.root'"),
    "a file twice": (
        {"sample": {"files": ("s.root", "s*.root")}},
        "file 's.root' is named twice; its events would count double",
    ),
    "no tree of this name": ({"tree": "Events"}, "tree 'Events' is not in s.root; there are: 't', 'sums'"),
    "no tree named": ({"tree": None}, "s.root: it holds t, sums; say which to read with tree"),
    "a histogram for a tree": ({"tree": "h"}, "s.root: 'h' is no tree but a TH1D"),
    "an unknown feature": (
        {"features": ("x", "met / 2")},
        "s.root, tree 't': expression 'met / 2', column 1: column 'met' is not there; nearest: 'met_pt'",
    ),
    "an unknown weight": ({"weight": "met"}, "column 'met' is not there; nearest: 'met_pt'"),
    "an unknown spectator": ({"spectators": ("met",)}, "column 'met' is not there; nearest: 'met_pt'"),
    "an unknown cut": ({"selection": "met > 1"}, "column 'met' is not there; nearest: 'met_pt'"),
    "code": ({"features": ("().__class__",)}, "expression '().__class__', column 3: '.' is no part of the language"),
    "lists for a feature": (
        {"features": ("j",)},
        "s.root, tree 't': expression 'j', column 1: it gives a list an event",
    ),
    "one number for a list": (
        {"features": ("x[0]",)},
        "s.root, tree 't': expression 'x[0]', column 1: [0] takes the list of an event",
    ),
    "leading of a flat branch": ({"leading": {"x": 2}}, "[0] takes the list of an event"),
    "no leading object": ({"leading": {"j": 0}}, "leading.j must be at least 1, not 0"),
    "no pixel": ({"leading": {"j": (2, 0)}}, "leading.j must be at least 1, not (2, 0)"),
    "no shape": ({"leading": {"j": ()}}, "leading.j must be at least 1, not an empty list"),
    "leading named twice": (
        {"leading": {"j": 1}, "features": {"j_0": "x"}},
        "feature 'j_0' is named by features and by leading; drop one of the two",
    ),
    "a feature twice": ({"features": ("x", "x")}, "features must be different names, not 'x' twice"),
    "no features": ({"features": ()}, "features must name at least one, not none"),
    "a weight that is not a number": (
        {"weight": "log(x - 55)", "selection": "x > 60"},
        "s.root, tree 't', entry 0: weight 'log(x - 55)' is nan; weights must be finite",
    ),
    "an infinite weight": (
        {"weight": "1 / (x - 55)", "chunk": 10},
        "s.root, tree 't', entry 55: weight '1 / (x - 55)' is inf",
    ),
    "an infinite feature": (
        {"features": ("1 / (x - 55)",), "selection": "x > 42"},
        "s.root, tree 't', entry 55: feature '1 / (x - 55)' is inf, infinite in single precision",
    ),
    "a feature beyond float32": ({"features": {"big": "x * 1e38"}}, "entry 4: feature 'big' is 4e+38, infinite in"),
    "nothing selected": (
        {"selection": "x < 0"},
        "class 's' has no events: the selection 'x < 0' keeps none of its 100 entries",
    ),
    "no cross section": (
        {"luminosity_fb": 1.0},
        "sample 's' has no cross section, which luminosity_fb=1 needs; give it cross_section_pb or",
    ),
    "a sum of zero": (
        scaled() | {"weight": "x - 49.5"},
        "the weights of sample 's' sum to 0 before the selection; they must sum to more than 0",
    ),
    "a stored sum of zero": (summed(branch="total", tree="sums"), "the weights of sample 's' sum to 0 before"),
    "a stored sum below zero": (summed(branch="minus", tree="sums"), "the weights of sample 's' sum to -2 before"),
    "no such branch of sums": (
        summed(branch="totals", tree="sums"),
        "sum_of_weights: branch 'totals' is not in tree 'sums'; nearest: 'total'",
    ),
    "no such tree of sums": (
        summed(branch="total", tree="Runs"),
        "tree 'Runs' is not in s.root; there are: 't', 'sums'",
    ),
    "lists of sums": (summed(branch="j"), "the sum of weights must be a number, not var * float64 as in branch 'j'"),
    "no such histogram": (summed(histogram="hist"), "histogram 'hist' is not in s.root"),
    "a tree for a histogram": (summed(histogram="t"), "s.root, tree 't': 't' is no histogram but a TTree"),
    "no such bin": (
        summed(histogram="h", bin=4),
        "bin must be one of 0..3 of a histogram with one axis, not 4",
    ),
    "a luminosity of zero": ({"luminosity_fb": 0.0}, "luminosity_fb must be above 0, not 0"),
    "no chunk": ({"chunk": 0}, "chunk must be at least 1, not 0"),
}


@pytest.mark.parametrize(("settings", "says"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_clear_line(settings, says):
    entries()
    own = settings.get("sample", {})
    others = {key: value for key, value in settings.items() if key != "sample"}
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load(sample(**own), **{"features": ("x",), **others})
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_text_is_refused():
    with uproot.recreate("s.root") as file:
        file.mkrntuple("t", {"x": np.array([1.0]), "name": ak.Array(["a"])})
    with pytest.raises(ValueError, match=r"s\.root, tree 't': expression 'name', column 1: column 'name' holds text"):
        load(sample(), features=("name",))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda: truncate(keep=0.5), f"s.root cannot be read: {TOO_SHORT}"),
        (lambda: truncate(keep=0.001), f"s.root cannot be read: {TOO_SHORT}"),
        (lambda: truncate(keep=0), f"s.root cannot be read: {TOO_SHORT}"),
        (lambda: Path("s.root").write_text("x,y\n" * 200), "s.root cannot be read: not a ROOT file"),
        (scramble, "s.root cannot be read: "),
    ],
    ids=["half", "head", "empty", "csv", "scrambled"],
)
def test_a_damaged_file_stops_the_run_or_is_left_out_with_its_normalisation(damage, says, caplog):
    where = SumOfWeights(branch="sumw", tree="Runs")
    good, bad = (sample("s", files, cross_section_fb=2.0, sum_of_weights=where) for files in ("a.root", "[as].root"))
    for name in ("a.root", "s.root"):
        write(name, x=np.arange(100.0), pieces=10, compression=uproot.ZSTD(1), also={"Runs": {"sumw": [400.0]}})
    damage()
    with pytest.raises(ValueError, match="^" + says.replace("?", r"\?")) as error:
        load(bad, features=("x",), chunk=10)
    assert "\n" not in str(error.value)
    without, skipped = (
        load(one, features=("x",), chunk=10, luminosity_fb=5.0, on_bad_file="skip") for one in (good, bad)
    )
    assert without.sums["s"] == pytest.approx(10 / 4)
    assert skipped.sums == without.sums
    assert np.array_equal(skipped.features, without.features)
    assert "s: 1 of 2 files cannot be read and are left out, with their normalisation: s.root" in caplog.text


def test_branches_that_nothing_names_are_not_read():
    write("s.root", x=np.arange(100.0), broken=np.arange(100.0), compression=uproot.ZSTD(1))
    scramble()
    assert len(load(sample(), features=("x",))) == 100
    with pytest.raises(ValueError, match=r"s\.root cannot be read"):
        load(sample(), features=("broken",))


@pytest.mark.parametrize(
    ("coarse", "fine", "chunk", "cuts"),
    [
        ([0, 10, 20, 30, 35], [], 10, [0, 10, 20, 30, 35]),
        ([0, 10, 20, 30, 35], [0, 5, 35], 25, [0, 20, 35]),
        ([0, 10, 20, 30, 35], [], 100, [0, 35]),
        ([0, 30, 60], [0, 10, 20, 30, 60], 10, [0, 30, 60]),  # each is decompressed once
        ([0, 5, 55, 60], [0, 8, 30, 33, 55, 60], 10, [0, 8, 30, 33, 55, 60]),  # too large to be kept whole
        ([0, 100], [0, 100], 10, [0, 100]),  # there is nowhere to cut
        ([0], [0], 10, [0]),
        ([0], [], 10, [0]),
    ],
)
def test_chunks_end_where_blocks_do(coarse, fine, chunk, cuts):
    assert chunk_cuts(coarse, fine, chunk) == cuts


def test_a_missing_file_may_be_left_out_but_not_all_files(caplog):
    entries("a.root")
    assert len(load(sample(files=("a.root", "gone.root")), features=("x",), on_bad_file="skip")) == 100
    assert "gone.root" in caplog.text
    with pytest.raises(ValueError, match=r"sample 's' has no file that can be read; the first: file 'gone\.root' does"):
        load(sample(files="gone.root"), features=("x",), on_bad_file="skip")


def test_a_stated_sum_cannot_leave_a_file_out():
    entries("a.root")
    one = sample(files=("a.root", "gone.root"), cross_section_fb=1.0, sum_of_weights=10.0)
    with pytest.raises(ValueError, match=r"sum_of_weights=10 of sample 's' includes the part of gone\.root, which"):
        load(one, features=("x",), on_bad_file="skip", luminosity_fb=1.0)


@pytest.mark.parametrize("kept_open", [0, 100])
def test_a_file_that_shrinks_or_vanishes_between_look_and_read_is_an_error(monkeypatch, kept_open):
    from hepclf.data import ntuples

    entries()
    monkeypatch.setattr("hepclf.data.parts.KEPT_OPEN", kept_open)
    inspect_parts = ntuples.inspect_parts

    def then_shrink(*args, **settings):
        inspect_parts(*args, **settings)
        truncate(keep=0) if kept_open else Path("s.root").unlink()

    monkeypatch.setattr(ntuples, "inspect_parts", then_shrink)
    with pytest.raises((ValueError, FileNotFoundError), match=r"s\.root"):
        load(sample(), features=("x",))


def test_a_class_of_empty_files_says_so():
    write("s.root", x=np.empty(0))
    with pytest.raises(ValueError, match=r"class 's' has no events: its files, such as s\.root, tree 't', hold no"):
        load(sample(), features=("x",))


def test_a_process_without_selected_events_is_warned_of(caplog):
    entries("a.root")
    entries("b.root")
    events = load(sample("a", "a.root", "s"), sample("b", "b.root", "s", selection="x < 0"), features=("x",))
    assert events.processes.max() == 0
    assert "b: 0 of 100 entries selected" in caplog.text
    assert "a: 100" not in caplog.text


def test_integers_that_no_type_holds_are_refused():
    write("a.root", x=[1.0], n=np.array([-1], dtype=np.int64))
    write("b.root", x=[1.0], n=np.array([1], dtype=np.uint64))
    with pytest.raises(ValueError, match=r"spectator 'n' is uint64 in b\.root, tree 't' and int64 before"):
        load(sample(files="?.root"), features=("x",), spectators=("n",))


def test_the_page_keeps_its_word(capsys):
    page = (Path(__file__).parents[2] / "docs" / "root.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    commands = [shlex.split(line[2:])[1:] for line in page.splitlines() if line.startswith("$ hepclf")]
    assert len(text.splitlines()) <= 25
    Path("ntuples").mkdir()
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text(text)
    rng = np.random.default_rng(0)
    for name, shift in {"dy_1": 0, "dy_2": 0, "ttbar_1": 2, "ttbar_2": 2}.items():
        counts = rng.poisson(1 + shift, 300)
        weights = rng.choice([1.0, -1.0], 300, p=[0.9, 0.1])
        write(
            f"ntuples/{name}.root",
            tree="Events",
            also={"Runs": {"genEventSumw": [weights.sum()]}},
            Jet_pt=ak.unflatten(rng.exponential(40 + 10 * shift, counts.sum()), counts),
            Jet_eta=ak.unflatten(rng.normal(size=counts.sum()), counts),
            MET_pt=rng.exponential(20 + 20 * shift, 300),
            event=np.arange(300),
            genWeight=weights,
        )
    for words in commands:
        few = ["trainer.epochs=2", "evaluation.plots=false"] if words[0] == "train" else []
        assert main([*words, *few]) == 0, capsys.readouterr().err
    events = build(Root, yaml.safe_load(text.replace('"${seed}"', "0")) | {"selection": None}, "data").load()
    assert events.sums["signal"] == pytest.approx(59.8e3 * 687.1 * 1.21 * 0.105)
    assert events.names == (
        "MET_pt",
        "count(Jet_pt)",
        "sum(Jet_pt[abs(Jet_eta) < 2.5])",
        "Jet_pt_0",
        "Jet_pt_1",
        "Jet_eta_0",
        "Jet_eta_1",
    )


def real_load(*samples, **settings):
    return Root(samples=samples, **settings).load().check()


@real
def test_higgs_of_two_trees_is_read():
    path = f"{REAL}/higgs_20k.root"
    features = ("lepton_pT", "m_jj", "m_jjj", "m_lv", "m_jlv", "m_bb", "m_wbb", "m_wwbb")
    both = sample("bkg", f"{path}:bkg_tree", "background"), sample("sig", f"{path}:sig_tree", "signal")
    events = real_load(*both, features=features)
    assert events.counts == {"background": 10_000, "signal": 10_000}
    assert 0.9 < np.nanmean(events.features) < 1.1


@real
def test_a_weight_may_be_that_of_one_tree_alone():
    path = f"{REAL}/tmva_class_example.root"
    both = sample("b", f"{path}:TreeB", "background", weight="weight"), sample("s", f"{path}:TreeS", "signal")
    events = real_load(*both, features=("var1", "var2", "var3", "var4"))
    assert events.sums["signal"] == 6000
    assert events.sums["background"] == pytest.approx(2158.38, rel=1e-5)


@real
def test_signed_weights_and_lists_of_nanoaod_sum_to_the_expected_yields():
    both = (
        sample("dy", f"{REAL}/nano_dy.root", "background", cross_section_pb=6077.0),
        sample("ttbar", f"{REAL}/nano_ttbar.root", "signal", cross_section_pb=88.3),
    )
    cut = {"features": ("count(Jet_pt)",), "leading": {"Jet_pt": 2}, "weight": "genWeight", "spectators": ("event",)}
    events = real_load(*both, **cut, tree="Events", luminosity_fb=59.8)
    assert events.sums == pytest.approx({"background": 59.8e3 * 6077, "signal": 59.8e3 * 88.3})
    assert (events.weights < 0).mean() == pytest.approx((0.13 * 200 + 0.225 * 40) / 240, abs=0.01)
    assert events.spectators["event"].dtype == np.uint64


@real
def test_three_compressions_hold_one_table():
    tables = [
        real_load(
            sample(files=f"{REAL}/hzz_{kind}.root"), leading={"Jet_Px": 3}, features=("NMuon",), weight="EventWeight"
        )
        for kind in ("lz4", "lzma", "zstd")
    ]
    assert len(tables[0]) == 2421
    for other in tables[1:]:
        assert np.array_equal(other.features, tables[0].features, equal_nan=True)
        assert np.array_equal(other.weights, tables[0].weights)


@real
def test_an_rntuple_of_another_writer_is_read():
    events = real_load(sample(files=f"{REAL}/dimuon_rntuple.root"), features=("nMuon",), leading={"Muon_pt": 2})
    assert len(events) == 1000
    assert (np.isfinite(events.features[:, 1:]).sum(axis=1) == np.minimum(events.features[:, 0], 2)).all()
