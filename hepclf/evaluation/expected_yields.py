"""The expected yields in the settings of an evaluation: events, or cross sections and a luminosity."""

from __future__ import annotations

import math
from collections.abc import Mapping


def check_yields(
    yields: Mapping[str, float], cross_sections_fb: Mapping[str, float], luminosity_fb: float | None
) -> None:
    """Refuse yields and cross sections that are not numbers of events, or contradict each other."""
    for key, values, unit in (("yields", yields, "events"), ("cross_sections_fb", cross_sections_fb, "fb")):
        for name, value in values.items():
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"evaluation.{key}.{name} must be zero or more {unit}, not {value}")
    if luminosity_fb is None and cross_sections_fb:
        raise ValueError(
            "evaluation.cross_sections_fb must come with evaluation.luminosity_fb, which makes yields of them; "
            "give both"
        )
    if luminosity_fb is not None and not (math.isfinite(luminosity_fb) and luminosity_fb > 0):
        raise ValueError(f"evaluation.luminosity_fb must be positive, not {luminosity_fb}")
    if both := sorted(set(yields) & set(cross_sections_fb)):
        raise ValueError(f"{both[0]!r} is in evaluation.yields and in evaluation.cross_sections_fb; give one")
