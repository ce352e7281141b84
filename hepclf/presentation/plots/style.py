"""How every picture looks: one style, whatever the matplotlibrc says, in colours that all readers tell apart."""

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
        matplotlib.rcParams.update(STYLE | (_fonts(experiment) if experiment else {"font.family": families()}))
        yield


def _fonts(experiment: str) -> dict[str, Any]:
    """The fonts of an experiment's style in mplhep. Sizes are not taken over: its canvases are twice as large.

    After the font that mplhep brings, the style names fonts that few machines have. Matplotlib's own font takes their
    place, for letters that the first font lacks.
    """
    from mplhep import styles

    settings = getattr(styles, experiment)
    family = settings.get("font.family", "sans-serif")
    fonts = {key: value for key, value in settings.items() if key.startswith("mathtext.")}
    return fonts | {"font.family": [settings[f"font.{family}"][0], "DejaVu Sans"]}


def colours(classes: tuple[str, ...], signal: str) -> dict[str, str]:
    """A colour a class: the signal vermillion, the others blue first."""
    palette = cycle(BACKGROUND_COLOURS)
    return {name: VERMILLION if name == signal else next(palette) for name in classes}
