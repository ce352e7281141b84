"""The likelihood ratio from histograms: of one feature, or the product over decorrelated features."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.arrays import ArrayFit, ArrayTagger, Matrix, matrices, medians
from hepclf.models.model import Fit
from hepclf.models.platt import log_softmax, platt_scaling, probabilities
from hepclf.recipe import recipe
from hepclf.training.trainer import WEIGHTING, Trainer

Array = NDArray[np.float64]
SMOOTHING = (0.0, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)  # widths that are tried
TAIL = 10  # events in the outermost bins
FLATTEST = 1e-9  # relative eigenvalue of the correlations below which a direction has no width
MOST = 4096  # bins: the smoothing takes the square of their number


@recipe
class Likelihood:
    """Each class's density as a product of histograms, one per feature.

    The bin edges are weighted quantiles of the training set, finer in the tails: they are the quantiles at equal steps
    of a normal deviate. The first and last bin reach to infinity, and missing values have a bin of their own. With n
    effective events of a class, p its fraction in each bin and q that of all classes, the ratio of the class to all is

        (1 + n sum_b K_ab p_b) / (1 + n sum_b K_ab q_b),

    where K is 1 for a = b and falls with the distance of the bins like a Gaussian of width `smoothing`, in units of
    that normal deviate. The 1 is one additional event of no class near each bin, so that an empty bin excludes
    nothing. The logarithms are summed over the features. A slope and offsets, fitted to the validation set, correct
    for information that dependent features share; they do not change the order of events of two classes.

    decorrelate  none | linear: features times the inverse root of their covariance within the classes
    smoothing    null: for each feature the width with the best validation loss; 0: plain histograms

    Negative weights may be kept: a negative sum counts as an empty bin.
    """

    trainer_settings: ClassVar[frozenset[str]] = WEIGHTING

    decorrelate: Literal["none", "linear"] = "linear"
    bins: int = 256
    smoothing: float | None = None

    def __post_init__(self) -> None:
        if not 3 <= self.bins <= MOST:
            raise ValueError(f"bins must lie between 3 and {MOST:,}, not {self.bins}")
        if self.smoothing is not None and not 0 <= self.smoothing <= 10:
            raise ValueError(f"smoothing must lie between 0 and 10, not {self.smoothing}")

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this model; iterate over it."""
        first, second = matrices(train, valid, trainer, "model=likelihood", keeps=True)
        return ArrayFit(first, second, lambda train: _fitted(self, train, second))


class LikelihoodTagger(ArrayTagger):
    """Histograms: `edges` and `ratios` (logarithms) of all features, one after the other."""

    kind = "likelihood"

    def probabilities(self, features: NDArray[np.float32]) -> Array:
        """Of class 1 [n], or of each class [n, k]."""
        return probabilities(self.logits(features) * self.arrays["slope"] + self.arrays["offsets"])

    def logits(self, features: NDArray[np.float32]) -> Array:
        """The summed logarithms of the ratios [n, k]."""
        x = _rotated(features, self.arrays["centre"], self.arrays["rotation"])
        logits = np.zeros((len(x), len(self.classes)))
        for column, (edges, ratios) in enumerate(self._histograms):
            logits += ratios[_places(x[:, column], edges)]
        return logits

    def check(self) -> None:
        """Check shapes, and that edges ascend."""
        k, d = len(self.classes), len(self.inputs)
        self._shaped("slope", (1,))
        self._shaped("offsets", (k,))
        self._shaped("centre", (d,))
        self._shaped("rotation", (d, d))
        starts = self._shaped("starts", (d + 1,), "i")
        edges = self._shaped("edges", (len(self.arrays["edges"]),))
        ratios = self._shaped("ratios", (len(edges) + 2 * d, k))
        if starts[0] != 0 or starts[-1] != len(edges) or (np.diff(starts) < 0).any():
            raise ValueError(f"the array 'starts' must ascend from 0 to {len(edges)}")
        self._histograms = [
            (edges[a:b], ratios[a + 2 * i : b + 2 * i + 2]) for i, (a, b) in enumerate(pairwise(starts.tolist()))
        ]
        if any((np.diff(part) <= 0).any() for part, _ in self._histograms):
            raise ValueError("the edges of each histogram must ascend")


def _fitted(recipe: Likelihood, train: Matrix, valid: Matrix) -> LikelihoodTagger:
    if recipe.decorrelate == "linear":
        centre, rotation = _decorrelation(train)
    else:
        centre, rotation = _identity(len(train.names))
    x, y = (_rotated(part.features, centre, rotation) for part in (train, valid))
    widths = SMOOTHING if recipe.smoothing is None else (recipe.smoothing,)
    histograms = [_histogram(x[:, i], y[:, i], train, valid, recipe.bins, widths) for i in range(x.shape[1])]
    sums = np.bincount(train.targets, train.weights, minlength=len(train.classes))
    fractions = np.log(sums / sums.sum())
    arrays: dict[str, NDArray[Any]] = {
        "centre": centre,
        "rotation": rotation,
        "starts": np.cumsum([0, *(len(histogram.edges) for histogram in histograms)]),
        "edges": np.concatenate([histogram.edges for histogram in histograms]),
        "ratios": np.concatenate([histogram.ratios for histogram in histograms]),
        "slope": np.ones(1),
        "offsets": fractions,
    }
    product = LikelihoodTagger(inputs=train.names, classes=train.classes, arrays=arrays)
    slope, offsets = platt_scaling(product.logits(valid.features) + fractions, valid)
    arrays |= {"slope": np.full(1, slope), "offsets": slope * fractions + offsets}
    smoothing = dict(zip(train.names, (histogram.smoothing for histogram in histograms), strict=True))
    summary = {"smoothing": smoothing, "slope": slope}
    return LikelihoodTagger(inputs=train.names, classes=train.classes, arrays=arrays, summary=summary)


