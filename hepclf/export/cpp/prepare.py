"""Raw features to the inputs of a network, in C++."""

from __future__ import annotations

import numpy as np

from hepclf.export.cpp.source import Source, single
from hepclf.export.deviates import INNERMOST, coefficients
from hepclf.models.preprocess import Prepare

LOG = """
inline float logarithm(float x, float scale) {
  return std::copysign(static_cast<float>(std::log1p(std::fabs(x) / static_cast<double>(scale))), x);
}
"""
CLIPPED = """
inline float clipped(float x, float bound) {
  const float near = std::min(std::max(x, -1e6f), 1e6f);
  const float ratio = near / bound;
  return near / std::sqrt(1 + ratio * ratio);
}
"""
DEVIATE = """
// The rank of x among the knots as a normal deviate, by a polynomial in the logit of its share.
inline float deviate(float x, const float* knots, int count, const double* powers, int degree) {
  const int last = count - 1;
  const int left = static_cast<int>(std::lower_bound(knots, knots + count, x) - knots);
  const int right = static_cast<int>(std::upper_bound(knots, knots + count, x) - knots);
  const int lower = std::max(right - 1, 0), upper = std::min(left, last);
  const float gap = std::max(knots[upper] - knots[lower], std::numeric_limits<float>::min());
  const float rank = knots[upper] > knots[lower] ? lower + (x - knots[lower]) / gap : (lower + upper) / 2.0f;
  const double share = std::min(std::max(rank / last, 0.5f / last), 1 - 0.5f / last);
  const double logit = std::log(share / (1 - share)), ratio = logit / INNERMOST, v = 2 * ratio * ratio - 1;
  double sum = 0;
  for (int i = degree; i >= 0; --i) sum = sum * v + powers[i];
  return static_cast<float>(logit * sum);
}
""".replace("INNERMOST", repr(INNERMOST))


def prepared(source: Source, prepare: Prepare) -> str:
    """The name of the array of inputs."""
    d, kinds = len(prepare.names), np.array(prepare.kinds)
    x = source.array(len(prepare.inputs))
    fill = source.table(prepare.fill.cpu().numpy())
    source.add(f"for (int i = 0; i < {d}; ++i) {x}[i] = std::isnan(x[i]) ? {fill}[i] : x[i];")
    for i, scale in zip(np.flatnonzero(kinds == "log"), prepare.log_scale.tolist(), strict=True):
        source.add(f"{x}[{i}] = logarithm({x}[{i}], {single(scale)});")
    if "quantile" in kinds:
        powers = source.table(coefficients())
        for i, knots in zip(np.flatnonzero(kinds == "quantile"), prepare.knots.cpu().numpy(), strict=True):
            table = source.table(knots)
            source.add(f"{x}[{i}] = deviate({x}[{i}], {table}, {len(knots)}, {powers}, {len(coefficients()) - 1});")
    centre, width = source.table(prepare.centre.cpu().numpy()), source.table(prepare.width.cpu().numpy())
    source.add(f"for (int i = 0; i < {d}; ++i) {x}[i] = ({x}[i] - {centre}[i]) / {width}[i];")
    for i, bound in zip(np.flatnonzero(kinds == "clipped"), prepare.bound.tolist(), strict=True):
        source.add(f"{x}[{i}] = clipped({x}[{i}], {single(bound)});")
    source.add(*(f"{x}[{d + place}] = std::isnan(x[{i}]) ? 1.0f : 0.0f;" for place, i in enumerate(prepare.missing)))
    return x
