"""The mixture of processes that efficiencies, ROC curves and purities refer to, decided once for an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.scored import SPLITS, Scored
from hepclf.statistics.counting.yields import Counted, expected_weights

Array = NDArray[np.float64]
Source = Literal["yields", "splits", "events"]

ROUNDING = 1e-9  # weights in one proportion differ by no more than this
NAMED = 4  # yields that are named in a sentence


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixed:
    """The weights of a split's events in the mixture, [n] each.

    weights  for the confusion matrix, accuracy, precision and purity
    within   for efficiencies, ROC curves and areas: the same mixture inside the signal and inside the background. Where
             the mixture scales the signal or the background as a whole, these are the events' own weights
    scale    of background and signal, so that weights = scale * within
    """

    weights: Array
    within: Array
    scale: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class ProcessMixture:
    """Which mixture of processes an evaluation refers to.

    source   `yields`: expected yields or cross sections are configured; `splits`: the whole sample, because the splits
             have unequal fractions of the processes; `events`: the events of each split with their own weights
    yields   the configured yields, by process or class
    splits   the splits whose weights the mixture changes
    refused  why a split cannot have the mixture; its events keep their own weights
    in_folds  every event is a test event
    """

    source: Source = "events"
    yields: Mapping[str, float] = field(default_factory=dict)
    splits: Mapping[str, Mixed] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    in_folds: bool = False

    def split_weights(self, split_name: str, part: Scored) -> Mixed:
        """The weights of a split."""
        return self.splits.get(split_name) or Mixed(weights=part.weights, within=part.weights)

    @property
    def sentence(self) -> str:
        """The mixture in a sentence for the reader of the results."""
        subject = "Confusion matrix, efficiencies, AUC and purity refer to"
        reasons = " ".join(f"The {name} events count as they are: {why}." for name, why in self.refused.items())
        if self.source == "yields":
            return f"{subject} the mixture of the expected yields, {_yields_text(self.yields)}. {reasons}".rstrip()
        if self.source == "splits":
            reason = "each process is normalised to its full yield, since a split holds a fraction of it"
            if self.in_folds:
                reason = "every event is in the test set"
            return f"{subject} the whole sample: {reason}. {reasons}".rstrip()
        if reasons:
            return f"{subject} the events with their weights as they are. {reasons}"
        return (
            f"{subject} the events with their weights as they are: no yields are given that would mix them otherwise."
        )

    def to_dict(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return {"defined_by": self.source, "text": self.sentence}


def process_mixture(
    scored: Scored,
    yields: Mapping[str, float],
    signal: int,
    parts: Mapping[str, Scored],
    counted: Mapping[str, Counted | str],
) -> ProcessMixture:
    """The mixture that yields define, or else the whole sample if the splits have unequal fractions of the processes.

    Without both, the events keep their own weights. So do those of a split whose processes cannot be scaled, and the
    mixture says why.
    """
    if not yields and not any(_unequal(scored.totals, part) for part in parts.values()):
        return ProcessMixture()
    splits, refused = {}, {}
    for name in (name for name in SPLITS if name in parts):
        weights = _expected(scored, name, yields, counted)
        if isinstance(weights, str):
            refused[name] = weights
        else:
            splits[name] = mixed(parts[name].weights, weights, parts[name].labels == signal)
    if not splits:
        return ProcessMixture(refused=refused)
    source: Source = "yields" if yields else "splits"
    return ProcessMixture(
        source=source, yields=yields, splits=splits, refused=refused, in_folds=scored.folds is not None
    )


def mixed(event_weights: Array, weights: Array, is_signal: NDArray[np.bool_]) -> Mixed:
    """Weights of a mixture [n], with those inside signal and background; `event_weights` are the events' own weights.

    Where a yield of zero removes a class, its efficiencies are still those of the events' own weights.
    """
    if weights is event_weights:
        return Mixed(weights=event_weights, within=event_weights)
    # A common factor of a class cancels in its efficiencies, so its events keep their own weights.
    factors = [_factor(event_weights[in_class], weights[in_class]) for in_class in (~is_signal, is_signal)]
    if None not in factors:
        return Mixed(weights=weights, within=event_weights, scale=(factors[0] or 0.0, factors[1] or 0.0))
    within, scale = weights, [1.0, 1.0]
    for label, factor in enumerate(factors):
        if factor is not None:
            within = np.where(is_signal == label, event_weights, within)
            scale[label] = factor
    return Mixed(weights=weights, within=within, scale=(scale[0], scale[1]))


def _factor(event_weights: Array, weights: Array) -> float | None:
    """The common factor of all weights, None where there is none."""
    heavy = event_weights != 0
    ratios = weights[heavy] / event_weights[heavy]
    if not len(ratios):
        return 1.0
    low, high = float(ratios.min()), float(ratios.max())
    # Equal up to rounding: then the class is scaled as a whole, and its efficiencies do not change.
    if high - low > ROUNDING * max(abs(low), abs(high)):
        return None
    return float(ratios[0])


def _expected(
    scored: Scored, split_name: str, yields: Mapping[str, float], counted: Mapping[str, Counted | str]
) -> Array | str:
    """Expected weights of a split, or why it has none."""
    counted_split = counted.get(split_name)
    if isinstance(counted_split, Counted):
        return counted_split.weights
    if counted_split is not None:
        return counted_split
    try:
        return expected_weights(scored, split_name, yields)
    except ValueError as reason:
        return str(reason)


def _unequal(totals: Array, part: Scored) -> bool:
    """Whether a split has unequal fractions of the processes, differing by more than one event of each process."""
    k = len(part.process_names)
    sums, sizes = (np.bincount(part.processes, column, minlength=k) for column in (part.weights, np.abs(part.weights)))
    usable = (sizes > 0) & (totals != 0)
    squares = np.bincount(part.processes, part.weights**2, minlength=k)
    shares = sums[usable] / totals[usable]
    # The effective weight of an event as a fraction of its process: what one event more or less changes.
    margin = squares[usable] / sizes[usable] / np.abs(totals[usable])
    return bool(usable.any() and (shares - margin).max() > (shares + margin).min())


def _yields_text(yields: Mapping[str, float]) -> str:
    """`signal 40, ttbar 500 and 3 more`."""
    first = ", ".join(f"{name} {events:.6g}" for name, events in list(yields.items())[:NAMED])
    if len(yields) <= NAMED:
        return first
    return f"{first} and {len(yields) - NAMED} more"
