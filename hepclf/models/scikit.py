"""Any classifier of scikit-learn by its name: it is trained and evaluated, but stays in memory."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, ArrayTagger, Matrix, matrices
from hepclf.models.model import Fit, class_probabilities, score_shape
from hepclf.models.platt import PlattScaling, platt_scaling, probabilities
from hepclf.models.scales import Scales, scales
from hepclf.models.tagger import write_tagger
from hepclf.nearest import nearest
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]

log = logging.getLogger(__name__)


@recipe
class Sklearn:
    """A classifier of scikit-learn, fitted to features of mean 0 and width 1; a missing value counts as the median.

    estimator  its dotted name
    settings   its parameters; random_state is the trainer's seed

    Its tagger cannot be saved: scikit-learn's only format is pickle, which can run code when it is read. So the run
    holds scores, metrics and plots, and no tagger.
    Unequal weights are refused if the estimator accepts none. Without predict_proba, the decision function is
    calibrated on the validation set.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING | {"seed"}

    estimator: str = "sklearn.naive_bayes.GaussianNB"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"sklearn(\.[A-Za-z_]\w*)+", self.estimator, re.ASCII):
            raise ValueError(
                f"estimator must be a classifier of scikit-learn, such as sklearn.naive_bayes.GaussianNB, "
                f"not {self.estimator}"
            )

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        estimator = self._estimator(trainer.seed)
        model = f"model=sklearn ({self.estimator})"
        first, second = matrices(train, valid, trainer, model)
        return ArrayFit(first, second, lambda train: _fitted(estimator, self.estimator, train, second))

    def _estimator(self, seed: int) -> Any:
        """The estimator with its settings, checked before the training."""
        cls = _classifier(self.estimator)
        parameters = cls().get_params(deep=False)
        for name in self.settings:
            if name not in parameters:
                raise ValueError(
                    f"model.settings.{name} is not a parameter of {self.estimator}{nearest(name, parameters)}"
                )
        seeded = {"random_state": seed} if "random_state" in parameters else {}
        return cls(**{**seeded, **self.settings})


class SklearnTagger(ArrayTagger):
    """An estimator in memory."""

    kind = "unsaved"

    def __init__(
        self, estimator: Any, name: str, scale: Scales, train: Matrix, calibration: PlattScaling | None
    ) -> None:
        self._estimator, self._name, self._scale, self._calibration = estimator, name, scale, calibration
        settings = {"missing": scale.missing}
        super().__init__(
            inputs=train.names,
            classes=train.classes,
            arrays={"fill": scale.fill},
            settings=settings,
            summary={"estimator": name},
        )

    def probabilities(self, features: NDArray[np.float32]) -> Array:
        """Of class 1 [n], or of each class [n, k]."""
        if not len(features):
            return np.empty(score_shape(0, len(self.classes)))
        x = self._scale.standardised(features)
        if self._calibration is None:
            return class_probabilities(np.asarray(self._estimator.predict_proba(x), dtype=np.float64))
        slope, offsets = self._calibration
        return probabilities(slope * _decisions(self._estimator, x) + offsets)

    def check(self) -> None:
        """Nothing: it is never read from a file."""

    def save(self, folder: Path | str) -> None:
        """Write a tagger.json that names the estimator and says that it was not saved."""
        log.warning(
            "%s was trained and evaluated but cannot be saved: the run holds its scores, metrics and plots, and no "
            "tagger that predict or export could use",
            self._name,
        )
        head = {"kind": self.kind, "inputs": self.inputs, "classes": self.classes, "summary": self.summary}
        write_tagger(Path(folder), {}, head)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Always a ValueError: there is nothing to load."""
        raise ValueError(
            f"{folder} holds no tagger: a scikit-learn estimator was trained in memory and cannot be saved; "
            "use a model that can, such as bdt, forest, knn or svm"
        )


def _classifier(name: str) -> Any:
    """The class of this dotted name."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    module, _, last = name.rpartition(".")
    try:
        cls = getattr(import_module(module), last, None)
    except ImportError as error:
        raise ValueError(f"model.estimator={name} cannot be imported: {error}") from error
    if not (isinstance(cls, type) and issubclass(cls, ClassifierMixin) and issubclass(cls, BaseEstimator)):
        raise ValueError(f"model.estimator={name} is not a classifier of scikit-learn")
    try:
        cls()
    except TypeError as error:
        raise ValueError(f"model.estimator={name} needs other estimators, which settings cannot hold") from error
    return cls


def _fitted(estimator: Any, name: str, train: Matrix, valid: Matrix) -> SklearnTagger:
    from sklearn.utils.validation import has_fit_parameter

    scale = scales(train)
    weights = {"sample_weight": train.weights}
    if not has_fit_parameter(estimator, "sample_weight"):
        if np.ptp(train.weights) > 1e-9 * train.weights.max():
            raise ValueError(
                f"{name} takes no weights, so those of the training must be equal, not {train.weights.min():.4g} to "
                f"{train.weights.max():.4g}; set trainer.balance=mean where the events' own are equal, or "
                "choose another estimator"
            )
        weights = {}
    estimator.fit(scale.standardised(train.features), train.targets, **weights)
    if absent := set(range(len(train.classes))) - set(estimator.classes_):
        raise ValueError(f"class {train.classes[min(absent)]!r} has no training events; change data.split")
    if hasattr(estimator, "predict_proba"):
        return SklearnTagger(estimator, name, scale, train, None)
    if not hasattr(estimator, "decision_function"):
        raise ValueError(f"{name} gives neither probabilities nor decisions, so it has no scores to evaluate")
    decisions = _decisions(estimator, scale.standardised(valid.features))
    return SklearnTagger(estimator, name, scale, train, platt_scaling(decisions, valid))


def _decisions(estimator: Any, x: Array) -> Array:
    """The decision function [n, k]; with two classes, that of the background is zero."""
    decisions = np.asarray(estimator.decision_function(x), dtype=np.float64)
    if decisions.ndim == 1:
        decisions = np.c_[np.zeros(len(decisions)), decisions]
    return decisions
