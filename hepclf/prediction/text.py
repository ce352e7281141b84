"""Text: scores as the columns of a CSV file, with its notes in a file beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from hepclf.data.frames import append_rows
from hepclf.files import from_json, read_json, write_bytes
from hepclf.prediction.friend import NOTES

DIGEST = "blake2b"  # of the CSV file, so that its notes are never taken for those of another file


class CsvOutput:
    """A CSV file: commas, a header, and every digit needed to read a number back unchanged."""

    def __init__(self, temporary_path: Path, path: Path) -> None:
        self._temporary_path, self._path = temporary_path, path
        self._file: IO[str] = temporary_path.open("w", encoding="utf-8", newline="")
        self._is_empty = True

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries."""
        append_rows(self._file, columns, header=self._is_empty)
        self._is_empty = False

    def finish(self, notes: str) -> None:
        """Write the notes beside the path; an older file there is removed, as the notes are not about it."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        contents = {**from_json(notes), DIGEST: _digest(self._temporary_path)}
        write_bytes(notes_path(self._path), json.dumps(contents).encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def notes_path(path: Path) -> Path:
    """The file that holds the notes of a CSV file."""
    return path.with_name(f"{path.name}.{NOTES}.json")


def text_notes(path: Path) -> dict[str, Any] | None:
    """The notes of a CSV file that hepclf wrote and nobody changed, or None for any other file."""
    try:
        notes = read_json(notes_path(path))
        is_ours = isinstance(notes, dict) and notes[DIGEST] == _digest(path)
        return notes if is_ours else None
    except (OSError, ValueError, KeyError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
