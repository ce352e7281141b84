"""Arrays: files of named arrays, plain or of records, as columns of entries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.parts import FileError
from hepclf.data.samples import Source, missing_file
from hepclf.nearest import nearest

VALID = "valid"  # the field of records in lists that says which of them there are
NAMES = ("names", "columns", "feature_names")  # what the names of the columns of a matrix are called


class Array(NamedTuple):
    """Type and shape of an array, known before it is read; `names` are the column names of a matrix, if it has any."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    names: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether each entry is a number, a boolean or a record, or several of these."""
        return len(self.shape) > 0 and (self.dtype.kind in "biufV" or _is_list(self.dtype))

    @property
    def has_valid(self) -> bool:
        """Whether it holds lists of records with a flag that marks the records in use."""
        return len(self.shape) == 2 and VALID in (self.dtype.names or ()) and self.dtype[VALID] == np.bool_


class Place(NamedTuple):
    """Where a column is: an array, a field of its records, or a column of its matrix."""

    array: str
    field: str | None = None
    column: int | None = None


@dataclass(frozen=True)
class Arrays:
    """The arrays of a file or group. The main array gives the entries; the others hold more of the same entries.

    Fields and columns of the main array keep their own names; those of another array have its name in front, as in
    tracks_d0. A matrix is also a column by itself, with one list per entry, under the name of its array.
    """

    by_name: Mapping[str, Array]
    main: str | None = None

    @cached_property
    def entries(self) -> int:
        """Length of the main array; without one, the length that all arrays must share."""
        if self.main is not None:
            shape = self.by_name[self.main].shape
            return shape[0] if shape else 0
        lengths = {name: array.shape[0] for name, array in self.by_name.items() if array.is_number}
        if not lengths:
            raise ValueError("it holds no arrays of numbers")
        if len(set(lengths.values())) > 1:
            examples = ", ".join(f"{name} {length:,}" for name, length in list(lengths.items())[:8])
            raise ValueError(f"it holds arrays of different lengths, {examples}; say with tree which to read")
        return next(iter(lengths.values()))

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """The columns by name: an array comes before a part of one, and a part of the main array before other parts."""
        columns = {name: array for name, array in self.by_name.items() if array.shape[:1] == (self.entries,)}
        places = {name: Place(name) for name, array in columns.items() if array.dtype.fields is None}
        parts_in_order = sorted(columns, key=lambda name: name != self.main)
        for name in parts_in_order:
            prefix = "" if name == self.main else f"{name}_"
            for part, place in _parts(name, columns[name], prefix):
                places.setdefault(part, place)
        return places


def _parts(name: str, array: Array, prefix: str) -> Iterator[tuple[str, Place]]:
    for field in array.dtype.names or ():
        yield f"{prefix}{field}", Place(name, field=field)
    if len(array.shape) == 2 and array.dtype.fields is None:
        names = array.names or tuple(f"{prefix or 'c'}{i}" for i in range(array.shape[1]))
        if len(names) != array.shape[1] or len(set(names)) < len(names):
            raise ValueError(f"array {name!r} has {array.shape[1]} columns, which need as many different names")
        for i, column in enumerate(names):
            yield column, Place(name, column=i)


