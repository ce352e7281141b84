"""Digits: the handwritten digits of scikit-learn, images of 8 x 8 pixels in ten classes."""

from __future__ import annotations

from dataclasses import field

import numpy as np

from hepclf.data.loader import Outline
from hepclf.data.split import Split
from hepclf.data.titles import Titles
from hepclf.events import Events
from hepclf.recipe import recipe

SIDE = 8
NAMES = tuple(f"pixel_{i}_{j}" for i in range(SIDE) for j in range(SIDE))


@recipe
class Digits:
    """1,797 digits from scikit-learn's own files (UCI, optical recognition of handwritten digits).

    The features are the pixels, pixel_0_0, pixel_0_1..., whose values are 0 to 16. The classes are the digits, or
    those named in `digits`. With `check`, a training warns about suspicious events.
    """

    digits: tuple[int, ...] = tuple(range(10))
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        distinct = set(self.digits)
        if not 2 <= len(distinct) == len(self.digits) or not distinct <= set(range(10)):
            raise ValueError(f"digits must be two or more different ones of 0..9, not {list(self.digits)}")

    @property
    def _classes(self) -> tuple[str, ...]:
        return tuple(str(digit) for digit in self.digits)

    def outline(self) -> Outline:
        """Everything is known in advance."""
        return Outline(self._classes, self._classes, NAMES, ())

    def load(self) -> Events:
        """The images in the order of the file."""
        from sklearn.datasets import load_digits

        images, digits = load_digits(return_X_y=True)
        chosen = np.isin(digits, self.digits)
        place = np.zeros(10, dtype=np.int64)
        place[list(self.digits)] = np.arange(len(self.digits))
        return Events(
            features=images[chosen].astype(np.float32),
            labels=place[digits[chosen]],
            names=NAMES,
            classes=self._classes,
        )
