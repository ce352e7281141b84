"""The recipe of an evaluation, and the evaluation of scored events by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Balance, Case, Inside, ObservedEvents, Study
from hepclf.evaluation.chance import tagger_warnings
from hepclf.evaluation.expected_yields import check_yields
from hepclf.evaluation.finding import Finding
from hepclf.evaluation.label import Label
from hepclf.evaluation.movable import cut_table
from hepclf.evaluation.own_studies import check_own_finding, check_own_studies
from hepclf.evaluation.results import Results, RocAxes
from hepclf.evaluation.split_results import histogram_edges, split_results
from hepclf.evaluation.studies.bands import Bands
from hepclf.evaluation.studies.bayes_limit import BayesLimit
from hepclf.evaluation.studies.binned import Binned
from hepclf.evaluation.studies.calibration import Calibration
from hepclf.evaluation.studies.categories import Categories
from hepclf.evaluation.studies.correlations import Correlations
from hepclf.evaluation.studies.counting import Counting
from hepclf.evaluation.studies.discriminants import Discriminants
from hepclf.evaluation.studies.effective_cuts import EffectiveCuts
from hepclf.evaluation.studies.flatness import Flatness
from hepclf.evaluation.studies.folds import Folds
from hepclf.evaluation.studies.importance import Importance
from hepclf.evaluation.studies.likelihood_ratio import LikelihoodRatio
from hepclf.evaluation.studies.multiclass import Multiclass
from hepclf.evaluation.studies.observed import Observed
from hepclf.evaluation.studies.overtraining import Overtraining
from hepclf.evaluation.studies.plane import Plane
from hepclf.evaluation.studies.points import Points
from hepclf.evaluation.studies.regions import Regions
from hepclf.evaluation.studies.retrieval import Retrieval
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.evaluation.studies.tagging import Tagging
from hepclf.evaluation.studies.triggers import Triggers
from hepclf.evaluation.studies.variations import Variations
from hepclf.evaluation.threshold import Threshold, chosen_threshold
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.scored import SPLITS, Scored, discriminant
from hepclf.statistics.counting.measures import Rules
from hepclf.statistics.counting.mixture import process_mixture
from hepclf.statistics.counting.optimum import best_significance, expected_yields, threshold_significance
from hepclf.statistics.counting.scan import Significance
from hepclf.statistics.curves.ranking import Ranking

Array = NDArray[np.float64]
Optimise = Literal["asimov", "s_over_sqrt_b", "asimov_systematic", "s_over_sqrt_s_plus_b", "ams", "punzi", "li_ma"]


@recipe
class Evaluation:
    """The settings of an evaluation: the decision threshold, the working points, the expected yields and the studies.

    A threshold of `best` is the cut of the greatest significance on the validation set; `Rules` explains its settings.
    Expected yields are given by process or class, as numbers of events or as cross sections with one luminosity;
    processes without either keep their sum of weights. The ROC curve has the axes 1 - e_b and signal efficiency
    (`rejection`), or true and false positive rate (`tpr_fpr`).
    """

    RENAMED: ClassVar[Mapping[str, str]] = {  # settings of stored runs
        f"counting.{name}": name for name in ("punzi_sigmas", "ams_background", "off_exposure")
    }

    optimise: Optimise = "asimov"
    systematic: float = 0.1
    minimum_background: float = 10.0
    punzi_sigmas: float = 5.0
    ams_background: float = 10.0
    off_exposure: float | None = None
    threshold: Threshold = 0.5
    working_points: tuple[float, ...] = (0.3, 0.5, 0.7, 0.9)
    signal: str | None = None
    roc: RocAxes = "rejection"
    yields: Mapping[str, float] = field(default_factory=dict)
    cross_sections_fb: Mapping[str, float] = field(default_factory=dict)
    luminosity_fb: float | None = None
    plane: Plane | None = field(default_factory=Plane)
    regions: Regions | None = field(default_factory=Regions)
    bands: Bands | None = field(default_factory=Bands)
    retrieval: Retrieval | None = field(default_factory=Retrieval)
    folds: Folds | None = field(default_factory=Folds)
    overtraining: Overtraining | None = field(default_factory=Overtraining)
    calibration: Calibration | None = field(default_factory=Calibration)
    likelihood_ratio: LikelihoodRatio | None = field(default_factory=LikelihoodRatio)
    bayes_limit: BayesLimit | None = field(default_factory=BayesLimit)
    observed: Observed | None = field(default_factory=Observed)
    counting: Counting | None = field(default_factory=Counting)
    binned: Binned | None = field(default_factory=Binned)
    categories: Categories | None = field(default_factory=Categories)
    points: Points | None = field(default_factory=Points)
    flatness: Flatness | None = field(default_factory=Flatness)
    importance: Importance | None = field(default_factory=Importance)
    effective_cuts: EffectiveCuts | None = field(default_factory=EffectiveCuts)
    correlations: Correlations | None = field(default_factory=Correlations)
    sculpting: Sculpting | None = field(default_factory=Sculpting)
    variations: Variations | None = field(default_factory=Variations)
    multiclass: Multiclass | None = field(default_factory=Multiclass)
    discriminants: Discriminants | None = field(default_factory=Discriminants)
    tagging: Tagging | None = field(default_factory=Tagging)
    triggers: Triggers | None = field(default_factory=Triggers)
    studies: Mapping[str, Any] = field(default_factory=dict)
    label: Label | None = None
    plots: bool = True
    report: bool = True

    def __post_init__(self) -> None:
        self.rules.check()
        self._check_cuts()
        check_yields(self.yields, self.cross_sections_fb, self.luminosity_fb)
        check_own_studies(self.studies, {setting.name for setting in fields(self)})
        if self.counting is not None:
            self.counting.belongs(self.luminosity_fb)

    def _check_cuts(self) -> None:
        if not isinstance(self.threshold, str) and not 0 <= self.threshold <= 1:
            raise ValueError(f"evaluation.threshold must lie in 0..1 or be 'best', not {self.threshold}")
        for target in self.working_points:
            if not 0 < target <= 1:
                raise ValueError(f"evaluation.working_points are signal efficiencies above 0 and up to 1, not {target}")

    def check(
        self,
        classes: tuple[str, ...] | None,
        process_names: tuple[str, ...] | None,
        spectators: tuple[str, ...] | None = None,
        features: tuple[str, ...] | None = None,
    ) -> None:
        """Refuse names that the data does not have, before any training; None: not known yet."""
        if self.label:
            self.label.check_style()
        if classes is not None:
            self._check_classes(classes)
        if classes is not None and process_names is not None:
            self._check_expected(classes, process_names)
        if spectators is None or features is None:
            return
        for study in self.study_settings.values():
            if hasattr(study, "check"):
                study.check(spectators, features)

    def _check_classes(self, classes: tuple[str, ...]) -> None:
        if self.signal is not None and self.signal not in classes:
            raise ValueError(
                f"evaluation.signal {self.signal!r} is no class of the data{nearest(self.signal, classes)}"
            )
        if len(classes) > 2 and self.threshold != 0.5:
            raise ValueError(
                f"evaluation.threshold is for two classes, not {len(classes)}; leave it at 0.5: "
                "with more classes the largest probability decides"
            )
        if self.discriminants:
            self.discriminants.check_classes(classes)

    def _check_expected(self, classes: tuple[str, ...], process_names: tuple[str, ...]) -> None:
        known = tuple(dict.fromkeys((*process_names, *classes)))
        for name in self.expected:
            if name not in known:
                raise ValueError(
                    f"evaluation gives a yield of {name!r}, which is no process or class of the data"
                    f"{nearest(name, known)}"
                )

    def check_luminosity(self, luminosity_fb: float | None) -> None:
        """Refuse a luminosity other than that of the events, unless cross sections rescale them."""
        if luminosity_fb is None or self.luminosity_fb in (None, luminosity_fb) or self.cross_sections_fb:
            return
        raise ValueError(
            f"evaluation.luminosity_fb must be {luminosity_fb:g}, as in data.luminosity_fb, "
            f"not {self.luminosity_fb:g}: without cross sections it scales nothing; scale the yields by "
            f"evaluation.counting.luminosities_fb=[{self.luminosity_fb:g}]"
        )

    @property
    def rules(self) -> Rules:
        """The rules by which the best cut is chosen."""
        return Rules(**{rule.name: getattr(self, rule.name) for rule in fields(Rules)})

    @property
    def expected(self) -> dict[str, float]:
        """Expected events by process or class, from the yields and the cross sections."""
        luminosity = self.luminosity_fb or 0.0
        return dict(self.yields) | {name: fb * luminosity for name, fb in self.cross_sections_fb.items()}

    @property
    def study_settings(self) -> dict[str, Study]:
        """The studies by name, the user's own last; studies for pictures alone are skipped where nothing is drawn."""
        settings = {setting.name: getattr(self, setting.name) for setting in fields(self)} | dict(self.studies)
        return {
            name: study
            for name, study in settings.items()
            if hasattr(study, "study") and (self.plots or not getattr(study, "picture_only", False))
        }

    @property
    def asked(self) -> tuple[str, ...]:
        """The studies that the user configured: own ones, and those whose settings differ from the defaults."""
        return tuple(
            name for name, study in self.study_settings.items() if name in self.studies or study != type(study)()
        )


