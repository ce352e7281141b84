"""The light font writes what pictures say, and gives way where it cannot be kept."""

from __future__ import annotations

import matplotlib
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from hepclf.presentation.plots import font
from hepclf.presentation.plots.picture import panel, write_figure
from hepclf.presentation.plots.style import style


@pytest.fixture(autouse=True)
def fresh():
    font.families.cache_clear()
    yield
    font.families.cache_clear()


def test_it_has_the_outlines_of_matplotlibs_own():
    font.families()
    light = TTFont(font_manager.findfont(font.LIGHT, fallback_to_default=False))
    full = TTFont(font_manager.findfont(font.FULL))
    for letter in "aZ09é√εη±−≥":
        name, own = full.getBestCmap()[ord(letter)], light.getBestCmap()[ord(letter)]
        assert light["glyf"][own] == full["glyf"][name], letter
        assert light["hmtx"][own] == full["hmtx"][name], letter


def test_a_pdf_embeds_it_and_the_whole_font_for_other_letters(tmp_path):
    with style():
        write_figure(panel(lambda ax: ax.set_xlabel("mass ℓℓ, √s"), "plain"), tmp_path, "plain")
        write_figure(panel(lambda ax: ax.set_xlabel("масса"), "other"), tmp_path, "other")
    plain, other = ((tmp_path / f"{stem}.pdf").read_bytes() for stem in ("plain", "other"))
    assert b"+hepclfDejaVuSans" in plain
    assert b"+DejaVuSans" not in plain
    assert b"+DejaVuSans" in other


def test_where_nothing_can_be_kept_the_whole_font_serves(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(matplotlib, "get_cachedir", lambda: str(tmp_path / "file"))
    assert font.families() == [font.FULL]
