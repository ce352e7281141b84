from __future__ import annotations

import numpy as np
import pytest

from hepclf import BDT
from hepclf.events import Events
from hepclf.export.midpoints import LINES, midpoint_events
from hepclf.models.fisher import Fisher
from hepclf.statistics.calibration import Isotonic, logits


def tagger_logits(tagger, features):
    return logits(tagger.scores(Events(features=features, names=tagger.inputs)))


@pytest.mark.parametrize("knots", [1, 30])
def test_events_lie_midway_between_knots_and_beyond_the_last(knots, events, fitted):
    tagger, rows = fitted(Fisher(), events()), events().features
    before = np.linspace(-0.5, 0.5, knots) if knots > 1 else np.zeros(1)
    targets = [before[0] - 1, *(before[1:] + before[:-1]) / 2, before[-1] + 1]
    row_logits = tagger_logits(tagger, rows[~np.isnan(rows).any(axis=1)])
    inside = [target for target in targets if row_logits.min() < target < row_logits.max()]
    assert len(inside) >= knots - 1
    np.testing.assert_allclose(
        tagger_logits(tagger, midpoint_events(tagger, Isotonic(before, before), rows)), inside, atol=1e-5
    )


def test_a_jump_is_hit_from_above(events, fitted):
    tagger, rows = fitted(BDT(iterations=3), events()), events().features
    before = np.linspace(-0.2, 0.2, 10)
    event_logits = tagger_logits(tagger, midpoint_events(tagger, Isotonic(before, before), rows))
    assert (event_logits > (before[:-1] + before[1:]).min() / 2).all()
    assert len(event_logits) >= 9


def test_of_many_lines_so_many_are_hit(events, fitted):
    before = np.linspace(-0.1, 0.1, 3 * LINES)
    tagger, rows = fitted(Fisher(), events()), events().features
    assert LINES - 2 <= len(midpoint_events(tagger, Isotonic(before, before), rows)) <= LINES


def test_without_a_complete_event_none_is_found(events, fitted):
    tagger = fitted(Fisher(), events())
    rows = np.full((3, 4), np.nan, dtype=np.float32)
    assert midpoint_events(tagger, Isotonic(np.zeros(1), np.zeros(1)), rows).shape == (0, 4)