def evaluate(
    scored: Scored,
    evaluation: Evaluation | None = None,
    inside: Inside | None = None,
    *,
    balance: Balance = "classes",
    observed: ObservedEvents | None = None,
) -> Results:
    """The results on scored events; nothing is quoted on the events on which it was tuned.

    With `inside`, the features of the test events, the studies of features are made too. `balance` is the weighting of
    the classes in training: scores are probabilities in that mixture. `observed` are events of unknown class.
    """
    evaluation = evaluation or Evaluation()
    evaluation.check(scored.classes, scored.process_names)
    case, significance = _case(scored, evaluation, inside, balance, observed)
    edges = histogram_edges(case.rankings.values())
    splits = {name: split_results(case, name, edges) for name in case.parts}
    return Results(
        classes=scored.classes,
        signal=scored.classes[case.signal],
        train=splits.get("train"),
        valid=splits.get("valid"),
        test=splits.get("test"),
        significance=significance,
        at_threshold=_at_threshold(case, evaluation, significance),
        mixture=case.mixture,
        scan=case.scan,
        cuts=cut_table(case),
        roc_axes=evaluation.roc,
        studies=_findings(case, evaluation),
        study_settings=evaluation.study_settings,
        asked=evaluation.asked,
        warnings=tuple(tagger_warnings(splits, scored.classes, case.signal, is_named=bool(evaluation.signal))),
        systematic=evaluation.systematic,
        in_folds=scored.folds is not None,
    )


