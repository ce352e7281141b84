"""The batches of one pass over a table, in random order."""

from __future__ import annotations

from collections.abc import Iterator

from hepclf.training.table import Rows, TensorTable

BLOCK = 1 << 18  # rows shuffled at once: enough to make the gather cheap, few enough to stay in memory
BYTES = 1 << 25  # of a block, where rows are wide


class Batches:
    """Batches in random order: rows are gathered a large block at a time, so that a batch is a mere slice.

    The order is drawn at once from PyTorch's random numbers; a pass may begin at any of its batches.
    """

    def __init__(self, table: Rows, batch: int) -> None:
        self._table = table
        self._in_block = max(1, min(BLOCK, BYTES // (4 * len(table.names))) // batch)
        self._order = table.order(self._in_block * batch)
        self._edges = [*range(0, len(self._order), batch), len(self._order)]
        if len(self._edges) > 2 and self._edges[-1] - self._edges[-2] == 1:
            del self._edges[-2]  # a last batch of one event has no variance, which batch normalisation needs

    def __len__(self) -> int:
        return len(self._edges) - 1

    def since(self, first: int) -> Iterator[TensorTable]:
        """All batches from this one on."""
        for block in range(first - first % self._in_block, len(self), self._in_block):
            edges = self._edges[block : block + self._in_block + 1]
            rows = self._table.take(self._order[edges[0] : edges[-1]])
            for number in range(max(first, block), block + len(edges) - 1):
                start, stop = self._edges[number : number + 2]
                yield rows.part(start - edges[0], stop - edges[0])
