"""Mixture: classes of Gaussians, whose best possible classifier is known in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import Outline
from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events
from hepclf.recipe import recipe


@recipe
class Component:
    """One Gaussian of a class: its fraction of the class, its mean and its width, one number per dimension."""

    fraction: float
    mean: float | tuple[float, ...]
    width: float | tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction of a component must lie in (0, 1], not {self.fraction}")
        if len(self.means) != len(self.widths):
            raise ValueError(f"mean and width must have the same length, not {len(self.means)} and {len(self.widths)}")
        if not np.isfinite(self.means).all():
            raise ValueError(f"mean of a component must be finite, not {self.mean}")
        if not (np.isfinite(self.widths).all() and (self.widths > 0).all()):
            raise ValueError(f"width of a component must be above 0, not {self.width}")

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean, one number per dimension."""
        return np.atleast_1d(np.asarray(self.mean, dtype=np.float64))

    @property
    def widths(self) -> NDArray[np.float64]:
        """The width, one number per dimension."""
        return np.atleast_1d(np.asarray(self.width, dtype=np.float64))

    def log_density(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of (fraction x density) at the points x [n, d]."""
        norm = np.log(self.fraction) - np.log(np.sqrt(2 * np.pi) * self.widths).sum()
        total = np.full(len(x), norm)
        for column, mean, width in zip(x.T, self.means, self.widths, strict=True):
            total -= 0.5 * ((column - mean) / width) ** 2
        return total


def _double_gaussians() -> dict[str, tuple[Component, ...]]:
    return {
        "background": (
            Component(fraction=0.7, mean=2.0, width=0.5),
            Component(fraction=0.3, mean=-1.0, width=1.0),
        ),
        "signal": (
            Component(fraction=0.6, mean=-1.1, width=0.5),
            Component(fraction=0.4, mean=1.0, width=1.0),
        ),
    }


@recipe
class Mixture:
    """Events of classes that are sums of Gaussians; by default one variable with an optimal AUC of 0.80556.

    Features are called x, or x0, x1... in several dimensions, or as `features` says. `fractions` are those of the
    classes, by default equal. Two classes have the spectator `llr`, the exact ln p(x|signal)/p(x|background), which no
    classifier can beat; more classes have one `log_density_<class>` each. With `check`, a training warns about
    suspicious events; `labels` are titles and units in pictures.
    """

    events: int = 100_000
    classes: Mapping[str, tuple[Component, ...]] = field(default_factory=_double_gaussians)
    features: tuple[str, ...] | None = None
    fractions: tuple[float, ...] | None = None
    seed: int = 0
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=lambda: Split(valid=0.1, test=0.5))  # what is known is measured well

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise ValueError(f"classes must be at least 2, not {list(self.classes)}")
        if self.events < len(self.classes):
            raise ValueError(f"events must be at least {len(self.classes)}, not {self.events}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, not {self.seed}")
        for name, components in self.classes.items():
            total = sum(component.fraction for component in components)
            if abs(total - 1) > 1e-9:
                raise ValueError(f"the fractions of class {name!r} must sum to 1, not {total:g}")
            for component in components:
                if len(component.means) != self.dimensions:
                    raise ValueError(
                        f"all components must have {self.dimensions} dimensions like the first, "
                        f"not {len(component.means)} as in class {name!r}"
                    )
        if len(set(self._names)) != self.dimensions:
            raise ValueError(f"features must be {self.dimensions} different names, not {self.features}")
        shares = self._shares
        if len(shares) != len(self.classes) or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-9:
            raise ValueError(
                f"fractions must be {len(self.classes)} positive numbers that sum to 1, one a class, "
                f"not {self.fractions}"
            )

    @property
    def dimensions(self) -> int:
        """Number of variables of the first component; the others must agree."""
        return len(next(iter(self.classes.values()))[0].means)

    @property
    def _shares(self) -> NDArray[np.float64]:
        if self.fractions is not None:
            return np.asarray(self.fractions, dtype=np.float64)
        return np.full(len(self.classes), 1 / len(self.classes))

    def log_density(self, name: str, x: NDArray[Any]) -> NDArray[np.float64]:
        """Logarithm of the density of this class at the points x [n, d]."""
        points = np.asarray(x, dtype=np.float64).reshape(-1, self.dimensions)
        terms = [component.log_density(points) for component in self.classes[name]]
        total = terms[0]
        for term in terms[1:]:
            total = np.logaddexp(total, term)
        return total

    def outline(self) -> Outline:
        """Everything is known in advance."""
        spectators = tuple(f"log_density_{name}" for name in self.classes)
        if len(self.classes) == 2:
            spectators = ("llr",)
        return Outline(tuple(self.classes), tuple(self.classes), self._names, spectators)

    @property
    def _names(self) -> tuple[str, ...]:
        if self.features is not None:
            return self.features
        if self.dimensions == 1:
            return ("x",)
        return tuple(f"x{i}" for i in range(self.dimensions))

    def load(self) -> Events:
        """Events in random order; the same seed gives the same events."""
        rng = np.random.default_rng(self.seed)
        edges = np.rint(np.cumsum(self._shares) * self.events).astype(np.int64)
        labels = np.repeat(np.arange(len(self.classes)), np.diff(edges, prepend=0))
        rng.shuffle(labels)
        x = np.empty((self.events, self.dimensions))
        for label, components in enumerate(self.classes.values()):
            members = np.flatnonzero(labels == label)
            x[members] = _draw(rng, components, len(members))
        return Events(
            features=x.astype(np.float32),
            labels=labels,
            names=self._names,
            classes=tuple(self.classes),
            spectators=self._spectators(x),
        )

    def _spectators(self, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        logs = {name: self.log_density(name, x) for name in self.classes}
        if len(logs) > 2:
            return {f"log_density_{name}": log for name, log in logs.items()}
        background, signal = logs.values()
        return {"llr": signal - background}


def _draw(rng: np.random.Generator, components: tuple[Component, ...], events: int) -> NDArray[np.float64]:
    """Points [events, d] of one class: the component is drawn first, then the point from it."""
    edges = np.cumsum([component.fraction for component in components])[:-1]
    component = np.searchsorted(edges, rng.random(events), side="right")
    means = np.stack([component.means for component in components])
    widths = np.stack([component.widths for component in components])
    return means[component] + widths[component] * rng.standard_normal((events, means.shape[1]))
