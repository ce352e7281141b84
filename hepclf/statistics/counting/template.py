"""A template: expected events of each process in bins of the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepclf.scored import Scored
from hepclf.statistics.counting.expected import slots
from hepclf.statistics.counting.likelihood import Channels
from hepclf.statistics.curves.roc import ROUNDING

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Template:
    """Sums of the first four powers of the weights of each process in each bin, [4, g, m].

    edges   of the bins [m+1]; a bin includes its lower edge, the last one both edges
    names   of the processes [g]
    signal  which of them are signal [g]
    """

    edges: Array
    names: tuple[str, ...]
    signal: NDArray[np.bool_]
    sums: Array

    @property
    def channels(self) -> Channels:
        """Signal and background of each bin."""
        s, b = (self.sums[:, in_class].sum(axis=1) for in_class in (self.signal, ~self.signal))
        return Channels(s[0], b[0], s[1], b[1], b[2], b[3])

    def qualified(self, minimum: float) -> NDArray[np.bool_]:
        """Which bins have a background of this effective count and no negative signal, [m]."""
        channels = self.channels
        return (channels.b > 0) & (channels.s >= 0) & (channels.b**2 >= minimum * (1 - ROUNDING) * channels.b_squares)

    def onto(self, edges: Array) -> Template:
        """The same events in wider bins, whose edges are among these."""
        first = np.searchsorted(self.edges, edges[:-1])
        return Template(edges, self.names, self.signal, np.add.reduceat(self.sums, first, axis=2))

    def sound(self, minimum: float) -> Template:
        """The template with each bin that does not qualify merged into the one below (the lowest: the one above).

        A single bin that does not qualify may be left.
        """
        joined = self
        while len(joined.edges) > 2 and not (good := joined.qualified(minimum)).all():
            bad = int(np.flatnonzero(~good)[-1])
            joined = joined.onto(np.delete(joined.edges, max(bad, 1)))
        return joined


def template(scores: Array, part: Scored, signal: int, weights: Array, edges: Array) -> Template:
    """The events [n] of a split in bins; the first and last bin include underflow and overflow."""
    table = slots(scores, part, signal, weights, edges[1:-1])
    return Template(edges, table.names, table.signal, table.sums)
