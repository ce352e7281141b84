"""What a file declares is compared with what it holds, and a file holds its own data."""

from __future__ import annotations

import io
import resource
import zipfile
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format

from hepclf.cli.errors import explain
from hepclf.data.hdf5 import Datasets
from hepclf.data.npz import open_arrays
from hepclf.data.parts import FileError, reading
from hepclf.data.samples import Source

h5py = pytest.importorskip("h5py")
GIGABYTE = 1 << 30


@contextmanager
def little_memory():
    """At most a gigabyte more than now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + GIGABYTE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def read(file, names=("x",)):
    with little_memory(), closing(file), reading(file):
        assert file.columns
        return [file.read(names, 0, min(file.entries, 5)), file.cuts(names, 100)]


def hdf5(make):
    with h5py.File("other.h5", "w") as file:
        file["x"] = np.arange(10.0)
    with h5py.File("a.h5", "w") as file:
        make(file.create_group("g"))
    return Datasets(Source("a.h5", None), "g")


def half_written(group):
    group.create_dataset("x", (10**12,), "f4", chunks=(1000,))[:1000] = 1


def virtual(group):
    layout = h5py.VirtualLayout(shape=(10,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(10,))
    group.create_virtual_dataset("x", layout)


def external(group):
    Path("secret").write_bytes(bytes(80))
    group.create_dataset("x", (10,), "f8", external=[("secret", 0, 80)])


def linked(group):
    group["x"] = h5py.ExternalLink("other.h5", "/x")


def linked_twice(group):
    group.file["far"] = h5py.ExternalLink("other.h5", "/")
    group["x"] = h5py.SoftLink("/far/x")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda group: group.create_dataset("x", (10**9,), "f4"), "declares 1,000,000,000 rows that were not all"),
        (lambda group: group.create_dataset("x", (10**12, 3), "f4", chunks=True), "declares 1,000,000,000,000 rows"),
        (half_written, "declares 1,000,000,000,000 rows that were not all written"),
        (virtual, "keeps them in other files; copy them into one file"),
        (external, "keeps them in other files"),
        (linked, "'x' is a link to another file; copy them into one file"),
        (linked_twice, "'far' is a link to another file"),
    ],
)
def test_a_dataset_of_hdf5_has_its_rows_in_the_file(make, says):
    with pytest.raises(FileError, match=rf"^a\.h5 must hold its own data, but .*{says}"):
        read(hdf5(make))


def test_a_link_to_another_file_is_not_opened():
    file = hdf5(linked)
    Path("other.h5").unlink()
    with pytest.raises(FileError, match="is a link to another file"):
        read(file)


def test_soft_links_are_followed_and_end_where_they_go_in_circles():
    def make(group):
        group.file["deep/x"] = np.arange(3.0)
        group["x"] = h5py.SoftLink("/deep/x")
        group["y"] = h5py.SoftLink("x")
        group["a"], group["b"] = h5py.SoftLink("b"), h5py.SoftLink("a")

    rows, _ = read(hdf5(make), ("x", "y"))
    assert rows["y"].tolist() == rows["x"].tolist() == [0, 1, 2]


def test_a_small_dataset_that_was_not_written_has_its_fill_value():
    rows, _ = read(hdf5(lambda group: group.create_dataset("x", (3,), "f4", fillvalue=2)))
    assert rows["x"].tolist() == [2, 2, 2]


def header(shape, descr="<f8"):
    text = io.BytesIO()
    write = format.write_array_header_2_0
    write(text, {"descr": descr, "fortran_order": False, "shape": shape})
    return text.getvalue()


@pytest.mark.parametrize(
    ("shape", "descr"), [((10**18,), "<f8"), ((10**18,), "|V0"), ((-5,), "<f8"), ((10**18,), "|O"), ((2**62, 8), "<f8")]
)
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_header_of_numpy_declares_no_more_than_the_file_holds(name, shape, descr):
    if name == "a.npy":
        Path(name).write_bytes(header(shape, descr) + bytes(800))
    else:
        with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("x.npy", header(shape, descr) + bytes(800))
    with pytest.raises(FileError, match=rf"^{name} cannot be read: it ends before its array does"):
        read(open_arrays(Source(name, None), None, ()))


def test_an_array_does_not_unpack_to_more_than_its_bytes_can_be():
    with zipfile.ZipFile("a.npz", "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("x.npy", header((10**6,)) + bytes(8 * 10**6))
    with pytest.raises(FileError, match="must be stored or deflated, as numpy writes it"):
        read(open_arrays(Source("a.npz", None), None, ()))


def test_the_advice_on_memory_names_the_file():
    names = np.zeros(3, dtype=[("ü€", "f8")])
    text = io.BytesIO()
    with pytest.warns(UserWarning, match="format 3"):
        np.save(text, names)
    Path("a.npy").write_bytes(
        text.getvalue().replace(b"(3,)", b"(9" + b"9" * 11 + b",)").replace(b" " * 11 + b"\n", b"\n")
    )
    with pytest.raises(MemoryError) as caught:
        read(open_arrays(Source("a.npy", None), None, ()), ("ü€",))
    line = explain(caught.value)[0]
    assert line.startswith("out of memory (a.npy: Unable to allocate ")
    assert "it may be damaged, or chunk too large" in line
