"""Parquet: events from the Parquet files of an analysis, process by process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import accumulate, pairwise
from threading import Lock
from typing import Any, NamedTuple

from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File, FileError
from hepclf.data.root import chunk_cuts
from hepclf.data.samples import Source, SumOfWeights, missing_file
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.words import first_repeated

EXACT = 2**53  # beyond it, float64 holds not every whole number


@recipe
class Parquet(Ntuples):
    """Events from Parquet files, as processes with their classes, weights and cross sections.

    Lists are jagged columns; a part of a record has the record's name in front, as Jet_pt. A missing number is NaN,
    so a column of integers or booleans with missing values becomes float64.
    """

    def open(self, source: Source, tree: str | None, pool: Executor) -> File:
        """The table of a Parquet file."""
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise ValueError("data=parquet needs pyarrow; pip install 'hepclf[io]'") from None
        if tree is not None:
            raise ValueError(f"tree must be null for {source.path}, not {tree}: a Parquet file is one table; drop tree")
        return ParquetTable(source, pool)


class Leaf(NamedTuple):
    """A column: position and path in the file, names from the outermost record inwards, type, whether it has lists."""

    place: int
    path: str
    names: tuple[str, ...]
    kind: Any
    jagged: bool


class OpenFile(NamedTuple):
    """An open file, its metadata, its columns by name, and the number of entries before each row group and in all."""

    file: Any
    metadata: Any
    leaves: Mapping[str, Leaf]
    cuts: list[int]


class ParquetTable:
    """A Parquet file; it is opened at first use, and each column is decoded in the pool on its own."""

    def __init__(self, source: Source, pool: Executor) -> None:
        self.path, self.pool = source.path, pool
        self.name = str(source.path)
        self._lock = Lock()
        self._now: OpenFile | None = None
        self._gaps: dict[str, bool] = {}

    @property
    def entries(self) -> int:
        """Number of rows."""
        return self._opened().cuts[-1]

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns; a part of a record is record_part."""
        return frozenset(self._opened().leaves)

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:  # noqa: ARG002
        """Between row groups: a row group can only be read from its beginning."""
        return chunk_cuts(self._opened().cuts, [], chunk)

    def read(self, columns: tuple[str, ...], start: int, stop: int) -> Mapping[str, Any]:
        """These columns of these entries: flat ones as numpy arrays, jagged ones as awkward arrays."""
        file = self._opened()
        groups = [group for group, (low, high) in enumerate(pairwise(file.cuts)) if low < stop and high > start]
        skipped = 0
        if groups:
            skipped = start - file.cuts[groups[0]]
        tasks = {name: self.pool.submit(self._decoded, file, file.leaves[name], groups) for name in columns}
        decoded = {name: task.result().slice(skipped, stop - start) for name, task in tasks.items()}
        return {name: self._array(name, file.leaves[name], column) for name, column in decoded.items()}

    def stored(self, location: SumOfWeights) -> float:
        """The number in the metadata of the file under a key."""
        if location.branch is None or location.tree is not None:
            raise ValueError(
                "sum_of_weights of a Parquet file is a key of its metadata, as in {branch: sum_of_weights}, "
                "as it holds no trees or histograms"
            )
        noted = {key.decode(errors="replace"): text for key, text in (self._opened().metadata.metadata or {}).items()}
        if location.branch not in noted:
            raise ValueError(
                f"sum_of_weights: key {location.branch!r} is not in the metadata{nearest(location.branch, noted)}"
            )
        try:
            return float(noted[location.branch])
        except ValueError:
            raise ValueError(f"sum_of_weights: key {location.branch!r} of the metadata holds no number") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._now is not None:
                self._now.file.close()
            self._now = None

    def _opened(self) -> OpenFile:
        with self._lock:
            if self._now is None:
                self._now = self._open()
            return self._now

    def _open(self) -> OpenFile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.path.is_file():
            raise missing_file(self.path)
        with self._guarded():
            # Not a memory map: a file that shrinks while it is read must raise an error; a map would kill the process.
            file = pa.OSFile(str(self.path))
            metadata = pq.read_metadata(file)
            schema = metadata.schema.to_arrow_schema()
            paths = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
            sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
            leaves = _columns_by_name(schema, paths)
        if repeated := first_repeated(schema.names):
            raise ValueError(f"column {repeated!r} is there twice; names of columns must differ")
        return OpenFile(file, metadata, leaves, [0, *accumulate(sizes)])

    def _decoded(self, open_file: OpenFile, leaf: Leaf, groups: list[int]) -> Any:
        """A column of these row groups; each task has its own reader, because a reader serves one thread."""
        import pyarrow.parquet as pq

        with self._guarded():
            reader = pq.ParquetFile(open_file.file, metadata=open_file.metadata, page_checksum_verification=True)
            return reader.read_row_groups(groups, columns=[leaf.path], use_threads=False).column(leaf.names[0])

    def _array(self, name: str, leaf: Leaf, column: Any) -> Any:
        import pyarrow as pa

        kinds = pa.types
        if not (kinds.is_integer(leaf.kind) or kinds.is_floating(leaf.kind) or kinds.is_boolean(leaf.kind)):
            raise ValueError(f"column {name!r} holds {leaf.kind}; numbers and booleans can be used")
        with self._guarded():
            if leaf.jagged:
                return _lists(column, leaf)
            column = _part(column, leaf)
            if kinds.is_float16(leaf.kind):
                column = column.cast(pa.float32())
        if not kinds.is_floating(leaf.kind) and self._has_gaps(name, leaf):
            if kinds.is_integer(leaf.kind):
                _check_exact(name, column)
            column = column.cast(pa.float64())
        return column.to_numpy()

    def _has_gaps(self, name: str, leaf: Leaf) -> bool:
        """Whether any value is missing in the file: all chunks of a column must have the same type."""
        if name not in self._gaps:
            file = self._opened()
            groups = range(file.metadata.num_row_groups)
            with self._guarded():
                statistics = [file.metadata.row_group(group).column(leaf.place).statistics for group in groups]
            if all(stats is not None and stats.has_null_count for stats in statistics):
                self._gaps[name] = any(stats.null_count for stats in statistics)
            else:
                pieces = (_part(self._decoded(file, leaf, [group]), leaf) for group in groups)
                self._gaps[name] = any(piece.null_count for piece in pieces)
        return self._gaps[name]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what pyarrow raises on damaged bytes into a FileError."""
        try:
            yield
        except MemoryError:
            raise
        except Exception as error:
            message = " ".join(str(error).split()) or type(error).__name__
            raise FileError(f"{self.path} cannot be read: {message}") from error


def _columns_by_name(schema: Any, paths: list[str]) -> dict[str, Leaf]:
    """Columns by name; a column with a name comes before the part of a record that would have the same name."""
    parts = [part for field in schema for part in _below(field.type, (field.name,), jagged=False)]
    leaves = [Leaf(place, path, *part) for place, (path, part) in enumerate(zip(paths, parts, strict=True))]
    return {"_".join(leaf.names): leaf for leaf in sorted(leaves, key=lambda leaf: -len(leaf.names))}


def _below(kind: Any, names: tuple[str, ...], *, jagged: bool) -> Iterator[tuple[tuple[str, ...], Any, bool]]:
    """The parts of a column (of records, and elements of lists) in the order in which the file stores them."""
    import pyarrow as pa

    if kind.num_fields == 0:
        yield names, kind, jagged
    elif pa.types.is_struct(kind):
        for part in kind:
            yield from _below(part.type, (*names, part.name), jagged=jagged)
    else:
        yield from _below(kind.field(0).type, names, jagged=True)


def _part(column: Any, leaf: Leaf) -> Any:
    """The part of a record that the column stands for; a column without records as it is."""
    import pyarrow.compute as pc

    if len(leaf.names) == 1:
        return column
    return pc.struct_field(column, leaf.names[1:])


def _lists(column: Any, leaf: Leaf) -> Any:
    import awkward as ak

    array = ak.from_arrow(column)
    for name in leaf.names[1:]:
        array = array[name]
    return array


def _check_exact(name: str, column: Any) -> None:
    """Refuse integers that float64, which the column needs for NaN, cannot hold exactly."""
    import pyarrow.compute as pc

    bounds = [value for value in pc.min_max(column).as_py().values() if value is not None]
    if large := next((value for value in bounds if abs(value) > EXACT), None):
        raise ValueError(
            f"column {name!r} holds {large}, beyond 2^53, and misses other values, which no one type holds exactly; "
            "fill or drop those rows"
        )
