"""NPZ: events from arrays in numpy's .npz and .npy files, process by process."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format
from numpy.typing import NDArray

from hepclf.data.arrays import NAMES, Array, ArrayFile, Arrays, array_sum, guarded, missing_array, with_column_names
from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File
from hepclf.data.samples import Source, SumOfWeights
from hepclf.recipe import recipe

MOST_EXPANDED = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}  # bytes that one compressed byte can become
SLACK = 1 << 10  # bytes, of a very small array
NPY_ARRAY = "x"  # what the array of an .npy file is called


@recipe
class NPZ(Ntuples):
    """Events from .npz and .npy files, as processes with their classes, weights and cross sections.

    Each array has one entry per event. An array x with more dimensions is a list per event and gives the columns x_0,
    x_1...; one of records gives its fields as x_field. If tree names an array, its columns have names of their own: c0,
    c1..., or the fields. The array of an .npy file is read in this way; its name is x.

    columns  names of the columns of the only matrix in a file; by default those in the file, or c0, c1...
    """

    columns: tuple[str, ...] = ()

    def open(self, source: Source, tree: str | None, pool: Executor) -> File:  # noqa: ARG002
        """The arrays of a file."""
        return open_arrays(source, tree, self.columns)


def open_arrays(source: Source, tree: str | None, columns: tuple[str, ...]) -> File:
    """The arrays of an .npz file, or the single one of an .npy file."""
    if source.path.suffix.lower() == ".npy":
        return NpyFile(source, columns)
    return NpzFile(source, tree, columns)


class NpzFile(ArrayFile):
    """An .npz file; each array is read whole, because it is compressed as a whole."""

    def __init__(self, source: Source, tree: str | None, columns: tuple[str, ...] = ()) -> None:
        super().__init__(source, tree)
        self._columns = columns

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:  # noqa: ARG002
        """The whole file is one chunk."""
        return sorted({0, self.entries})

    def stored(self, location: SumOfWeights) -> float:
        """The sum of an array, or of a field of an array of records."""
        name = location.tree or location.branch
        if name is None or location.branch is None:
            raise ValueError("sum_of_weights of an .npz file is an array, as in {branch: sumw}; it holds no histograms")
        arrays = self._contents().by_name
        if name not in arrays:
            raise missing_array("array", name, self.path, list(arrays))
        field = location.branch if location.tree else None
        if field is not None and field not in (arrays[name].dtype.names or ()):
            raise ValueError(f"sum_of_weights: array {name!r} has no field {field!r}")
        if arrays[name].dtype.hasobject:
            raise ValueError(f"sum_of_weights must be a number, not objects as in array {name!r}")
        values = self._array(name)
        if field is not None:
            values = values[field]
        return array_sum(repr(location.branch), values)

    def _inspect(self) -> Arrays:
        with guarded(self.path), zipfile.ZipFile(self.path) as file:
            arrays = {}
            for member in file.infolist():
                _check_packed(member)
                with file.open(member) as bytes_:
                    array = _head(bytes_)
                _check_size(array, member.file_size)
                arrays[member.filename.removesuffix(".npy")] = array
        if self.tree is not None and self.tree not in arrays:
            raise missing_array("array", self.tree, self.path, list(arrays))
        texts = {
            name: tuple(self._array(name).tolist())
            for name in NAMES
            if name in arrays and arrays[name].dtype.kind == "U" and len(arrays[name].shape) == 1
        }
        if self._columns:
            texts = {NAMES[0]: self._columns}
            _check_columns(self.path, arrays, self._columns)
        return Arrays(with_column_names(arrays, texts), self.tree)

    def _rows(self, array: str, fields: tuple[str, ...], start: int, stop: int) -> NDArray[Any]:  # noqa: ARG002
        if start == stop:
            stored = self._contents().by_name[array]
            return np.empty((0, *stored.shape[1:]), stored.dtype)
        return self._array(array)[start:stop]

    def _array(self, name: str) -> NDArray[Any]:
        with guarded(self.path), np.load(self.path, allow_pickle=False) as file:
            array: NDArray[Any] = file[name]
            return array


class NpyFile(ArrayFile):
    """An .npy file, whose array is read in pieces."""

    def __init__(self, source: Source, columns: tuple[str, ...] = ()) -> None:
        super().__init__(source, None)
        self._columns, self._start, self._is_fortran = columns, 0, False
        self._whole: NDArray[Any] | None = None

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:  # noqa: ARG002
        """A chunk apart."""
        return [*range(0, self.entries, chunk), self.entries]

    def stored(self, location: SumOfWeights) -> float:  # noqa: ARG002
        """A single array stores no sum of weights."""
        raise ValueError("sum_of_weights of an .npy file must be a number or events, as it holds one array alone")

    def _inspect(self) -> Arrays:
        with guarded(self.path), self.path.open("rb") as file:
            if header := _header(file):
                array, self._is_fortran = header
                self._start = file.tell()
            else:
                self._whole = format.read_array(file, allow_pickle=False)
                array = Array(self._whole.dtype, self._whole.shape)
                self._start = 0
            _check_size(array, self.path.stat().st_size - self._start)
        arrays = {NPY_ARRAY: array}
        if self._columns:
            _check_columns(self.path, arrays, self._columns)
            arrays = with_column_names(arrays, {NAMES[0]: self._columns})
        return Arrays(arrays, NPY_ARRAY)

    def _rows(self, array: str, fields: tuple[str, ...], start: int, stop: int) -> NDArray[Any]:  # noqa: ARG002
        stored = self._contents().by_name[array]
        if self._whole is not None:
            return self._whole[start:stop]
        shape, dtype = (stop - start, *stored.shape[1:]), stored.dtype
        row = math.prod(stored.shape[1:])
        with guarded(self.path), self.path.open("rb") as file:
            if not self._is_fortran:
                place = self._start + start * row * dtype.itemsize
                return _values(file, dtype, place, (stop - start) * row).reshape(shape)
            places = [self._start + (column * stored.shape[0] + start) * dtype.itemsize for column in range(row)]
            columns = [_values(file, dtype, place, stop - start) for place in places]
            if not columns:
                return np.empty(shape, dtype)
            return np.stack(columns, axis=-1).reshape(shape, order="F")


def _values(file: IO[bytes], dtype: np.dtype[Any], place: int, count: int) -> NDArray[Any]:
    """`count` values of a file, from this place on."""
    file.seek(place)
    values: NDArray[Any] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    if len(values) != count:
        raise ValueError("it ends before its array does; is it truncated, or still being written?")
    return values


def _check_packed(member: zipfile.ZipInfo) -> None:
    """Refuse an array that declares more bytes than its compressed ones can become."""
    if member.compress_type not in MOST_EXPANDED:
        raise ValueError(f"array {member.filename!r} must be stored or deflated, as numpy writes it")
    if member.file_size > MOST_EXPANDED[member.compress_type] * member.compress_size + SLACK:
        raise ValueError(f"array {member.filename!r} declares {member.file_size:,} bytes in {member.compress_size:,}")


def _check_size(array: Array, room: int) -> None:
    """Refuse an array that declares more values than these bytes hold; one of objects has a byte for each at least."""
    width = 1 if array.dtype.hasobject else max(array.dtype.itemsize, 1)
    if min(array.shape, default=0) < 0 or width * math.prod(array.shape) > room:
        raise ValueError("it ends before its array does; is it truncated, or still being written?")


def _check_columns(path: Path, arrays: Mapping[str, Array], columns: tuple[str, ...]) -> None:
    """Refuse names of columns that do not fit the only matrix of the file."""
    widths = [array.shape[1] for array in arrays.values() if array.is_number and len(array.shape) == 2]
    if len(widths) != 1:
        raise ValueError(f"columns needs {path} to hold one matrix, not {len(widths)}")
    if len(columns) != widths[0]:
        raise ValueError(f"columns must be {widths[0]} names, one a column of the matrix of {path}, not {len(columns)}")


def _head(file: IO[bytes]) -> Array:
    """The dtype and shape of a saved array, without its values."""
    if header := _header(file):
        return header[0]
    array = format.read_array(file, allow_pickle=False)
    return Array(array.dtype, array.shape)


def _header(file: IO[bytes]) -> tuple[Array, bool] | None:
    """A saved array, and whether its values are stored column by column.

    None for names beyond latin-1, whose header numpy reads only together with the values; the file is then rewound.
    """
    version = format.read_magic(file)
    if version == (3, 0):
        file.seek(0)
        return None
    read = format.read_array_header_2_0
    if version == (1, 0):
        read = format.read_array_header_1_0
    shape, is_fortran, dtype = read(file)
    return Array(dtype, shape), is_fortran
