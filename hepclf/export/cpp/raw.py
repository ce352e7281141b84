"""Declared missing values become NaN before the tagger sees the features, in C++."""

from __future__ import annotations

from math import isinf

from hepclf.events import by_value
from hepclf.export.cpp.header import Header, float_literal
from hepclf.models.model import Tagger

CODE = """
struct Sentinel {
  int feature;
  float value;
};
"""
MAPPED = """
// The features with NaN in place of declared missing values.
inline void declared_as_nan(const float* raw, float* x) {
  std::copy(raw, raw + inputs, x);
  for (const Sentinel& sentinel : sentinels)
    if (raw[sentinel.feature] == sentinel.value) x[sentinel.feature] = std::numeric_limits<float>::quiet_NaN();
}
"""
INFINITY = "std::numeric_limits<float>::infinity()"


def declared_as_nan(header: Header, tagger: Tagger) -> str:
    """The lines that compute features x from raw ones, empty without sentinels; their table is added to the header."""
    values = by_value(tagger.inputs, tagger.sentinels)
    if not values:
        return ""
    header.tables.append(CODE)
    header.rows(
        "Sentinel sentinels[]",
        [f"{{{column}, {_number(value)}}}" for value, columns in values.items() for column in columns],
    )
    header.tables.append(MAPPED)
    return "  float x[inputs];\n  detail::declared_as_nan(raw, x);\n"


def _number(value: float) -> str:
    if isinf(value):
        return INFINITY if value > 0 else f"-{INFINITY}"
    return float_literal(value)
