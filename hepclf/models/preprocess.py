"""Preparing features: missing values and scales, fitted on the training set and stored in the tagger."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hepclf.disk import mapped, row_blocks
from hepclf.models.quantiles import quantiles
from hepclf.nearest import nearest
from hepclf.recipe import recipe

Array = NDArray[np.float64]
Scaling = Literal["none", "standard", "robust", "clipped", "quantile", "log", "common"]
KNOTS = 256  # quantiles kept a feature: the map's step is under half a per cent of the sample
ROWS = 1 << 18  # rows of a table prepared at once
SAMPLE = 1 << 18  # events that the scales of a table on disk are taken from, which moves them by 0.2 % of a width
RUN = 1 << 10  # of these that are read together
LARGEST = 1e18  # in size: squares, and so widths and losses, still fit into float32
BOUND = 8.0  # widths from the median that no clipped input reaches
NARROWEST = 1e-30  # width of an input: what is narrower leaves float32 when divided by

log = logging.getLogger(__name__)


@recipe
class Preprocess:
    """How features become inputs of a network.

    scaling   none | standard (mean, standard deviation) | robust (median, half the 16-84 % range)
              | clipped (robust, then bent smoothly so that no value lies beyond 8 widths, arXiv:2407.04491)
              | quantile (to a normal distribution) | log (sign(x) log(1 + |x|/median|x|), then standard)
              | common (divided by the root mean square of all such features together, as for the pixels of an image)
    features  another scaling for single features, by name
    constant  what to do with a feature that never varies: error, or drop with a warning

    Means, widths and quantiles are weighted as the loss is. A missing value becomes the feature's median; if the
    training set has missing values of a feature, an additional input (0 or 1) marks them. For a table larger than
    memory, the scales come from a part of it.
    """

    scaling: Scaling = "standard"
    features: Mapping[str, Scaling] = field(default_factory=dict)
    constant: Literal["error", "drop"] = "error"

    def check(self, names: tuple[str, ...]) -> None:
        """Refuse a scaling for an unknown feature."""
        for name in self.features:
            if name not in names:
                raise ValueError(f"preprocess.features names {name!r}, which is not a feature{nearest(name, names)}")

    def fit(self, features: NDArray[np.float32], names: tuple[str, ...], weights: Array | None = None) -> Prepare:
        """The map fitted to these training features [n, d]; it keeps the columns that vary, in its own `names`.

        weights  of the training [n], used by absolute value; without them all events count alike
        """
        self.check(names)
        ranges = _ranges(features)
        problems = {column: text for column, name in enumerate(names) if (text := self._problem(ranges[column], name))}
        _warn_of_dropped([f"feature {names[column]!r} {text}" for column, text in problems.items()])
        varying = [column for column in range(len(names)) if column not in problems]
        if not varying:
            raise ValueError("no feature varies in the training split; there is nothing to learn from")
        kinds = tuple(self.features.get(names[column], self.scaling) for column in varying)
        missing = tuple(i for i, column in enumerate(varying) if ranges[column].missing)
        prepare = Prepare(names=tuple(names[column] for column in varying), kinds=kinds, missing=missing)
        sizes = np.ones(len(features)) if weights is None else np.abs(weights)
        sample, sizes = _sample(features, sizes)
        for position, (column, kind) in enumerate(zip(varying, kinds, strict=True)):
            prepare.set(position, kind, sample[:, column], sizes)
        if "common" in kinds:
            prepare.set_common(sample[:, varying], sizes)
        return prepare

    def _problem(self, feature: FeatureRange, name: str) -> str | None:
        """Why a feature is dropped; None if it varies."""
        low, high = feature.low, feature.high
        if max(-low, high) > LARGEST:
            raise ValueError(
                f"feature {name!r} reaches {max(-low, high):.4g} in size, beyond {LARGEST:g}, where float32 overflows; "
                "rescale it, or select those events away"
            )
        if low < high:
            return None
        problem = "is missing in every training event" if low > high else f"is always {low:.6g}"
        if self.constant == "error":
            raise ValueError(
                f"feature {name!r} {problem}, which no classifier can use; "
                "leave it out of data.features or set model.preprocess.constant=drop"
            )
        return problem


class FeatureRange(NamedTuple):
    """The smallest and largest value of a feature, and whether any is missing; low > high if all are."""

    low: float
    high: float
    missing: bool


def _warn_of_dropped(problems: list[str]) -> None:
    if len(problems) == 1:
        log.warning("%s and is dropped", problems[0])
    elif problems:
        examples = "; ".join(problems[:3])
        if len(problems) > 3:
            examples += "; ..."
        log.warning("%d features never vary in the training set and are dropped: %s", len(problems), examples)


def _ranges(features: NDArray[np.float32]) -> list[FeatureRange]:
    """The range of each feature, from one pass over the table."""
    size = features.shape[1]
    low, high, missing = np.full(size, np.inf), np.full(size, -np.inf), np.zeros(size, dtype=bool)
    for part in row_blocks(features):
        rows = features[part]
        absent = np.isnan(rows).any(axis=0)
        low = np.fmin(low, np.fmin.reduce(rows, axis=0))
        high = np.fmax(high, np.fmax.reduce(rows, axis=0))
        missing |= absent
    return [FeatureRange(*row) for row in zip(low.tolist(), high.tolist(), missing.tolist(), strict=True)]


def _sample(features: NDArray[np.float32], weights: Array) -> tuple[NDArray[np.float32], Array]:
    """The events that scales are computed from: all of them, or evenly spread blocks of a table on disk."""
    if mapped(features) is None or len(features) <= SAMPLE:
        return features, weights
    starts = np.linspace(0, len(features) - RUN, SAMPLE // RUN).astype(np.int64)
    runs = [slice(start, start + RUN) for start in starts]
    return np.concatenate([features[run] for run in runs]), np.concatenate([weights[run] for run in runs])


class Prepare(nn.Module):
    """Raw features [n, d], columns `names`, to inputs [n, d + indicators]; every number it needs is a buffer.

    kinds    the scaling of each feature
    missing  positions of the features that have an indicator
    """

    flags: Tensor
    fill: Tensor
    centre: Tensor
    width: Tensor
    bound: Tensor
    log_scale: Tensor
    knots: Tensor

    def __init__(self, *, names: tuple[str, ...], kinds: tuple[Scaling, ...], missing: tuple[int, ...]) -> None:
        super().__init__()
        self.names, self.kinds, self.missing = names, kinds, missing
        self.inputs = names + tuple(f"{names[i]} is missing" for i in missing)
        size = len(names)
        self._logs = [i for i, kind in enumerate(kinds) if kind == "log"]
        self._clipped = [i for i, kind in enumerate(kinds) if kind == "clipped"]
        self._quantiles = [i for i, kind in enumerate(kinds) if kind == "quantile"]
        self.register_buffer("flags", torch.tensor(missing, dtype=torch.long), persistent=False)
        for buffer, value in (("fill", 0.0), ("centre", 0.0), ("width", 1.0)):
            self.register_buffer(buffer, torch.full((size,), value))
        self.register_buffer("bound", torch.full((len(self._clipped),), BOUND))
        self.register_buffer("log_scale", torch.ones(len(self._logs)))
        self.register_buffer("knots", torch.zeros(len(self._quantiles), KNOTS))

    def set(self, position: int, kind: Scaling, column: NDArray[np.float32], weights: Array) -> None:
        """Fit the scale of one feature to its training values [n]; the weights [n] must not be negative."""
        present = ~np.isnan(column)
        column, weights = column[present], weights[present]
        values = column.astype(np.float64)
        self.fill[position] = float(quantiles(column, weights, (0.5,))[0])
        if kind in ("robust", "clipped"):
            low, middle, high = quantiles(column, weights, (0.1587, 0.5, 0.8413))
            self.centre[position] = middle
            # Half the 68 % range is one standard deviation of a normal distribution. If a feature is constant
            # there, its tails must give the width.
            self.width[position] = (high - low) / 2 or _moments(values, weights)[1]
        elif kind == "quantile":
            knots = quantiles(column, weights, np.linspace(0, 1, KNOTS))
            self.knots[self._quantiles.index(position)] = torch.from_numpy(knots)
        elif kind not in ("none", "common"):
            if kind == "log":
                scale = float(quantiles(np.abs(column[column != 0]), weights[column != 0], (0.5,))[0])
                self.log_scale[self._logs.index(position)] = scale
                values = np.sign(values) * np.log1p(np.abs(values) / scale)
            self.centre[position], self.width[position] = _moments(values, weights)
        if float(self.width[position]) < NARROWEST:
            raise ValueError(
                f"feature {self.names[position]!r} varies by {_moments(values, weights)[1]:.4g} alone, which float32 "
                "cannot scale; rescale it"
            )

    def set_common(self, features: NDArray[np.float32], weights: Array) -> None:
        """Fit the width that features of scaling `common` share; zero stays zero."""
        squares, total = 0.0, 0.0
        positions = [i for i, kind in enumerate(self.kinds) if kind == "common"]
        for column in positions:
            present = ~np.isnan(features[:, column])
            squares += float(weights[present] @ features[present, column].astype(np.float64) ** 2)
            total += float(weights[present].sum())
        if positions:
            self.width[positions] = max(np.sqrt(squares / total), NARROWEST)

    @property
    def linear(self) -> bool:
        """Whether each input is a linear function of its feature (so that coefficients can be converted back)."""
        return not self._logs and not self._clipped and not self._quantiles

    def forward(self, features: Tensor) -> Tensor:
        """Inputs of the network, float32."""
        flags = torch.isnan(features.index_select(1, self.flags)).to(features.dtype)
        x = torch.where(torch.isnan(features), self.fill, features)
        if self._logs:
            part = x[:, self._logs]
            ratio = part.abs().double() / self.log_scale.double()  # float32 has no room for 1e18 / 1e-30
            x[:, self._logs] = torch.sign(part) * torch.log1p(ratio).to(x.dtype)
        if self._quantiles:
            x[:, self._quantiles] = _normal_scores(x[:, self._quantiles], self.knots)
        x = (x - self.centre) / self.width
        if self._clipped:
            x[:, self._clipped] = _bent(x[:, self._clipped], self.bound)
        return torch.cat((x, flags), dim=1)

    def all(self, features: NDArray[np.float32], device: torch.device) -> Tensor:
        """The inputs of a whole table on this device, prepared in slices so that no second copy is held."""
        inputs = torch.empty((len(features), len(self.inputs)), device=device)
        with torch.no_grad():
            for start in range(0, len(features), ROWS):
                part = slice(start, start + ROWS)
                inputs[part] = self(torch.tensor(features[part], device=device))
        return inputs

    def structure(self) -> dict[str, Any]:
        """Its part of tagger.json, besides the names and the buffers in the weights file."""
        return {"kinds": self.kinds, "missing": self.missing}

    @classmethod
    def read(cls, names: tuple[str, ...], structure: Any) -> Prepare:
        """The unfitted map with the structure in a file; a ValueError if there is none."""
        if not isinstance(structure, dict):
            raise ValueError("prepare must be a mapping")
        kinds, missing = structure.get("kinds"), structure.get("missing")
        if not isinstance(kinds, list) or len(kinds) != len(names) or any(k not in get_args(Scaling) for k in kinds):
            raise ValueError(f"prepare.kinds must be a scaling for each input, not {kinds}")
        if not isinstance(missing, list) or [*map(type, missing)] != [int] * len(missing):
            raise ValueError(f"prepare.missing must be positions of inputs, not {missing}")
        if len(set(missing)) < len(missing) or not all(0 <= i < len(names) for i in missing):
            raise ValueError(f"prepare.missing must be different positions of inputs, not {missing}")
        return cls(names=names, kinds=tuple(kinds), missing=tuple(missing))

    def check(self) -> None:
        """Refuse numbers that no fit could give."""
        for name in ("width", "bound", "log_scale"):
            if not bool((self.get_buffer(name) > 0).all()):
                raise ValueError(f"prepare.{name} must be positive")
        if not bool((self.knots.diff(dim=1) >= 0).all()):
            raise ValueError("prepare.knots must not fall")


def _moments(values: Array, weights: Array) -> tuple[float, float]:
    """The weighted mean and standard deviation."""
    shares = weights / weights.sum()
    mean = float(shares @ values)
    return mean, float(np.sqrt(shares @ (values - mean) ** 2))


def _bent(x: Tensor, bound: Tensor) -> Tensor:
    """x / sqrt(1 + (x / bound)^2): close to x in the middle, and never beyond the bound."""
    x = x.clamp(-1e6, 1e6)  # where float32 knows it from the bound no longer, and its square still
    return x / torch.sqrt(1 + (x / bound) ** 2)


def _normal_scores(x: Tensor, knots: Tensor) -> Tensor:
    """The rank of each value among the knots (mid-rank for ties) as a normal deviate, at most about 2.7 sigma."""
    columns = x.T.contiguous()
    last = knots.shape[1] - 1
    knots_below = torch.searchsorted(knots, columns, right=False)
    knots_up_to = torch.searchsorted(knots, columns, right=True)
    lower = (knots_up_to - 1).clamp(0, last)
    upper = knots_below.clamp(0, last)
    below, above = knots.gather(1, lower), knots.gather(1, upper)
    # Ties: a value equal to several knots gets the mean of their ranks; the clamp only avoids 0/0 there.
    gap = (above - below).clamp_min(torch.finfo(x.dtype).tiny)
    inside = torch.where(above > below, lower + (columns - below) / gap, (lower + upper) / 2)
    rank = (inside / last).clamp(1 / (2 * last), 1 - 1 / (2 * last))
    scores: Tensor = torch.special.ndtri(rank).T
    return scores
