"""The best possible classifier of several classes, where the data have the densities of each as spectators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, one_sided_p
from hepclf.evaluation.studies.likelihood_ratio import profile
from hepclf.recipe import recipe
from hepclf.statistics.losses import event_losses
from hepclf.statistics.value import Value, weighted_mean
from hepclf.words import Grid, number

Array = NDArray[np.float64]
DENSITY = "log_density_"  # the spectator of a class begins with it


@recipe
class BayesLimit:
    """Probabilities against those of the exact densities (Bayes' theorem), with the classes as in training.

    bins  number of bins of equal weight, for the picture of the means
    """

    question: ClassVar[str] = "How close does the tagger come to the best possible classifier?"
    page_title: ClassVar[str] = "Best possible classifier"
    page_section: ClassVar[str] = "believe"

    bins: int = 15

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= 1000:
            raise ValueError(f"bins must lie in 2..1000, not {self.bins}")

    def study(self, case: Case) -> Limit | None:
        """The comparison on test for three classes or more; None where a density is not known."""
        part, classes = case.parts.get("test"), case.scored.classes
        names = [f"{DENSITY}{name}" for name in classes]
        if part is None or len(classes) < 3 or not set(names) <= set(part.spectators):
            return None
        weights = case.mixed("test")
        if weights is None:
            return None
        densities = np.stack([np.asarray(part.spectators[name], dtype=np.float64) for name in names], axis=1)
        exact = posteriors(densities, case.shares)
        losses, least = event_losses(part.labels, part.scores), event_losses(part.labels, exact)
        right, best = (scores.argmax(axis=1) == part.labels for scores in (part.scores, exact))
        return Limit(
            log_loss=weighted_mean(losses, weights),
            least_log_loss=weighted_mean(least, weights),
            lost=weighted_mean(losses - least, weights),
            accuracy=weighted_mean(right.astype(np.float64), weights),
            best_accuracy=weighted_mean(best.astype(np.float64), weights),
            missed=weighted_mean(best.astype(np.float64) - right, weights),
            profiles={
                name: profile(exact[:, label], part.scores[:, label], weights, self.bins)
                for label, name in enumerate(classes)
            },
        )


def posteriors(log_densities: Array, shares: Array) -> Array:
    """p(class | x) = share p(x | class) / sum over the classes, [n, k], from ln p(x | class) [n, k]."""
    logs = log_densities + np.log(shares)
    logs -= logs.max(axis=1, keepdims=True)
    joint = np.exp(logs)
    total: Array = joint / joint.sum(axis=1, keepdims=True)
    return total


@dataclass(frozen=True, kw_only=True, eq=False)
class Limit:
    """The tagger and the exact probabilities on the same events.

    log_loss, least_log_loss, lost     of the tagger, of the exact probabilities, and their difference
    accuracy, best_accuracy, missed    the same of the fraction of right decisions; `missed` is the exact one's lead
    profiles                           by class: mean score in bins of the exact probability, as in RatioAgreement
    """

    log_loss: Value
    least_log_loss: Value
    lost: Value
    accuracy: Value
    best_accuracy: Value
    missed: Value
    profiles: Mapping[str, Mapping[str, Array]]

    @property
    def evidence(self) -> Evidence:
        """Evidence that the tagger is worse; one-sided, as the exact probabilities have the lowest log-loss."""
        return Evidence(one_sided_p(self.lost))

    @property
    def sentences(self) -> tuple[str, ...]:
        """Log-loss and accuracy beside the best possible ones."""
        return (
            f"{self.evidence.words} that the tagger is worse than the best possible one ({self.evidence.test}), "
            f"classes as in training: log-loss {number(*self.log_loss)}, at best {number(*self.least_log_loss)}; "
            f"accuracy {number(*self.accuracy)}, at best {number(*self.best_accuracy)}.",
        )

    @property
    def passed(self) -> dict[str, str]:
        """The sentence that nothing is lost, with its short form."""
        if self.evidence.answer != "none":
            return {}
        return {self.sentences[0]: self.evidence.short("best possible classifier")}

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The tagger, the exact probabilities and the difference."""
        rows = [
            ("log-loss", *(number(*value) for value in (self.log_loss, self.least_log_loss, self.lost))),
            ("accuracy", *(number(*value) for value in (self.accuracy, self.best_accuracy, self.missed))),
        ]
        return (Grid("classes as in training, on test", ("", "tagger", "best possible", "lost"), rows),)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        names = ("log_loss", "least_log_loss", "lost", "accuracy", "best_accuracy", "missed")
        return {"evidence": self.evidence.to_dict(), **{name: getattr(self, name).to_dict() for name in names}}
