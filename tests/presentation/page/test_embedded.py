"""The pictures inside a page: smaller than their files, and the same to the eye."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from hepclf.presentation.page.embedded import embedded_picture
from hepclf.presentation.plots.picture import write_png

TOLERANCE = 16  # of 255; measured: 14 in the figure below, which has more colours than ours, in which it is 8


def pixels(data):
    """Colours [height, width, 3] of a picture, as they look on white paper."""
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    return np.asarray(paper)[..., :3].astype(int)


@pytest.fixture
def drawn():
    """A figure of curves, bands and a colour map, in many more colours than a palette holds."""
    figure = Figure(dpi=150)
    left, right = figure.subplots(1, 2)
    x = np.linspace(0, 1, 200)
    for k in range(8):
        left.plot(x, x ** (k + 1), label=f"curve {k}")
        left.fill_between(x, x ** (k + 1), x**k, alpha=0.2)
    left.legend()
    right.imshow(np.outer(x, x), cmap="RdBu_r")
    return figure


@pytest.mark.parametrize("alpha", [1.0, 0.0])
def test_a_picture_is_half_its_file_and_looks_the_same(drawn, alpha):
    drawn.patch.set_alpha(alpha)
    path = Path("many.png")
    write_png(drawn, path)
    uri, width, height = embedded_picture(path)
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert (width, height) == (round(960 * 96 / 150), round(720 * 96 / 150))
    assert len(data) < 0.5 * path.stat().st_size
    assert np.abs(pixels(data) - pixels(path.read_bytes())).max() <= TOLERANCE
