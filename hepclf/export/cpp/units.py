"""Arrays of the C++ function, and the weights of layers as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Units(NamedTuple):
    """An array in the function and its length.

    image  channels, height and width, if it is one; the height of a series is 1
    """

    name: str
    size: int
    image: tuple[int, int, int] = (1, 1, 1)


def float_array(values: Tensor | None) -> NDArray[np.float32]:
    """A tensor as an array of float32."""
    if values is None:
        raise ValueError("a normalisation without weights has no form in C++ that hepclf knows; give it affine=True")
    array: NDArray[np.float32] = values.detach().cpu().numpy()
    return array
