"""NPZ: events from the arrays that numpy saved, process by process."""

from __future__ import annotations

import zipfile
from concurrent.futures import Executor
from typing import IO, Any

import numpy as np
from numpy.lib import format
from numpy.typing import NDArray

from hepclf.data.arrays import NAMES, Array, ArrayFile, Arrays, absent, guarded, named, total
from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File
from hepclf.data.samples import Source, SumOfWeights
from hepclf.recipe import recipe


@recipe
class NPZ(Ntuples):
    """Events from .npz files, as processes with their classes, weights and cross sections.

    The arrays have an entry an event. One with more dimensions x is a list an event and the columns x_0, x_1...; one of
    records has its fields as x_field. With tree, an array, these go by names of their own: c0, c1..., and the fields.
    """

    def open(self, source: Source, tree: str | None, pool: Executor) -> File:  # noqa: ARG002
        """The arrays of an .npz file."""
        return Saved(source, tree)


class Saved(ArrayFile):
    """An .npz file; its arrays are read whole, as they are compressed whole."""

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:  # noqa: ARG002
        """The whole file is one chunk."""
        return [0, self.entries] if self.entries else [0]

    def stored(self, where: SumOfWeights) -> float:
        """An array, summed, or a field of an array of records."""
        name = where.tree or where.branch
        if name is None or where.branch is None:
            raise ValueError("sum_of_weights of an .npz file is an array, as in {branch: sumw}; it holds no histograms")
        known = self._known().known
        if name not in known:
            raise absent("array", name, self.path, list(known))
        field = where.branch if where.tree else None
        if field is not None and field not in (known[name].dtype.names or ()):
            raise ValueError(f"sum_of_weights: array {name!r} has no field {field!r}")
        if known[name].dtype.hasobject:
            raise ValueError(f"sum_of_weights: array {name!r} holds objects, however the sum of weights is a number")
        values = self._array(name)
        return total(repr(where.branch), values if field is None else values[field])

    def _look(self) -> Arrays:
        with guarded(self.path), zipfile.ZipFile(self.path) as file:
            arrays = {}
            for member in file.namelist():
                with file.open(member) as bytes_:
                    arrays[member.removesuffix(".npy")] = _head(bytes_)
        if self.tree is not None and self.tree not in arrays:
            raise absent("array", self.tree, self.path, list(arrays))
        texts = {
            name: tuple(self._array(name).tolist())
            for name in NAMES
            if name in arrays and arrays[name].dtype.kind == "U" and len(arrays[name].shape) == 1
        }
        return Arrays(named(arrays, texts), self.tree)

    def _rows(self, array: str, fields: tuple[str, ...], start: int, stop: int) -> NDArray[Any]:  # noqa: ARG002
        if start == stop:
            known = self._known().known[array]
            return np.empty((0, *known.shape[1:]), known.dtype)
        return self._array(array)[start:stop]

    def _array(self, name: str) -> NDArray[Any]:
        with guarded(self.path), np.load(self.path, allow_pickle=False) as file:
            array: NDArray[Any] = file[name]
            return array


def _head(file: IO[bytes]) -> Array:
    """The type and shape of a saved array, without its values."""
    version = format.read_magic(file)
    if version == (3, 0):  # names beyond latin-1, which numpy reads nowhere but with the values
        file.seek(0)
        whole = format.read_array(file, allow_pickle=False)
        return Array(whole.dtype, whole.shape)
    read = format.read_array_header_1_0 if version == (1, 0) else format.read_array_header_2_0
    shape, _, dtype = read(file)
    return Array(dtype, shape)
