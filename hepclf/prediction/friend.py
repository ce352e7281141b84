"""Friend: scores as a TTree of a file of their own, entry for entry beside the tree that was scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTES = "hepclf"


class Friend:
    """A ROOT file with a tree of flat branches; told how many blocks come, it writes the head of the tree once."""

    def __init__(self, path: Path, tree: str, blocks: int) -> None:
        import uproot

        self._tree_name, self._blocks = tree, max(blocks, 1)
        self._file = uproot.recreate(path, compression=uproot.LZ4(1))
        self._tree: Any = None

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries."""
        made = {name: storable(column) for name, column in columns.items()}
        if self._tree is None:
            # mktree, as assigning a dictionary would write an RNTuple.
            types = {name: column.dtype for name, column in made.items()}
            self._tree = self._file.mktree(self._tree_name, types, initial_basket_capacity=self._blocks)
        self._tree.extend(made)

    def finish(self, notes: str) -> None:
        """Write the notes beside the tree."""
        self._file[NOTES] = notes

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def storable(column: NDArray[Any]) -> NDArray[Any]:
    """ROOT knows no half or extended precision, which go to single and double."""
    if column.dtype.kind == "f" and column.dtype.itemsize not in (4, 8):
        return column.astype(np.float32 if column.dtype.itemsize == 2 else np.float64)
    return column


def read_notes(path: Path) -> dict[str, Any] | None:
    """The notes of a ROOT file that was written here, or None of any other."""
    import uproot

    try:
        with uproot.open({str(path): None}) as file:
            notes = json.loads(str(file[NOTES]))
    # A file that is not ours, or is damaged, may fail anywhere in uproot, in many ways.
    except Exception:
        return None
    return notes if isinstance(notes, dict) else None