def _case(
    scored: Scored, evaluation: Evaluation, inside: Inside | None, balance: Balance, observed: ObservedEvents | None
) -> tuple[Case, Significance]:
    """The sorted events with the best cut on the validation set, and the significance of that cut on the test set."""
    signal = scored.classes.index(evaluation.signal or scored.classes[-1])
    parts = {name: part for name in SPLITS if len(part := scored.of(name))}
    if not parts:
        raise ValueError("there are no scored events to evaluate; check the data and its split")
    rankings = {name: Ranking(discriminant(part, signal)) for name, part in parts.items()}
    counted = expected_yields(scored, evaluation.expected, signal, rankings, parts)
    cut, significance = best_significance(evaluation.rules, counted, rankings, parts, signal)
    case = Case(
        scored=scored,
        signal=signal,
        parts=parts,
        rankings=rankings,
        counted=counted,
        rules=evaluation.rules,
        threshold=chosen_threshold(evaluation.threshold, cut, significance.reason),
        cut=cut,
        targets=evaluation.working_points,
        luminosity_fb=evaluation.luminosity_fb,
        inside=inside,
        balance=balance,
        observed=observed,
        mixture=process_mixture(scored, evaluation.expected, signal, parts, counted),
    )
    return case, significance


def _findings(case: Case, evaluation: Evaluation) -> dict[str, Finding]:
    """The finding of each study that applies."""
    findings = {}
    for name, study in evaluation.study_settings.items():
        if (finding := study.study(case)) is None:
            continue
        if name in evaluation.studies:
            check_own_finding(name, finding)
        findings[name] = finding
    return findings


def _at_threshold(case: Case, evaluation: Evaluation, significance: Significance) -> Significance:
    if evaluation.threshold == "best":
        return significance
    return threshold_significance(case.rules, case.counted, case.rankings, case.parts, case.signal, case.threshold)
