"""Several taggers side by side, each set against the best of them on validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.comparison.contenders import Contender
from hepclf.comparison.differences import Difference, auc_difference, differing_property, holm_p_values

Array = NDArray[np.float64]


class RejectionRatio(NamedTuple):
    """Rejection of a tagger over that of the reference at each signal efficiency of GRID, [100]; nan if unknown.

    The error is that of the tagger's own rejection.
    """

    value: Array
    error: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """Taggers that are evaluated on the same test events, in the order of their validation area.

    The first is the reference, with which each other one is compared. A copy follows its original.

    differs_in  the property in which their test events differ from those of the first comparison; None for the first
    """

    contenders: tuple[Contender, ...]
    differences: tuple[Difference, ...]
    ratios: tuple[RejectionRatio, ...]
    differs_in: str | None = None

    @property
    def by_validation(self) -> bool:
        """Whether the reference is the best on validation, and not just the first given."""
        return self.contenders[0].valid.value is not None

    @property
    def reference(self) -> Contender:
        """The tagger with which the others are compared."""
        return self.contenders[0]

    @property
    def trainings(self) -> tuple[Contender, ...]:
        """The taggers without copies."""
        return tuple(tagger for tagger in self.contenders if tagger.copy_of is None)


def comparisons(contenders: Sequence[Contender]) -> tuple[Comparison, ...]:
    """One comparison for each set of test events; the one with most taggers comes first.

    Holm's correction counts the differences of all comparisons.
    """
    samples: list[list[Contender]] = []
    for tagger in contenders:
        shared_sample = next((sample for sample in samples if differing_property(tagger, sample[0]) is None), None)
        if shared_sample is None:
            samples.append([tagger])
        else:
            shared_sample.append(tagger)
    samples.sort(key=len, reverse=True)
    first = samples[0][0]
    return _with_holm([replace(compare(sample), differs_in=differing_property(sample[0], first)) for sample in samples])


def compare(contenders: Sequence[Contender]) -> Comparison:
    """Each tagger against the best on validation (without validation events: the first), on the same test events."""
    position = {tagger.name: index for index, tagger in enumerate(contenders)}

    def order(tagger: Contender) -> tuple[float, int, bool]:
        index = position[tagger.copy_of or tagger.name]
        area = contenders[index].valid.value
        if area is None:
            area = -math.inf
        return -area, index, tagger.copy_of is not None

    ordered = sorted(contenders, key=order)
    reference = ordered[0]
    comparison = Comparison(
        contenders=tuple(ordered),
        differences=tuple(auc_difference(tagger, reference) for tagger in ordered[1:]),
        ratios=tuple(_ratio(tagger, reference) for tagger in ordered),
    )
    return _with_holm([comparison])[0]


def _with_holm(samples: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The comparisons with p-values corrected by Holm's method for the differences of all of them."""
    corrected = iter(holm_p_values([difference.p for sample in samples for difference in sample.differences]))
    return tuple(
        replace(
            sample,
            differences=tuple(difference._replace(holm=next(corrected)) for difference in sample.differences),
        )
        for sample in samples
    )


def _ratio(tagger: Contender, reference: Contender) -> RejectionRatio:
    """The ratio of rejections, known where the relative error of both background efficiencies is below a half."""
    efficiency, reference_efficiency = tagger.background_efficiency, reference.background_efficiency
    error, reference_error = tagger.background_efficiency_error, reference.background_efficiency_error
    with np.errstate(divide="ignore", invalid="ignore"):
        is_known = (error < efficiency / 2) & (reference_error < reference_efficiency / 2)
        value = np.where(is_known, reference_efficiency / efficiency, math.nan)
        return RejectionRatio(value, value * error / efficiency)
