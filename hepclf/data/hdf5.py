"""HDF5: events from the HDF5 files of an analysis, process by process."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.arrays import NAMES, Array, ArrayFile, Arrays, array_sum, guarded, missing_array, with_column_names
from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File, FileError
from hepclf.data.samples import Source, SumOfWeights
from hepclf.recipe import recipe

MOST_LINKS = 8  # soft links that lead to soft links
COPY = "copy them into one file"


@recipe
class HDF5(Ntuples):
    """Events from HDF5 files, as processes with their classes, weights and cross sections.

    tree is a dataset or a group; by default the only one in the file. Its columns are the fields of a dataset of
    records, the columns c0, c1... of a matrix, or the datasets of a group. Datasets beside it with as many entries
    belong to it, with their name in front: tracks_d0 is a list per event of the `tracks` that are `valid`.
    """

    def open(self, source: Source, tree: str | None, pool: Executor) -> File:  # noqa: ARG002
        """The datasets of a group in an HDF5 file, or one dataset with those beside it."""
        try:
            import h5py  # noqa: F401
        except ImportError:
            raise ValueError("data=hdf5 needs h5py; pip install 'hepclf[io]'") from None
        return Datasets(source, tree)


class Datasets(ArrayFile):
    """An HDF5 file; one thread at a time reads it, as its library requires."""

    _file: Any = None
    _group: Any = None

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:
        """About a chunk apart, at the boundaries of the compressed blocks of the largest datasets."""
        places = self._contents().places
        with guarded(self.path):
            pieces = [self._group[places[name].array].chunks for name in columns]
        piece = max((shape[0] for shape in pieces if shape), default=1)
        return [*range(0, self.entries, max(chunk // piece, 1) * piece), self.entries]

    def stored(self, location: SumOfWeights) -> float:
        """The sum of a dataset of a group, a field of a dataset, or an attribute of either."""
        if location.branch is None:
            raise ValueError(
                "sum_of_weights of an HDF5 file is a dataset, a field or an attribute, as in {tree: counts, "
                "branch: sumOfWeights}; it holds no histograms"
            )
        self._contents()
        with guarded(self.path):
            place = self._group if location.tree is None else _followed(self._file, location.tree)
            if place is None:
                raise missing_array("dataset", str(location.tree), self.path, self._paths())
            members = {} if _is_dataset(place) else _datasets(place)
            names = place.dtype.names or () if _is_dataset(place) else (*members,)
            if location.branch not in names and location.branch not in place.attrs:
                raise missing_array(f"branch of {place.name}:", location.branch, self.path, [*names, *place.attrs])
            holder = members or place
            if location.branch not in names:
                holder = place.attrs
            values = holder[location.branch]
            if _is_dataset(values):
                values = values[()]
        return array_sum(repr(location.branch), values)

    def close(self) -> None:
        """Close the file."""
        super().close()
        if self._file is not None:
            self._file.close()
        self._file = self._group = None

    def _inspect(self) -> Arrays:
        import h5py

        with guarded(self.path):
            self._file = h5py.File(self.path, "r", locking="best-effort")
            place = self._file if self.tree is None else _followed(self._file, self.tree)
            if place is None:
                raise missing_array("dataset", str(self.tree), self.path, self._paths())
            group, main = _table(place)
            datasets = _datasets(group)
            arrays = {name: _array(dataset) for name, dataset in datasets.items()}
            texts = {name: _texts(datasets[name]) for name in NAMES if name in datasets and not arrays[name].is_number}
            inside = ", ".join(_children(group)) or "nothing"
        if not arrays:
            message = f"{group.name} holds {inside} and no dataset; say which to read with tree"
            if inside == "nothing":
                raise FileError(f"{self.name}: {message}")
            raise ValueError(message)
        self._group = group
        if len(arrays) == 1:
            main = next(iter(arrays))
        return Arrays(with_column_names(arrays, texts), main)

    def _rows(self, array: str, fields: tuple[str, ...], start: int, stop: int) -> NDArray[Any]:
        with guarded(self.path):
            dataset = self._group[array]
            try:
                selected = dataset.fields(list(fields)) if fields else dataset
                rows: NDArray[Any] = selected[start:stop]
            except OSError as error:
                raise OSError(_missing_filter(dataset) or str(error)) from error
            return rows

    def _paths(self) -> list[str]:
        paths: list[str] = []
        self._file.visit(paths.append)
        return paths


def _is_dataset(child: Any) -> bool:
    return hasattr(child, "dtype") and hasattr(child, "chunks")


def _children(group: Any) -> dict[str, Any]:
    """The children of a group, without links that lead nowhere."""
    children = {name: _child(group, name, MOST_LINKS) for name in group}
    return {name: child for name, child in children.items() if child is not None}


def _followed(place: Any, path: str, links: int = MOST_LINKS) -> Any:
    """What is at a path, if anything; each link on it is looked at before it is followed."""
    if path.startswith("/"):
        place = place.file
    for name in filter(None, path.split("/")):
        if name != ".":
            place = None if place is None or _is_dataset(place) else _child(place, name, links)
    return place


def _child(group: Any, name: str, links: int) -> Any:
    """A child of a group, if anything; its data must be in this file, and all of them."""
    from h5py import h5l

    low, key = group.id.links, name.encode()  # group.get would follow the link
    kind = low.get_info(key).type if low.exists(key) else None
    if kind == h5l.TYPE_SOFT:
        return _followed(group, low.get_val(key).decode(), links - 1) if links else None
    if kind == h5l.TYPE_EXTERNAL:
        raise FileError(f"{group.file.filename} must hold its own data, but {name!r} is a link to another file; {COPY}")
    child = group.get(name) if kind == h5l.TYPE_HARD else None
    if _is_dataset(child):
        _check_stored(child)
    return child


def _check_stored(dataset: Any) -> None:
    """Refuse data of other files, and rows that were never written: a few bytes may declare a billion of them."""
    where = f"{dataset.file.filename} must hold its own data, but dataset {dataset.name!r}"
    if dataset.is_virtual or dataset.external:
        raise FileError(f"{where} keeps them in other files; {COPY}")
    declared = dataset.size * dataset.dtype.itemsize
    if dataset.shape and declared > dataset.file.id.get_filesize() and not _is_whole(dataset):
        raise FileError(f"{where} declares {dataset.shape[0]:,} rows that were not all written; write them, or fewer")


def _is_whole(dataset: Any) -> bool:
    if dataset.chunks is None:
        return bool(dataset.id.get_storage_size() >= dataset.size * dataset.dtype.itemsize)
    blocks = (-(-length // piece) for length, piece in zip(dataset.shape, dataset.chunks, strict=True))
    return bool(dataset.id.get_num_chunks() >= math.prod(blocks))


def _datasets(group: Any) -> dict[str, Any]:
    return {name: child for name, child in _children(group).items() if _is_dataset(child)}


def _table(place: Any) -> tuple[Any, str | None]:
    """The group and the name of a dataset; of a group, the innermost group that holds more than one group."""
    if _is_dataset(place):
        return place.parent, place.name.rpartition("/")[2]
    inside = list(_children(place).values())
    if len(inside) == 1:
        return _table(inside[0])
    return place, None


def _array(dataset: Any) -> Array:
    shape = dataset.shape or ()
    if len(shape) != 2:
        return Array(dataset.dtype, shape, ())
    names = next((_texts(dataset.attrs[name]) for name in NAMES if name in dataset.attrs), ())
    return Array(dataset.dtype, shape, names)


def _texts(values: Any) -> tuple[str, ...]:
    """Names from a dataset or an attribute; h5py returns bytes unless the file says otherwise."""
    if _is_dataset(values):
        values = values[()]
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in np.ravel(values))


def _missing_filter(dataset: Any) -> str:
    """The error for a dataset whose compression filter is not installed; empty if all are."""
    from h5py import h5z

    creation = dataset.id.get_create_plist()
    codes = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
    missing = next((code for code in codes if not h5z.filter_avail(code)), None)
    if not missing:
        return ""
    way = "set HDF5_PLUGIN_PATH to where it is, or repack the file by h5repack -f GZIP=1"
    name = dataset.name.rpartition("/")[2]
    return f"dataset {name!r} needs filter {missing}, which is not installed; {way}"
