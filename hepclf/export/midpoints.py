"""Events on each line of an isotonic calibration, which reveal a knot that was written wrongly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.model import Tagger
from hepclf.statistics.calibration import Isotonic, logits

Features = NDArray[np.float32]

LINES = 2_000  # lines that are hit; of more, so many evenly spread ones
HALVINGS = 40  # float32 has 24 binary digits, and the event searched for may lie close to one end


def midpoint_events(tagger: Tagger, calibration: Isotonic, rows: Features) -> Features:
    """Events whose logits lie midway between two knots, or one unit beyond the outermost knots.

    Each is found by bisection, on the straight line from the least to the most signal-like of these rows. If the logit
    jumps over the target, as that of a tree does, it is the first event above the jump.
    """
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        return rows

    def event_logits(features: Features) -> NDArray[np.float64]:
        return logits(tagger.scores(Events(features=features, names=tagger.inputs)))

    row_logits = event_logits(rows)
    start, end = (rows[row].astype(np.float64) for row in (row_logits.argmin(), row_logits.argmax()))

    def interpolated(fraction: NDArray[np.float64]) -> Features:
        return np.asarray((1 - fraction[:, None]) * start + fraction[:, None] * end, dtype=np.float32)

    targets = _midpoints(calibration.before)
    targets = targets[(row_logits.min() < targets) & (targets < row_logits.max())]
    lower, upper = np.zeros(len(targets)), np.ones(len(targets))
    for _ in range(HALVINGS):
        middle = (lower + upper) / 2
        passed = event_logits(interpolated(middle)) > targets
        lower, upper = np.where(passed, lower, middle), np.where(passed, middle, upper)
    return interpolated(upper)


def _midpoints(knots: NDArray[np.float64]) -> NDArray[np.float64]:
    midpoints = np.concatenate([[knots[0] - 1], (knots[1:] + knots[:-1]) / 2, [knots[-1] + 1]])
    return midpoints[np.linspace(0, len(midpoints) - 1, min(len(midpoints), LINES)).astype(np.int64)]
