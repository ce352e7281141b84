"""Declared missing values in C++: what comes before the tagger sees the features."""

from __future__ import annotations

from math import isinf

from hepclf.events import by_value
from hepclf.export.cpp.source import Source, single
from hepclf.models.model import Tagger, sentinels

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


def declared_as_nan(source: Source, tagger: Tagger) -> str:
    """What makes features x of the raw ones, nothing where they are the same; the sentinels go to the source."""
    values = by_value(tagger.inputs, sentinels(tagger))
    if not values:
        return ""
    source.tables.append(CODE)
    source.rows(
        "Sentinel sentinels[]",
        [f"{{{place}, {_number(value)}}}" for value, places in values.items() for place in places],
    )
    source.tables.append(MAPPED)
    return "  float x[inputs];\n  detail::declared_as_nan(raw, x);\n"


def _number(value: float) -> str:
    if isinf(value):
        return INFINITY if value > 0 else f"-{INFINITY}"
    return single(value)
