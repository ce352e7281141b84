"""The best cut on the validation set, and its significance on the test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hepclf.scored import Scored
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.counting.scan import (
    Significance,
    best_cut,
    chosen_significance,
    fixed_significance,
    is_forced_by_minimum,
    qualified,
    with_margin,
)
from hepclf.statistics.counting.yields import Counted, expected_weights, masks_by_name
from hepclf.statistics.curves.limit import background_limit, heaviest
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import curve


def expected_yields(
    scored: Scored,
    yields: Mapping[str, float],
    signal: int,
    rankings: Mapping[str, Ranking],
    parts: Mapping[str, Scored],
) -> dict[str, Counted | str]:
    """Expected yields above each cut on validation and test, or why a split cannot have them."""
    masks_by_name(scored, yields)
    counted: dict[str, Counted | str] = {}
    for name in ("valid", "test"):
        if name not in rankings:
            continue
        part = parts[name]
        try:
            weights = expected_weights(scored, name, yields)
        except ValueError as reason:
            counted[name] = str(reason)
        else:
            # Where all events are in one split they stand for themselves, and need no second copy.
            if np.array_equal(weights, part.weights):
                weights = part.weights
            above = curve(rankings[name], part.labels == signal, weights)
            counted[name] = Counted(weights=weights, curve=above)
    return counted


def best_significance(
    rules: Rules,
    counted: Mapping[str, Counted | str],
    rankings: Mapping[str, Ranking],
    parts: Mapping[str, Scored],
    signal: int,
) -> tuple[float | None, Significance]:
    """The best cut on the validation set and its significance on the test set."""
    valid = counted.get("valid", "there are no validation events to choose a cut on")
    test = counted.get("test", "there are no test events to quote a significance on")
    if isinstance(valid, str):
        return None, Significance(optimised=rules.optimise, reason=valid)
    cut = best_cut(valid.curve, rules)
    if cut is None:
        needed = with_margin(rules.minimum_background)
        enough = bool(qualified(valid.curve, needed).any())
        floor = f"evaluation.minimum_background={rules.minimum_background:g}, and two sigma over it for another split"
        lacks = f"an effective background count of {needed:.3g} ({floor})"
        if enough:
            lacks += " and a positive signal"
        return None, Significance(optimised=rules.optimise, reason=f"no cut on validation keeps {lacks}")
    if isinstance(test, str):
        return cut, Significance(optimised=rules.optimise, reason=test)
    index, background = _passing(test, rankings["test"], parts["test"], signal, cut)
    significance = chosen_significance(test.curve, index, cut, background, rules)
    if significance.reason is None and is_forced_by_minimum(valid.curve, cut, rules):
        significance = replace(significance, floor=rules.minimum_background)
    return cut, significance


def threshold_significance(
    rules: Rules,
    counted: Mapping[str, Counted | str],
    rankings: Mapping[str, Ranking],
    parts: Mapping[str, Scored],
    signal: int,
    threshold: float,
) -> Significance:
    """The significance of test events above the decision threshold, for which no validation events are needed."""
    test = counted.get("test", "there are no test events to quote a significance on")
    if isinstance(test, str):
        return Significance(optimised=rules.optimise, reason=test)
    part = parts["test"]
    if len(part.classes) > 2:
        reason = f"{len(part.classes)} classes are decided by the largest probability, not by a threshold"
        return Significance(optimised=rules.optimise, reason=reason)
    index, background = _passing(test, rankings["test"], part, signal, threshold)
    quoted = fixed_significance(test.curve, index, threshold, background, rules)
    if background.any():
        return quoted
    of_background = part.labels != signal
    weight = heaviest(test.weights[of_background], part.processes[of_background])
    if weight <= 0:
        return quoted
    return replace(quoted, b_limit=background_limit(weight))


def _passing(
    counted: Counted, ranking: Ranking, part: Scored, signal: int, cut: float
) -> tuple[int, NDArray[np.float64]]:
    """The last threshold at or above a cut, and the weights of the background there."""
    index = ranking.last(cut)
    events = ranking.events_above(index)
    return index, counted.weights[events][part.labels[events] != signal]
