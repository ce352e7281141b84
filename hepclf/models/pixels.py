"""Flat columns as images: where each of them lies, by the numbers in its name."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn

NUMBERS = re.compile(r"\d+(?:_\d+)*$")
BOUND = 1e6  # of pixels, so that no sum of them overflows in single precision, in whatever order it is taken
LARGEST = 1 << 20  # pixels of an image, so that a stored tagger cannot request any amount of memory
Shape = tuple[int, ...]


class Pixels(nn.Module):
    """Columns [n, d] as images [n, *shape]; a pixel without a column is zero.

    places  of the columns in the flattened image
    """

    places: Tensor

    def __init__(self, shape: Shape, places: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.size = shape, math.prod(shape)
        self.is_complete = places == tuple(range(self.size))
        self.register_buffer("places", torch.tensor(places, dtype=torch.long), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The images."""
        x = x.clamp(-BOUND, BOUND)
        if not self.is_complete:
            x = x.new_zeros(len(x), self.size).index_copy(1, self.places, x)
        return x.view(len(x), *self.shape)


def numbered_shape(names: tuple[str, ...]) -> Shape:
    """The shape that numbered names such as image_0_3 tell: channels, then one or two axes."""
    numbers = _numbers(names)
    if len({len(indices) for indices in numbers}) != 1 or not 1 <= len(numbers[0]) <= 3:
        raise ValueError(
            "model.shape must be given, as the features are not numbered like x_0 or image_0_3; "
            "for example [1, 256] or [1, 40, 40]"
        )
    sizes = tuple(max(column) + 1 for column in zip(*numbers, strict=True))
    return sizes if len(sizes) == 3 else (1, *sizes)


def places(names: tuple[str, ...], shape: Shape) -> tuple[int, ...]:
    """The place of each column in the flattened image: by the numbers in its name, or by its order."""
    numbered = [_place(indices, shape) for indices in _numbers(names)]
    found = [place for place in numbered if place is not None]
    if len(set(found)) == len(names):
        return tuple(found)
    if len(names) == math.prod(shape):
        return tuple(range(len(names)))
    raise ValueError(
        f"model.shape must have as many pixels as there are features, {len(names)}, not {math.prod(shape)} as in "
        f"{list(shape)}; features with numbers, such as image_0_3, may be fewer"
    )


def _place(indices: Shape, shape: Shape) -> int | None:
    """The place of a pixel; None if the image has no such pixel. A single number counts along the flattened image."""
    if len(indices) == 1:
        return indices[0] if indices[0] < math.prod(shape) else None
    if len(indices) == len(shape) - 1 and shape[0] == 1:
        indices = (0, *indices)
    if len(indices) != len(shape) or any(i >= size for i, size in zip(indices, shape, strict=True)):
        return None
    place = 0
    for i, size in zip(indices, shape, strict=True):
        place = place * size + i
    return place


def _numbers(names: tuple[str, ...]) -> list[Shape]:
    """The numbers at the end of each name."""
    matches = [NUMBERS.search(name) for name in names]
    return [tuple(map(int, match[0].split("_"))) if match else () for match in matches]
