"""Text: scores as the columns of a CSV file, with its notes in a file beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from hepclf.data.frames import append_rows
from hepclf.files import write_bytes
from hepclf.prediction.friend import NOTES

DIGEST = "blake2b"  # of the CSV file, so that notes are never taken for those of another


class Text:
    """A CSV file: commas, a header, and all digits that a number needs to be read back as it was."""

    def __init__(self, place: Path, path: Path) -> None:
        self._place, self._path = place, path
        self._file: IO[str] = place.open("w", encoding="utf-8", newline="")
        self._is_empty = True

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries."""
        append_rows(self._file, columns, header=self._is_empty)
        self._is_empty = False

    def finish(self, notes: str) -> None:
        """Write the notes beside the path; what is there already goes, as they would not be its notes."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        contents = {**json.loads(notes), DIGEST: _digest(self._place)}
        write_bytes(beside(self._path), json.dumps(contents).encode())

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def beside(path: Path) -> Path:
    """Where the notes of a CSV file are."""
    return path.with_name(f"{path.name}.{NOTES}.json")


def text_notes(path: Path) -> dict[str, Any] | None:
    """The notes of a CSV file that was written here and is as it was, or None of any other."""
    try:
        notes = json.loads(beside(path).read_text(encoding="utf-8"))
        return notes if isinstance(notes, dict) and notes[DIGEST] == _digest(path) else None
    except (OSError, ValueError, KeyError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
