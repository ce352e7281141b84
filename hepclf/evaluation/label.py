"""The label of an experiment above its pictures."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Literal

from hepclf.recipe import recipe

Styles = Literal["ALICE", "ATLAS", "CMS", "DUNE", "LHCb"]


@recipe
class Label:
    """The experiment and its data, as collaborations write them above a plot.

    status         beside the name: Simulation, Preliminary, Work in progress
    luminosity_fb  null: that of the evaluation, if it has one
    style          fonts and ticks of an experiment's own style, from mplhep (extra `hep`)
    """

    experiment: str = ""
    status: str = ""
    energy_tev: float | None = None
    luminosity_fb: float | None = None
    style: Styles | None = None

    def __post_init__(self) -> None:
        for name in ("energy_tev", "luminosity_fb"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"label.{name} must be above zero, not {value:g}")

    def check_style(self) -> None:
        """Refuse a style that cannot be drawn here."""
        if self.style is not None and find_spec("mplhep") is None:
            raise ValueError(
                f"evaluation.label.style={self.style} needs mplhep, which is not installed; "
                "pip install 'hepclf[hep]', or leave the style out"
            )

    def conditions(self, luminosity_fb: float | None = None) -> str:
        """Luminosity and energy, `59.8 fb⁻¹ (13 TeV)`, or the one of them that is known."""
        luminosity = self.luminosity_fb or luminosity_fb
        if luminosity and self.energy_tev:
            return f"{luminosity:g} fb⁻¹ ({self.energy_tev:g} TeV)"
        if luminosity:
            return f"{luminosity:g} fb⁻¹"
        if self.energy_tev:
            return f"{self.energy_tev:g} TeV"
        return ""
