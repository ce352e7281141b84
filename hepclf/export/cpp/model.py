"""A tagger as one C++17 header without dependencies: raw features in, probabilities out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hepclf.export.cpp import fisher, layers, trees
from hepclf.export.cpp.calibration import calibrated
from hepclf.export.cpp.raw import declared_as_nan
from hepclf.export.cpp.source import Source, text
from hepclf.export.form import Score, bare
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger

TOP = """\
// Scores of a tagger that was trained with hepclf. A missing value is NaN{sentinel}; an infinite one
// has no score, which is NaN.
#pragma once

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "compile this without -ffast-math, with which missing values (NaN) are taken for numbers"
#endif

#include <algorithm>
#include <cmath>
#include <limits>
"""
LOGISTIC_TWO = """
inline void logistic(double* z) { z[0] = 1 / (1 + std::exp(-z[0])); }
"""
LOGISTIC_MORE = """
inline void logistic(double* z) {
  const double most = *std::max_element(z, z + outputs);
  double sum = 0;
  for (int k = 0; k < outputs; ++k) sum += z[k] = std::exp(z[k] - most);
  for (int k = 0; k < outputs; ++k) z[k] /= sum;
}
"""
LOGISTIC = "detail::logistic(z);"
ROUNDED = "for (int k = 0; k < outputs; ++k) out[k] = static_cast<float>(z[k]);"
SCORES = """
// The probability of {what} for one event, {features}[inputs] in the order of features.
inline void scores(const float* {features}, float* out) {{
{mapped}  for (int k = 0; k < outputs; ++k) out[k] = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < inputs; ++i)
    if (std::isinf(x[i])) return;
  double z[outputs];
  detail::compute(x, z);
  for (const double value : z)
    if (!std::isfinite(value)) return;
  {link}
}}
"""
SCORE = """
inline float score(const float* x) {
  float out[outputs];
  scores(x, out);
  return out[0];
}
"""
MAIN = """
#include "tagger.hpp"
#include <cstdio>
int main() {{
  float x[{name}::inputs], p[{name}::outputs];
  while (std::fread(x, sizeof x, 1, stdin) == 1) {{
    {call}
    std::fwrite(p, sizeof p, 1, stdout);
  }}
}}
"""


def written(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:
    """The text of the header, with the notes as a string in it."""
    source, (inner, calibration) = Source(), bare(tagger)
    if isinstance(inner, NetworkTagger):
        code, link = layers.CODE, layers.outputs(source, inner)
    elif isinstance(inner, TreesTagger):
        code, link = trees.CODE, trees.outputs(source, inner)
    elif isinstance(inner, FisherTagger):
        code, link = "", fisher.outputs(source, inner)
    else:
        raise NotImplementedError
    two = len(tagger.classes) == 2
    compute = "".join(f"  {line}\n" for line in source.lines)
    links = [LOGISTIC] if link == "logistic" else []
    if calibration is not None:
        links += [calibrated(source, calibration, len(tagger.classes)), LOGISTIC]
    mapped = declared_as_nan(source, tagger)
    parts = [
        TOP.replace("{sentinel}", " or one of detail::sentinels" if mapped else ""),
        f"namespace {name} {{\n",
        f"inline constexpr int inputs = {len(tagger.inputs)};",
        f"inline constexpr int outputs = {1 if two else len(tagger.classes)};",
        f"inline constexpr const char* features[] = {{{_strings(tagger.inputs)}}};",
        f"inline constexpr const char* classes[] = {{{_strings(tagger.classes)}}};",
        f"inline constexpr const char* notes =  // in JSON\n  {text(_joined(notes))};\n",
        f"namespace detail {{\n{LOGISTIC_TWO if two else LOGISTIC_MORE}{code}",
        *source.tables,
        f"\ninline void compute(const float* x, double* z) {{\n{compute}}}\n\n}}  // namespace detail",
        SCORES.format(
            what="the second class" if two else "each class",
            features="raw" if mapped else "x",
            mapped=mapped,
            link="\n  ".join([*links, ROUNDED]),
        ),
        SCORE if two else "",
        f"}}  // namespace {name}\n",
    ]
    return "\n".join(parts).encode()


def _strings(words: Sequence[str]) -> str:
    return ", ".join(map(text, words))


def _joined(notes: Mapping[str, str]) -> str:
    return json.dumps({name: json.loads(value) for name, value in notes.items()})


@contextmanager
def opened(data: bytes) -> Iterator[Score]:
    """How a program scores that a C++ compiler ($CXX, or the first there is) makes of such a header."""
    header = data.decode()
    name = re.findall(r"^namespace (\w+) {$", header, re.MULTILINE)[0]
    outputs = int(re.findall(r"^inline constexpr int outputs = (\d+);$", header, re.MULTILINE)[0])
    has_score = "\ninline float score(" in header
    call = f"p[0] = {name}::score(x);" if has_score else f"{name}::scores(x, p);"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "score"
        (Path(folder) / "tagger.hpp").write_bytes(data)
        (Path(folder) / "main.cpp").write_text(MAIN.format(name=name, call=call))
        _compile(program.with_name("main.cpp"), program)

        def score(features: NDArray[np.float32]) -> NDArray[np.float64]:
            done = subprocess.run([program], input=features.tobytes(), stdout=subprocess.PIPE, check=True)
            found = np.frombuffer(done.stdout, dtype=np.float32).astype(np.float64)
            return found if has_score else found.reshape(-1, outputs)

        yield score


def _compile(source: Path, program: Path) -> None:
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("g++", "clang++", "c++")), None)
    if compiler is None:
        raise ValueError(
            "format=cpp needs a C++ compiler, as nothing is written that was not tried; "
            "install g++ or clang++, or name one in CXX"
        )
    done = subprocess.run(
        [compiler, "-std=c++17", "-O1", "-o", str(program), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = " ".join(line for line in done.stderr.splitlines() if "error" in line)[:300]
        raise ValueError(f"{compiler} cannot compile the header: {reason}; set CXX to another compiler")
