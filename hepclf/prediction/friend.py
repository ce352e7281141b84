"""Friend: scores as a TTree of a file of their own, entry for entry beside the tree that was scored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.files import from_json

NOTES = "hepclf"


class FriendTree:
    """A ROOT file with a tree of flat branches; given the number of blocks, it writes the header of the tree once."""

    def __init__(self, path: Path, tree: str, blocks: int) -> None:
        import uproot

        self._tree_name, self._blocks = tree, max(blocks, 1)
        self._file = uproot.recreate(path, compression=uproot.LZ4(1))
        self._tree: Any = None

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries."""
        arrays = {name: storable(column) for name, column in columns.items()}
        if self._tree is None:
            # mktree, as assigning a dictionary would write an RNTuple.
            types = {name: array.dtype for name, array in arrays.items()}
            self._tree = self._file.mktree(self._tree_name, types, initial_basket_capacity=self._blocks)
        self._tree.extend(arrays)

    def finish(self, notes: str) -> None:
        """Write the notes beside the tree."""
        self._file[NOTES] = notes

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def storable(column: NDArray[Any]) -> NDArray[Any]:
    """The column in a type that ROOT has: half precision becomes single, extended precision double."""
    if column.dtype.kind == "f" and column.dtype.itemsize not in (4, 8):
        is_half = column.dtype.itemsize == 2
        return column.astype(np.float32 if is_half else np.float64)
    return column


def read_notes(path: Path) -> dict[str, Any] | None:
    """The notes of a ROOT file that hepclf wrote, or None for any other file."""
    import uproot

    try:
        with uproot.open({str(path): None}) as file:
            notes = from_json(str(file[NOTES]))
    # A file that is not ours, or is damaged, may fail anywhere in uproot, in many ways.
    except Exception:
        return None
    return notes if isinstance(notes, dict) else None
