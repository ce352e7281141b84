"""The results on a tagger: plain values and arrays, each number with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hepclf.evaluation.case import Study
from hepclf.evaluation.finding import Finding
from hepclf.scored import SPLITS
from hepclf.statistics.confusion import Confusion
from hepclf.statistics.counting.mixture import ProcessMixture
from hepclf.statistics.counting.scan import Scan, Significance
from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.curves.roc import Roc
from hepclf.statistics.curves.working_point import WorkingPoint
from hepclf.statistics.shapes.bins import DensityHistogram
from hepclf.statistics.value import Value
from hepclf.words import Caution

if TYPE_CHECKING:  # no import at run time: an import cycle
    from hepclf.statistics.curves.cuts import CutTable

RocAxes = Literal["rejection", "tpr_fpr"]  # background rejection 1 - e_b against signal efficiency, or rates
MEANS = ("log_loss", "brier", "accuracy", "precision", "recall", "f1")


class Operating(NamedTuple):
    """The point of the decision threshold on the ROC curve."""

    signal_efficiency: float
    background_efficiency: float


class OneVsRest(NamedTuple):
    """One class of several against all others."""

    auc: Value
    working_points: tuple[WorkingPoint, ...]
    roc: Roc | None


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitResults:
    """The results of a tagger on one split.

    `threshold` and `operating`, its point on the curve, are for two classes; `one_vs_rest` is for more classes.
    `precision_limit` is the lower limit of the precision where no simulated background event is selected.
    """

    events: int
    negative_fraction: float | None
    auc: Value
    log_loss: Value
    brier: Value
    accuracy: Value
    precision: Value
    recall: Value
    f1: Value
    confusion: Confusion
    working_points: tuple[WorkingPoint, ...]
    roc: Roc | None
    threshold: float | None = None
    operating: Operating | None = None
    optimal: Roc | None = None
    precision_limit: Limit | None = None
    one_vs_rest: Mapping[str, OneVsRest] = field(default_factory=dict)
    histograms: Mapping[str, DensityHistogram] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dictionaries, as metrics.json has them."""
        means = {name: getattr(self, name) for name in MEANS}
        found: dict[str, Any] = {"auc": self.auc.to_dict()}
        if self.optimal is not None:
            found["optimal_auc"] = self.optimal.area.to_dict()
        found |= {name: mean.value for name, mean in means.items()}
        found["errors"] = {name: mean.error for name, mean in means.items()}
        if self.precision_limit is not None:
            found["precision_limit"] = self.precision_limit._asdict()
        found |= {"threshold": self.threshold, "confusion": self.confusion.weights.tolist()}
        found["working_points"] = [_point(point) for point in self.working_points]
        found["negative_fraction"] = self.negative_fraction
        if self.one_vs_rest:
            found["one_vs_rest"] = {
                name: {"auc": one.auc.to_dict(), "working_points": [_point(p) for p in one.working_points]}
                for name, one in self.one_vs_rest.items()
            }
        return found


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Results:
    """The evaluation of a tagger: results for each split that has events, and the significance on the test set.

    significance    of the best cut on the validation set
    at_threshold    significance of the decision threshold
    mixture         the mixture of processes that efficiencies, areas and purities refer to
    cuts            test events above each of many cuts
    studies         finding of each study, by its name in the settings; study_settings are the studies themselves
    asked           names of the studies that the user configured
    titles          title and unit of features, for pictures
    systematic      relative uncertainty of the background in the significances
    warnings        possible problems of the data, the training or the results; read them first
    in_folds        every event is a test event, scored by the member that has not seen it
    """

    classes: tuple[str, ...]
    signal: str
    train: SplitResults | None
    valid: SplitResults | None
    test: SplitResults | None
    significance: Significance
    scan: Scan | None
    at_threshold: Significance | None = None
    mixture: ProcessMixture = field(default_factory=ProcessMixture)
    cuts: CutTable | None = None
    roc_axes: RocAxes = "rejection"
    studies: Mapping[str, Finding] = field(default_factory=dict)
    study_settings: Mapping[str, Study] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    warnings: tuple[Caution, ...] = ()
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    systematic: float | None = None
    in_folds: bool = False

    def __repr__(self) -> str:
        areas = (f"{name} {split.auc.value or math.nan:.5g}" for name, split in self.splits.items())
        warned = "".join(f"\n  warning: {row.text}" for row in self.warnings)
        return f"Results: AUC of {self.signal!r} " + ", ".join(areas) + warned

    @property
    def splits(self) -> dict[str, SplitResults]:
        """The splits that have events, by name."""
        results = {name: getattr(self, name) for name in SPLITS}
        return {name: split for name, split in results.items() if split is not None}

    def to_dict(self) -> dict[str, Any]:
        """The numbers of the results, ready for JSON; a number without a value is None, never nan."""
        contents: dict[str, Any] = {name: split.to_dict() for name, split in self.splits.items()}
        if "test" in contents:
            contents["test"]["significance"] = _significance(self.significance)
            if self.at_threshold is not None:
                contents["test"]["significance_at_threshold"] = _significance(self.at_threshold)
        numbers = {name: study.to_dict() for name, study in self.studies.items()}
        if any(numbers.values()):
            contents["studies"] = {name: figures for name, figures in numbers.items() if figures}
        contents["mixture"] = self.mixture.to_dict()
        warnings = [row.to_dict() for row in self.warnings]
        return {"warnings": warnings} | {name: _finite(split) for name, split in contents.items()}


def _point(point: WorkingPoint) -> dict[str, Any]:
    return {name: plain(value) for name, value in point._asdict().items()}


def _significance(significance: Significance) -> dict[str, Any]:
    numbers = {name: value for name, value in vars(significance).items() if name != "b_limit" or value is not None}
    return {name: plain(value) for name, value in numbers.items()}


def plain(value: Any) -> Any:
    """A value or a limit as a dictionary, anything else unchanged."""
    if isinstance(value, (Value, Limit)):
        return value._asdict()
    return value


def _finite(contents: Any) -> Any:
    if isinstance(contents, dict):
        return {name: _finite(value) for name, value in contents.items()}
    if isinstance(contents, (list, tuple)):
        return [_finite(value) for value in contents]
    if isinstance(contents, float) and not math.isfinite(contents):
        return None
    return contents
