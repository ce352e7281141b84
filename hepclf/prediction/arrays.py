"""Arrays: scores as the columns of a Parquet file, or as the members of an .npz archive."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from hepclf.files import from_json

NOTES = "hepclf"


class ParquetOutput:
    """A Parquet file, with one row group for each block."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet
        except ImportError:
            raise ValueError("output=parquet needs pyarrow; pip install 'hepclf[io]'") from None
        self._arrow: Any = pyarrow
        self._path = path
        self._file: Any = None

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries."""
        table = self._arrow.table(dict(columns))
        if self._file is None:
            self._file = self._arrow.parquet.ParquetWriter(self._path, table.schema)
        self._file.write_table(table)

    def finish(self, notes: str) -> None:
        """Write the notes into the metadata of the file."""
        if self._file is not None:
            self._file.add_key_value_metadata({NOTES: notes})
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class NpzOutput:
    """An archive of arrays. Each array grows in a temporary file, so that memory holds a single block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {}
        self._dtypes: dict[str, np.dtype[Any]] = {}
        self._entries = 0

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries."""
        for name, column in columns.items():
            if name not in self._files:
                temporary_file = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115  # the stack closes it
                self._files[name] = self._stack.enter_context(temporary_file)
                self._dtypes[name] = column.dtype
            values = np.ascontiguousarray(column, dtype=self._dtypes[name])
            if values.size:  # an empty array has no buffer to cast
                self._files[name].write(values.data.cast("B"))
        self._entries += len(next(iter(columns.values())))

    def finish(self, notes: str) -> None:
        """Write the archive, with the notes as one of its members."""
        with zipfile.ZipFile(self._path, "w") as archive:
            for name, file in self._files.items():
                file.seek(0)
                header = {"descr": self._dtypes[name].str, "fortran_order": False, "shape": (self._entries,)}
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array_header_2_0(member, header)
                    shutil.copyfileobj(file, member, 1 << 20)
            with archive.open(f"{NOTES}.npy", "w") as member:
                np.lib.format.write_array(member, np.array(notes))
        self.close()

    def close(self) -> None:
        """Close the temporary files."""
        self._stack.close()


def parquet_notes(path: Path) -> dict[str, Any] | None:
    """The notes of a Parquet file that hepclf wrote, or None for any other file."""
    import pyarrow.parquet

    try:
        return _notes(pyarrow.parquet.read_metadata(path).metadata[NOTES.encode()])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def npz_notes(path: Path) -> dict[str, Any] | None:
    """The notes of an archive that hepclf wrote, or None for any other file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _notes(str(archive[NOTES]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _notes(text: str | bytes) -> dict[str, Any] | None:
    notes = from_json(text)
    return notes if isinstance(notes, dict) else None
