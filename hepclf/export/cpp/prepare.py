"""Raw features to the inputs of a network, in C++."""

from __future__ import annotations

import numpy as np

from hepclf.export.cpp.header import Header, float_literal
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


def input_array(header: Header, prepare: Prepare) -> str:
    """The name of the array of a network's inputs: scaled features, then indicators of missing values."""
    d, kinds = len(prepare.names), np.array(prepare.kinds)
    x = header.array(len(prepare.inputs))
    fill = header.table(prepare.fill.cpu().numpy())
    header.add(f"for (int i = 0; i < {d}; ++i) {x}[i] = std::isnan(x[i]) ? {fill}[i] : x[i];")
    for i, scale in zip(np.flatnonzero(kinds == "log"), prepare.log_scale.tolist(), strict=True):
        header.add(f"{x}[{i}] = logarithm({x}[{i}], {float_literal(scale)});")
    if "quantile" in kinds:
        powers = header.table(coefficients())
        for i, knots in zip(np.flatnonzero(kinds == "quantile"), prepare.knots.cpu().numpy(), strict=True):
            table = header.table(knots)
            header.add(f"{x}[{i}] = deviate({x}[{i}], {table}, {len(knots)}, {powers}, {len(coefficients()) - 1});")
    centre, width = header.table(prepare.centre.cpu().numpy()), header.table(prepare.width.cpu().numpy())
    header.add(f"for (int i = 0; i < {d}; ++i) {x}[i] = ({x}[i] - {centre}[i]) / {width}[i];")
    for i, bound in zip(np.flatnonzero(kinds == "clipped"), prepare.bound.tolist(), strict=True):
        header.add(f"{x}[{i}] = clipped({x}[{i}], {float_literal(bound)});")
    header.add(
        *(f"{x}[{d + position}] = std::isnan(x[{i}]) ? 1.0f : 0.0f;" for position, i in enumerate(prepare.missing))
    )
    return x
