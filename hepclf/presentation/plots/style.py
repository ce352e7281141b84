"""The style of all pictures, independent of the matplotlibrc, in colours that colour-blind readers can distinguish."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import matplotlib
from matplotlib.colors import LinearSegmentedColormap

from hepclf.presentation.plots.font import families

# Okabe and Ito, "Color Universal Design" (2008).
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#666666"
BACKGROUND_COLOURS = (BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)
DASHES = ("-", "--", "-.", ":")

SHARES = LinearSegmentedColormap.from_list("shares", ("#FFFFFF", "#A9CDE3", BLUE, "#003A5C"))
PROBABILITY = LinearSegmentedColormap.from_list("probability", ("#6FAED6", "#BBD9EB", "#FAFAFA", "#F5CFB1", "#EB9F66"))

TICKS = {
    "direction": "in",
    "minor.visible": True,
    "labelsize": 10.5,
    "major.size": 6,
    "major.pad": 5,
    "minor.size": 3,
}
# Newer matplotlib types its keys one by one, older does not.
STYLE: Any = {
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.labelsize": 12,
    "axes.titlesize": 10,
    "axes.titlelocation": "right",
    "axes.titlecolor": GREY,
    "axes.linewidth": 0.9,
    "axes.axisbelow": False,
    "axes.unicode_minus": True,
    "xaxis.labellocation": "right",
    "yaxis.labellocation": "top",
    "legend.fontsize": 9.5,
    "legend.title_fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    # Some journals refuse the default, Type 3.
    "pdf.fonttype": 42,
    "xtick.top": True,
    "ytick.right": True,
    **{f"{axis}tick.{key}": value for axis in "xy" for key, value in TICKS.items()},
}


@contextmanager
def style(experiment: str | None = None) -> Iterator[None]:
    """Set the style within the block, optionally in the fonts of an experiment, and restore matplotlib's settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE | _fonts(experiment))
        yield


def _fonts(experiment: str | None) -> dict[str, Any]:
    """Our fonts, or those of an experiment's style in mplhep, without its sizes: its canvases are twice as large.

    After the font that mplhep brings, the style names fonts that few machines have. Matplotlib's own font replaces
    them, for letters that the first font lacks.
    """
    if experiment is None:
        return {"font.family": families()}
    from mplhep import styles

    settings = getattr(styles, experiment)
    family = settings.get("font.family", "sans-serif")
    fonts = {key: value for key, value in settings.items() if key.startswith("mathtext.")}
    return fonts | {"font.family": [settings[f"font.{family}"][0], "DejaVu Sans"]}


def colours(classes: tuple[str, ...], signal: str) -> dict[str, str]:
    """The colour of each class: vermillion for the signal, blue and others for the backgrounds."""
    backgrounds = [name for name in classes if name != signal]
    palette = dict(zip(backgrounds, cycle(BACKGROUND_COLOURS), strict=False)) | {signal: VERMILLION}
    return {name: palette[name] for name in classes}


def text_colour(shade: float, darkest: float) -> str:
    """The colour of text on a cell: black up to this shade, white on darker cells."""
    return "white" if shade > darkest else "black"