class ArrayFile(ABC):
    """A file of named arrays, read as a file of entries; it is opened at first use."""

    def __init__(self, source: Source, tree: str | None) -> None:
        self.path, self.tree = source.path, tree
        self.name = str(source.path)
        if tree is not None:
            self.name += f", tree {tree!r}"
        self._lock = Lock()
        self._arrays: Arrays | None = None

    @abstractmethod
    def _inspect(self) -> Arrays:
        """Open the file and list its arrays."""

    @abstractmethod
    def _rows(self, array: str, fields: tuple[str, ...], start: int, stop: int) -> NDArray[Any]:
        """The rows from start to stop of an array; of records, at least these fields."""

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._arrays = None

    @property
    def entries(self) -> int:
        """Number of entries."""
        return self._contents().entries

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns."""
        return frozenset(self._contents().places)

    def read(self, columns: tuple[str, ...], start: int, stop: int) -> Mapping[str, Any]:
        """These columns of these entries, flat ones and matrices as numpy arrays, jagged ones as awkward arrays."""
        arrays = self._contents()
        places = {name: arrays.places[name] for name in columns}
        values: dict[str, Any] = {}
        for array_name in dict.fromkeys(place.array for place in places.values()):
            requested = {name: place for name, place in places.items() if place.array == array_name}
            array = arrays.by_name[array_name]
            for name, place in requested.items():
                _check(name, array, place)
            fields = {place.field for place in requested.values() if place.field}
            valid = None
            if array.has_valid:
                fields.add(VALID)
            rows = self._rows(array_name, tuple(sorted(fields)), start, stop)
            if array.has_valid:
                valid = rows[VALID]
            with guarded(self.path):
                values |= {name: _column(rows, place, valid) for name, place in requested.items()}
        return values

    def _contents(self) -> Arrays:
        with self._lock:
            if self._arrays is None:
                if not self.path.is_file():
                    raise missing_file(self.path)
                self._arrays = self._inspect()
            return self._arrays


def with_column_names(arrays: Mapping[str, Array], texts: Mapping[str, tuple[str, ...]]) -> dict[str, Array]:
    """The arrays; if exactly one is a matrix, it gets the column names that are stored beside it."""
    matrices = [name for name, array in arrays.items() if array.is_number and len(array.shape) == 2]
    for name in NAMES:
        if len(matrices) == 1 and len(texts.get(name, ())) == arrays[matrices[0]].shape[1]:
            return {**arrays, matrices[0]: arrays[matrices[0]]._replace(names=texts[name])}
    return dict(arrays)


def array_sum(label: str, values: Any) -> float:
    """The sum of a stored array of numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"sum_of_weights must be a number, not {_words(array.dtype)} as in {label}")
    return float(array.sum(dtype=np.float64))


def missing_array(kind: str, name: str, path: Path | str, candidates: list[str]) -> FileError:
    """The error for an array that does not exist, with the nearest names."""
    hint = ", which holds none"
    if candidates:
        hint = nearest(name, candidates)
    return FileError(f"{kind} {name!r} is not in {path}{hint}")


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn what a library raises on damaged bytes into a FileError; errors in the settings pass unchanged."""
    try:
        yield
    except (MemoryError, FileError):
        raise
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"{path} cannot be read: {message}") from error


def _column(rows: NDArray[Any], place: Place, valid: NDArray[np.bool_] | None) -> Any:
    values = rows
    if place.field is not None:
        values = values[place.field]
    if place.column is not None:
        values = values[:, place.column]
    if values.dtype.kind == "O":
        content = np.concatenate(values) if len(values) else np.empty(0)
        return _unflattened(content, np.array([len(row) for row in values], dtype=np.int64))
    # A copy, so that the records around the column can be freed, in the byte order of this machine; a half-precision
    # number becomes single precision, which the expressions can use.
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    else:
        values = values.astype(values.dtype.newbyteorder("="))
    if valid is None:
        return values
    return _unflattened(values[valid], valid.sum(axis=1))


def _unflattened(content: NDArray[Any], counts: NDArray[Any]) -> Any:
    import awkward as ak

    return ak.unflatten(content, counts)


def _element(dtype: np.dtype[Any]) -> Any:
    """Element type of variable-length values in HDF5: str, bytes or a type of numbers; None for other types."""
    notes: Mapping[str, Any] = dtype.metadata or {}
    return notes.get("vlen")


def _is_list(dtype: np.dtype[Any]) -> bool:
    element = _element(dtype)
    return element is not None and np.dtype(element).kind in "biuf"


def _check(name: str, array: Array, place: Place) -> None:
    dtype = array.dtype
    if place.field:
        dtype = dtype[place.field]
    if dtype.base.kind not in "biuf" and not (_is_list(dtype) and len(array.shape) == 1):
        raise ValueError(f"column {name!r} holds {_words(dtype)}; numbers and booleans can be used")


def _words(dtype: np.dtype[Any]) -> str:
    if _is_list(dtype):
        return "lists of lists"
    if dtype.kind in "SU" or _element(dtype) in (str, bytes):
        return "text"
    return {"O": "objects", "V": "records"}.get(dtype.kind, str(dtype))
