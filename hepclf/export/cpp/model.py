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
from hepclf.export.cpp.calibration import calibration_code
from hepclf.export.cpp.header import Header, string_literal
from hepclf.export.cpp.raw import declared_as_nan
from hepclf.export.formats import Score, uncalibrated
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
LOGISTIC_BINARY = """
inline void logistic(double* z) { z[0] = 1 / (1 + std::exp(-z[0])); }
"""
LOGISTIC_MULTICLASS = """
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
// The probability of {classes} for one event, {features}[inputs] in the order of features.
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


def cpp_header(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:
    """The text of the header, with the notes as a string in it."""
    header, (inner, calibration) = Header(), uncalibrated(tagger)
    if isinstance(inner, NetworkTagger):
        code, link = layers.CODE, layers.write_network(header, inner)
    elif isinstance(inner, TreesTagger):
        code, link = trees.CODE, trees.write_trees(header, inner)
    elif isinstance(inner, FisherTagger):
        code, link = "", fisher.write_fisher(header, inner)
    else:
        raise NotImplementedError
    size, scope, logistic, score = len(tagger.classes), "each class", LOGISTIC_MULTICLASS, ""
    if size == 2:
        size, scope, logistic, score = 1, "the second class", LOGISTIC_BINARY, SCORE
    compute = "".join(f"  {line}\n" for line in header.lines)
    links = [LOGISTIC] if link == "logistic" else []
    if calibration is not None:
        links += [calibration_code(header, calibration, len(tagger.classes)), LOGISTIC]
    mapped = declared_as_nan(header, tagger)
    sentinel, features = ("", "x")
    if mapped:
        sentinel, features = (" or one of detail::sentinels", "raw")
    parts = [
        TOP.replace("{sentinel}", sentinel),
        f"namespace {name} {{\n",
        f"inline constexpr int inputs = {len(tagger.inputs)};",
        f"inline constexpr int outputs = {size};",
        f"inline constexpr const char* features[] = {{{_strings(tagger.inputs)}}};",
        f"inline constexpr const char* classes[] = {{{_strings(tagger.classes)}}};",
        f"inline constexpr const char* notes =  // in JSON\n  {string_literal(_joined(notes))};\n",
        f"namespace detail {{\n{logistic}{code}",
        *header.tables,
        f"\ninline void compute(const float* x, double* z) {{\n{compute}}}\n\n}}  // namespace detail",
        SCORES.format(classes=scope, features=features, mapped=mapped, link="\n  ".join([*links, ROUNDED])),
        score,
        f"}}  // namespace {name}\n",
    ]
    return "\n".join(parts).encode()


def _strings(names: Sequence[str]) -> str:
    return ", ".join(map(string_literal, names))


def _joined(notes: Mapping[str, str]) -> str:
    return json.dumps({name: json.loads(value) for name, value in notes.items()})


@contextmanager
def compiled_scores(data: bytes) -> Iterator[Score]:
    """A function that scores with a program, which $CXX or the first compiler found makes of such a header."""
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
            process = subprocess.run([program], input=features.tobytes(), stdout=subprocess.PIPE, check=True)
            scores = np.frombuffer(process.stdout, dtype=np.float32).astype(np.float64)
            return scores if has_score else scores.reshape(-1, outputs)

        yield score


def _compile(source: Path, program: Path) -> None:
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("g++", "clang++", "c++")), None)
    if compiler is None:
        raise ValueError(
            "format=cpp needs a C++ compiler, as nothing is written that was not tried; "
            "install g++ or clang++, or name one in CXX"
        )
    process = subprocess.run(
        [compiler, "-std=c++17", "-O1", "-o", str(program), str(source)], capture_output=True, text=True, check=False
    )
    if process.returncode:
        reason = " ".join(line for line in process.stderr.splitlines() if "error" in line)[:300]
        raise ValueError(f"{compiler} cannot compile the header: {reason}; set CXX to another compiler")


def cpp_usage(tagger: Tagger, name: str, path: str) -> list[str]:
    """Lines of code that use the header."""
    call = f"{name}::scores(x, p);"
    if len(tagger.classes) == 2:
        call = f"float p = {name}::score(x);"
    return [f'#include "{path}"', f"{call}  // const float* x"]
