"""One content in every format gives one table, whatever the format: nothing else of it may show."""

import shutil
from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from hepclf.data.hdf5 import HDF5
from hepclf.data.npz import NPZ
from hepclf.data.parquet import Parquet
from hepclf.data.root import Root
from hepclf.data.samples import Sample

SLOTS = 5  # for the jets of an event, where a format has no lists of their own length


def content(events=200, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, SLOTS, events)
    flat = {
        "x": rng.normal(shift, size=events),
        "n": rng.integers(0, 9, events).astype(np.int32),
        "flag": rng.random(events) > 0.5,
        "w": rng.choice([1.0, -0.5], events, p=[0.8, 0.2]),
        "event": 2**60 + np.arange(events),
        "half": rng.normal(size=events).astype(np.float32),
    }
    jets = {"pt": rng.exponential(40, counts.sum()).astype(np.float32), "eta": rng.normal(size=counts.sum())}
    return flat, {name: ak.unflatten(values, counts) for name, values in jets.items()}


def root(name, flat, jets):
    columns = {**flat, **{f"Jet_{key}": values for key, values in jets.items()}}
    with uproot.recreate(name) as file:
        types = {key: values.dtype if key in flat else values.type.content for key, values in columns.items()}
        tree = file.mktree("t", types)
        for start in range(0, len(flat["x"]), 40):
            tree.extend({key: values[start : start + 40] for key, values in columns.items()})


def parquet(name, flat, jets):
    table = pa.table({**flat, "Jet": ak.to_arrow(ak.zip(jets), extensionarray=False)})
    pq.write_table(table, name, row_group_size=40)


def flat_parquet(name, flat, jets):
    lists = {f"Jet_{key}": ak.to_arrow(values, extensionarray=False) for key, values in jets.items()}
    pq.write_table(pa.table({**flat, **lists}), name, row_group_size=70, compression="zstd")


def records(flat):
    made = np.empty(len(flat["x"]), dtype=[(key, values.dtype) for key, values in flat.items()])
    for key, values in flat.items():
        made[key] = values
    return made


def slots(jets):
    """The jets of an event in so many slots, those that are there flagged; what is in the others means nothing."""
    there = np.arange(SLOTS) < ak.to_numpy(ak.num(jets["pt"]))[:, None]
    made = np.zeros(there.shape, dtype=[("pt", "f4"), ("eta", "f8"), ("valid", "?")])
    made["pt"] = made["eta"] = -99
    for key, values in jets.items():
        made[key][there] = ak.to_numpy(ak.flatten(values))
    made["valid"] = there
    return made


def atlas(name, flat, jets):
    with h5py.File(name, "w") as file:
        file.create_dataset("t", data=records(flat), chunks=(16,), compression="gzip", maxshape=(None,))
        file.create_dataset("Jet", data=slots(jets), chunks=(30, SLOTS), maxshape=(None, SLOTS))
        file["of other length"] = np.arange(3)


def group(name, flat, jets):
    with h5py.File(name, "w") as file:
        for key, values in flat.items():
            file[f"t/{key}"] = values
        for key, values in jets.items():
            made = file.create_dataset(
                f"t/Jet_{key}", len(values), dtype=h5py.vlen_dtype(values.type.content.content.primitive)
            )
            for event, inside in enumerate(values):
                made[event] = ak.to_numpy(inside)


def arrays(name, flat, jets):
    np.savez(name, **flat, Jet=slots(jets))


def array_of_records(name, flat, jets):
    np.savez_compressed(name, t=records(flat), Jet=slots(jets), other=np.arange(3))


