"""The map of a calibrated tagger in C++."""

from __future__ import annotations

from hepclf.export.cpp.source import Source
from hepclf.export.lines import lines
from hepclf.statistics.calibration import LARGEST, SMALLEST, Isotonic, Temperature

LOGIT = f"""
inline double logit(double p) {{
  const double inside = std::min(std::max(p, {SMALLEST!r}), {LARGEST!r});
  return std::log(inside / (1 - inside));
}}
"""
STRAIGHT = """
// Straight lines between knots, beyond them parallel to the diagonal.
inline double straight(double z) {{
  const auto i = std::upper_bound({knots}, {knots} + {count}, z) - {knots};
  return {values}[i] + {slopes}[i] * (z - {starts}[i]);
}}"""


def calibrated(source: Source, found: Temperature | Isotonic, classes: int) -> str:
    """What makes new logits of the probabilities z, in place; tables and functions that it needs go to the source."""
    if classes > 2:
        logit = f"std::log(std::max(value, {SMALLEST!r}))"
    else:
        source.tables.append(LOGIT)
        logit = "detail::logit(value)"
    if isinstance(found, Temperature):
        return f"for (double& value : z) value = {logit} / {found.temperature!r};"
    tables = {name: source.table(values) for name, values in lines(found)._asdict().items()}
    source.tables.append(STRAIGHT.format(count=len(found.before), **tables))
    return f"for (double& value : z) value = detail::straight({logit});"
