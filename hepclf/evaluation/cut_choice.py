"""How the best cut is chosen."""

from __future__ import annotations

import math
from typing import Literal

from hepclf.recipe import recipe
from hepclf.statistics.counting.measures import Rules

Optimise = Literal["asimov", "s_over_sqrt_b", "asimov_systematic", "s_over_sqrt_s_plus_b", "ams", "punzi", "li_ma"]


@recipe
class CutChoice:
    """What a cut maximises, how much background it must keep, and the constants of the measures.

    systematic      relative uncertainty of the background
    punzi_sigmas    standard deviations that a search asks for, in `punzi`
    ams_background  what `ams` adds to the background
    off_exposure    exposure of an off region in units of the on region's, which `li_ma` needs
    """

    optimise: Optimise = "asimov"
    systematic: float = 0.1
    minimum_background: float = 10.0
    punzi_sigmas: float = 5.0
    ams_background: float = 10.0
    off_exposure: float | None = None

    def __post_init__(self) -> None:
        for name in ("systematic", "minimum_background", "punzi_sigmas", "ams_background"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"evaluation.{name} must be zero or more, however it is {value:g}")
        if self.off_exposure is not None and not 0 < self.off_exposure < math.inf:
            raise ValueError(f"evaluation.off_exposure must be above zero, however it is {self.off_exposure:g}")
        if self.optimise == "li_ma" and self.off_exposure is None:
            raise ValueError("evaluation.optimise=li_ma needs an off region; give evaluation.off_exposure")

    @property
    def rules(self) -> Rules:
        """These settings as hepclf.statistics takes them."""
        return Rules(
            optimise=self.optimise,
            systematic=self.systematic,
            minimum_background=self.minimum_background,
            punzi_sigmas=self.punzi_sigmas,
            ams_background=self.ams_background,
            off_exposure=self.off_exposure,
        )
