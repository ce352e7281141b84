"""Fisher's discriminant in C++."""

from __future__ import annotations

import numpy as np

from hepclf.export.cpp.header import Header
from hepclf.models.fisher import FisherTagger


def write_fisher(header: Header, tagger: FisherTagger) -> str:
    """Write the logits z, their difference for two classes; return the link to probabilities."""
    arrays = tagger.arrays
    coefficients, intercepts = arrays["coefficients"], arrays["intercepts"]
    if len(intercepts) == 2:
        coefficients, intercepts = np.diff(coefficients, axis=0), np.diff(intercepts)
    k, d = coefficients.shape
    fill, centre = header.table(arrays["fill"].astype(np.float32)), header.table(arrays["centre"].astype(np.float64))
    slopes, starts = header.table(coefficients.astype(np.float64)), header.table(intercepts.astype(np.float64))
    header.add(
        f"for (int k = 0; k < {k}; ++k) z[k] = {starts}[k];",
        f"for (int i = 0; i < {d}; ++i) {{",
        f"  const double value = (std::isnan(x[i]) ? {fill}[i] : x[i]) - {centre}[i];",
        f"  for (int k = 0; k < {k}; ++k) z[k] += {slopes}[k * {d} + i] * value;",
        "}",
    )
    return "logistic"
