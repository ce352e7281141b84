"""The batches of one pass over a table, in random order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from hepclf.training.ranks import ALONE, Ranks
from hepclf.training.table import Rows, Streamed, TensorTable

BLOCK = 1 << 18  # rows shuffled at once: enough to make the gather cheap, few enough to stay in memory
BYTES = 1 << 25  # of a block, where rows are wide


class Batches:
    """Batches in random order: rows are gathered in large blocks, so that a batch is only a slice.

    The order is drawn at once from PyTorch's random numbers; a pass may begin at any of its batches. Several ranks
    draw the same order, and each sees only its own rows; if a batch has none of them, it sees one of weight zero.
    """

    def __init__(self, table: Rows, batch: int, ranks: Ranks = ALONE) -> None:
        self._table = table
        self._in_block = max(1, min(BLOCK, BYTES // (4 * len(table.names))) // batch)
        self._order = table.order(self._in_block * batch)
        self._edges = [*range(0, len(self._order), batch), len(self._order)]
        if len(self._edges) > 2 and self._edges[-1] - self._edges[-2] == 1:
            del self._edges[-2]  # a last batch of one event has no variance, which batch normalisation needs
        self.sizes = [stop - start for start, stop in pairwise(self._edges)]  # of the batches, over all ranks
        if ranks.size > 1:
            self._keep(_owners(table, self._order, self._edges, ranks.size) == ranks.rank)

    def __len__(self) -> int:
        return len(self._edges) - 1

    def since(self, first: int) -> Iterator[TensorTable]:
        """All batches from number `first` on."""
        starts = range(first - first % self._in_block, len(self), self._in_block)
        limits = [self._edges[block : block + self._in_block + 1] for block in starts]
        tables = self._table.blocks(self._order[edges[0] : edges[-1]] for edges in limits)
        for block, edges, rows in zip(starts, limits, tables, strict=True):
            for number in range(max(first, block), block + len(edges) - 1):
                start, stop = self._edges[number : number + 2]
                if start < stop:
                    yield rows.part(start - edges[0], stop - edges[0])
                else:
                    yield self._weightless()

    def _keep(self, chosen: Tensor) -> None:
        """Keep only these rows of the order."""
        counts = torch.cat([chosen.new_zeros(1, dtype=torch.long), chosen.cumsum(0)])
        self._order, self._edges = self._order[chosen], counts[self._edges].tolist()

    def _weightless(self) -> TensorTable:
        row = self._table.part(0, 1)
        return row._replace(weights=torch.zeros_like(row.weights))


def _owners(table: Rows, order: Tensor, edges: Sequence[int], ranks: int) -> Tensor:
    """The rank of each row of the order.

    On disk a rank owns runs of neighbouring rows, so that it reads no others; its shares of batches then vary.
    """
    if isinstance(table, Streamed) and table.run > 1:
        return order // table.run % ranks
    starts = torch.tensor(edges, device=order.device)
    sizes = starts.diff()
    places = torch.arange(len(order), device=order.device) - starts[:-1].repeat_interleave(sizes)
    return places * ranks // sizes.repeat_interleave(sizes)
