"""Events on each line of a calibration: where a knot that was written wrong shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.model import Tagger
from hepclf.statistics.calibration import Isotonic, logits

Features = NDArray[np.float32]

LINES = 2_000  # lines that are hit; of more, so many evenly spread ones
HALVINGS = 40  # float32 has 24 binary digits, and the event searched for may lie close to one end


def between(tagger: Tagger, found: Isotonic, rows: Features) -> Features:
    """Events whose logits lie midway between knots, or beyond the last ones by one.

    They are looked for by halving, on the way from the least signal-like of these rows to the most. Where a logit is
    jumped over, as a tree does, there is the first event above it.
    """
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        return rows

    def at(features: Features) -> NDArray[np.float64]:
        return logits(tagger.scores(Events(features=features, names=tagger.inputs)))

    known = at(rows)
    start, end = (rows[place].astype(np.float64) for place in (known.argmin(), known.argmax()))

    def on_the_way(share: NDArray[np.float64]) -> Features:
        return np.asarray((1 - share[:, None]) * start + share[:, None] * end, dtype=np.float32)

    aims = _middles(found.before)
    aims = aims[(known.min() < aims) & (aims < known.max())]
    below, above = np.zeros(len(aims)), np.ones(len(aims))
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        passed = at(on_the_way(middle)) > aims
        below, above = np.where(passed, below, middle), np.where(passed, middle, above)
    return on_the_way(above)


def _middles(knots: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.concatenate([[knots[0] - 1], (knots[1:] + knots[:-1]) / 2, [knots[-1] + 1]])
    return found[np.linspace(0, len(found) - 1, min(len(found), LINES)).astype(np.int64)]
