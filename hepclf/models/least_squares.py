"""Linear regression on the classes, in closed form."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, Matrix, matrices
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Fit
from hepclf.models.scales import scales
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]


@recipe
class LeastSquares:
    """A linear function of the features for each class, fitted to 1 for its events and 0 for the others.

    The class with the largest function is the decision; the scores are the softmax of the functions, which rank alike
    but are no probabilities. A class between two others is never the largest (Hastie et al., section 4.2), and distant
    events turn the functions, also where they are on the right side.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        first, second = matrices(train, valid, trainer, "model=least_squares")
        return ArrayFit(first, second, _fitted)


def _fitted(train: Matrix) -> FisherTagger:
    """The minimum of sum(w |y - f(x)|^2), by the singular values: features may depend on each other."""
    scale = scales(train)
    design = np.column_stack([np.ones(len(train.targets)), scale.standardised(train.features)])
    truth = np.eye(len(train.classes))[train.targets]
    root = np.sqrt(train.weights)[:, None]
    solution, *_ = np.linalg.lstsq(root * design, root * truth, rcond=None)
    arrays = {
        "coefficients": (solution[1:] / scale.width[:, None]).T,
        "intercepts": solution[0],
        "centre": scale.centre,
        "fill": scale.fill,
    }
    return FisherTagger(inputs=train.names, classes=train.classes, arrays=arrays, settings={"missing": scale.missing})
