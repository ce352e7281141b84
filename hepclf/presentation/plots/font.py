"""The font of the pictures: matplotlib's own without the tables that a PDF does not need."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import version
from pathlib import Path

import matplotlib
from matplotlib import font_manager

from hepclf.files import atomic

FULL, LIGHT = "DejaVu Sans", "hepclf DejaVu Sans"
# Latin, Greek, punctuation, superscripts, signs, arrows and mathematics; other letters come from the whole font.
LETTERS = ((0x20, 0x250), (0x370, 0x400), (0x2000, 0x2300))
FAMILY_NAMES, POSTSCRIPT_NAME = (1, 4, 16), 6  # entries of a font's name table

log = logging.getLogger(__name__)


@cache
def families() -> list[str]:
    """The font families of the pictures; each letter comes from the first family that has it.

    A PDF embeds the letters that it shows. Cutting them from the whole font takes a tenth of a second for each
    picture, mostly for scripts that pictures do not use. The light font is made once and stored in matplotlib's cache
    folder; where that cannot be written, the whole font is used.
    """
    path = Path(matplotlib.get_cachedir()) / f"hepclf-{version('hepclf')}-{matplotlib.__version__}.ttf"
    try:
        if not path.is_file():
            _make_light_font(path)
        font_manager.fontManager.addfont(path)
    except OSError as error:
        log.debug("pictures use the whole font, as %s cannot be written: %s", path, error)
        return [FULL]
    return [LIGHT, FULL]


def _make_light_font(path: Path) -> None:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(font_manager.findfont(FULL), recalcTimestamp=False)
    subsetter = Subsetter(
        Options(glyph_names=True, notdef_outline=True, hinting=True, layout_features=[], name_IDs=["*"])
    )
    subsetter.populate(unicodes=[letter for span in LETTERS for letter in range(*span)])
    for table in ("FFTM", "GDEF", "GPOS", "GSUB", "MATH"):
        if table in font:
            del font[table]
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in FAMILY_NAMES:
            record.string = LIGHT
        if record.nameID == POSTSCRIPT_NAME:  # which must have no blanks
            record.string = LIGHT.replace(" ", "")
    with atomic(path) as hidden:
        font.save(hidden)