class RatioHistogram(NamedTuple):
    """Inner edges [m] of a feature's bins, and logarithms of the classes' ratios [m + 2, k], missing values last."""

    edges: Array
    ratios: Array
    smoothing: float


def _histogram(
    x: Array, y: Array, train: Matrix, valid: Matrix, bins: int, widths: tuple[float, ...]
) -> RatioHistogram:
    """The histogram of a training column x whose smoothing is best on the validation column y."""
    edges = _quantiles(x, np.abs(train.weights), bins)
    size, k = len(edges) + 2, len(train.classes)

    def sums(column: Array, targets: NDArray[np.int64], weights: Array) -> Array:
        cells = _places(column, edges) * k + targets
        return np.asarray(np.bincount(cells, weights, minlength=size * k), dtype=np.float64).reshape(size, k)

    counts, valid_counts = (sums(column, *part[1:3]) for column, part in ((x, train), (y, valid)))
    squares = np.asarray(np.bincount(train.targets, train.weights**2, minlength=k), dtype=np.float64)
    total = sums(x, train.targets, np.abs(train.weights)).sum(axis=1)
    candidates = [_ratios(counts, squares, total / total.sum(), width) for width in widths]
    fractions = np.log(counts.sum(axis=0) / counts.sum())
    losses = [-(valid_counts * log_softmax(ratios + fractions)).sum() for ratios in candidates]
    best = int(np.argmin(losses))
    return RatioHistogram(edges, candidates[best], widths[best])


def _ratios(counts: Array, squares: Array, total: Array, width: float) -> Array:
    """The logarithm of (smoothed fraction of each class in each bin) / (that of all classes), [bins, k]."""
    from scipy.special import ndtri

    middle = ndtri(np.clip(np.cumsum(total) - total / 2, 1e-9, 1 - 1e-9))
    kernel = np.eye(len(total))
    if width > 0:  # missing values, in the last bin, are near to no value
        kernel[:-1, :-1] = np.exp(-(((middle[:-1, None] - middle[None, :-1]) / width) ** 2) / 2)
    effective = counts.sum(axis=0) ** 2 / squares
    near = effective * (kernel @ (counts / counts.sum(axis=0)))
    expected = effective * (kernel @ total)[:, None]
    return np.asarray(np.log((1 + np.maximum(near, 0)) / (1 + expected)))


def _quantiles(x: Array, weights: Array, bins: int) -> Array:
    """The distinct inner edges of the bins; the outermost bins hold TAIL events each."""
    from scipy.special import ndtr, ndtri

    present = ~np.isnan(x)
    order = np.argsort(x[present], kind="stable")
    values, sums = x[present][order], np.cumsum(weights[present][order])
    if not len(sums) or sums[-1] == 0:
        return np.empty(0)
    last = ndtri(max(1 - TAIL / len(values), 0.6))
    shares = ndtr(np.linspace(-last, last, bins - 1))
    return np.unique(values[np.searchsorted(sums, sums[-1] * shares)])


def _places(x: Array, edges: Array) -> NDArray[np.int64]:
    """The bin of each value: an edge belongs to the bin above it, and the last bin is for missing values."""
    places = np.searchsorted(edges, x, side="right")
    return np.where(np.isnan(x), len(edges) + 1, places)


def _rotated(features: NDArray[np.float32], centre: Array, rotation: Array) -> Array:
    """Decorrelated features. A missing value stays missing; in the other features it counts as the centre."""
    x = features.astype(np.float64) - centre
    absent = np.isnan(x)
    rotated: Array = np.where(absent, 0, x) @ rotation
    rotated[absent] = np.nan
    return rotated


def _identity(d: int) -> tuple[Array, Array]:
    return np.zeros(d), np.eye(d)


def _decorrelation(train: Matrix) -> tuple[Array, Array]:
    """The centre [d] and the symmetric inverse root [d, d] of the covariance within the classes.

    Directions without variance, from linearly dependent features, are left out.
    """
    centre = medians(train)[0].astype(np.float64)
    x = train.features - centre
    x[np.isnan(x)] = 0
    k = len(train.classes)
    members = np.eye(k)[train.targets] * train.weights[:, None]
    inside = x - ((members.T @ x) / members.sum(axis=0)[:, None])[train.targets]
    covariance = (inside.T * train.weights) @ inside / train.weights.sum()
    widths = np.sqrt(np.maximum(covariance.diagonal(), 0))
    widths[widths == 0] = 1
    values, vectors = np.linalg.eigh(covariance / widths / widths[:, None])
    wide = values > FLATTEST * values[-1]
    roots = np.where(wide, 1 / np.sqrt(np.where(wide, values, 1)), 0)
    return centre, (vectors * roots) @ vectors.T / widths[:, None]
