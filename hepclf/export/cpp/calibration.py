"""The map of a calibrated tagger in C++."""

from __future__ import annotations

from hepclf.export.cpp.header import Header
from hepclf.export.lines import straight_lines
from hepclf.statistics.calibration import LARGEST, SMALLEST, Isotonic, Temperature

LOGIT = f"""
inline double logit(double p) {{
  const double inside = std::min(std::max(p, {SMALLEST!r}), {LARGEST!r});
  return std::log(inside / (1 - inside));
}}
"""
EACH_OUTPUT = "for (int k = 0; k < outputs; ++k)"
STRAIGHT = """
// Straight lines between knots, beyond them parallel to the diagonal.
inline double straight(double z) {{
  const auto i = std::upper_bound({knots}, {knots} + {count}, z) - {knots};
  return {values}[i] + {slopes}[i] * (z - {starts}[i]);
}}"""


def calibration_code(header: Header, calibration: Temperature | Isotonic, classes: int) -> str:
    """The line that turns probabilities z into calibrated logits; what it needs is added to the header."""
    if classes > 2:
        logit = f"std::log(std::max(z[k], {SMALLEST!r}))"
    else:
        header.share(LOGIT)
        logit = "logit(z[k])"
    if isinstance(calibration, Temperature):
        return f"{EACH_OUTPUT} z[k] = {logit} / {calibration.temperature!r};"
    tables = {name: header.table(values) for name, values in straight_lines(calibration)._asdict().items()}
    header.tables.append(STRAIGHT.format(count=len(calibration.before), **tables))
    return f"{EACH_OUTPUT} z[k] = straight({logit});"