FORMATS = {
    "root": (Root, {"tree": "t"}, "root", root),
    "parquet": (Parquet, {}, "parquet", parquet),
    "parquet of lists": (Parquet, {}, "pq", flat_parquet),
    "hdf5": (HDF5, {"tree": "t"}, "h5", atlas),
    "hdf5 group": (HDF5, {"tree": "t"}, "h5", group),
    "npz": (NPZ, {}, "npz", arrays),
    "npz of records": (NPZ, {"tree": "t"}, "npz", array_of_records),
}
ASKED = {
    "features": ("x", "n", "flag", "half", "max(Jet_pt)", "sum(Jet_pt[abs(Jet_eta) < 1])", "count(Jet_pt)"),
    "leading": {"Jet_pt": 2, "Jet_eta": 1},
    "spectators": ("event", "n", "flag"),
    "weight": "w * (1 + n / 8)",
    "selection": "x > -1 and count(Jet_pt) >= 1",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all of the content in all formats, a folder each."""
    made = tmp_path_factory.mktemp("formats")
    tables = {"b": content(seed=1), "s1": content(120, seed=2, shift=1.0), "s2": content(50, seed=3, shift=1.0)}
    for name, (_, _, suffix, write) in FORMATS.items():
        (made / name).mkdir()
        for table, what in {**tables, "nothing": content(0)}.items():
            write(made / name / f"{table}.{suffix}", *what)
    return made


@pytest.fixture(params=FORMATS)
def form(request, folder):
    """A function that loads the content from one format, whose files lie in the working directory."""
    recipe, settings, suffix, _ = FORMATS[request.param]
    shutil.copytree(folder / request.param, ".", dirs_exist_ok=True)

    def load(signal=("s1", "s2"), **asked):
        return recipe(samples=samples(suffix, signal), cache=False, **settings, **{**ASKED, **asked}).load()

    load.suffix = suffix
    return load


def samples(suffix, signal=("s1", "s2")):
    files = tuple(f"{name}.{suffix}" for name in signal)
    return (
        Sample(name="b", class_="background", files=f"b.{suffix}", cross_section_fb=30.0),
        Sample(name="s", class_="signal", files=files, cross_section_fb=2.0, selection="n < 7"),
    )


def same(one, other):
    assert one.names == other.names
    assert np.array_equal(one.features, other.features, equal_nan=True)
    for name in ("labels", "weights", "processes"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for name, values in one.spectators.items():
        assert np.array_equal(values, other.spectators[name]), name
        assert values.dtype == other.spectators[name].dtype, name


@pytest.mark.parametrize("chunk", [7, 100_000])
@pytest.mark.parametrize("settings", [{}, {"luminosity_fb": 10.0}, {"max_events": 130, "luminosity_fb": 10.0}])
def test_every_format_gives_the_table_that_root_files_give(form, folder, chunk, settings):
    shutil.copytree(folder / "root", ".", dirs_exist_ok=True)
    expected = Root(samples=samples("root"), tree="t", cache=False, **ASKED, **settings).load()
    assert 0 < (expected.weights < 0).sum() < len(expected)
    same(form(chunk=chunk, **settings), expected)


def test_yields_are_those_known_by_hand(form):
    assert form(luminosity_fb=10.0, selection=None, weight="w").sums["background"] == pytest.approx(300)


def test_a_wrong_name_is_told_with_the_nearest(form):
    with pytest.raises(ValueError, match=r"^b\..*expression 'Jet_p', column 1: column 'Jet_p' .*; nearest: 'Jet_pt'"):
        form(features=("Jet_p",))


@pytest.mark.parametrize("kept", [0, 0.001, 0.5, 0.95, None])
def test_a_damaged_file_stops_the_run_or_is_left_out_with_its_normalisation(form, kept):
    path = Path(f"s2.{form.suffix}")
    data = path.read_bytes()
    path.write_bytes(b"x,y\n" * 99 if kept is None else data[: int(kept * len(data))])
    with pytest.raises(ValueError, match=rf"^s2\.{form.suffix} cannot be read: ") as error:
        form()
    assert "\n" not in str(error.value)
    same(form(on_bad_file="skip", luminosity_fb=10.0), form(("s1",), luminosity_fb=10.0))


def test_a_file_that_is_not_there_says_so(form):
    Path(f"b.{form.suffix}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"^file 'b\.{form.suffix}' does not exist"):
        form()


def test_a_file_without_entries_is_read(form):
    events = form(("s1", "nothing", "s2"))
    same(events, form())
    assert events.origins[1].files == 3
