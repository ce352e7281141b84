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

from hepclf.export.components import event_folds
from hepclf.export.cpp.header import Header, string_literal
from hepclf.export.cpp.members import Place, compute_code
from hepclf.export.cpp.raw import declared_as_nan
from hepclf.export.formats import Score
from hepclf.models.folds import FoldKey
from hepclf.models.model import Tagger

TOP = """\
// Scores of a tagger that was trained with hepclf. A missing value is NaN{sentinel}; an infinite one
// has no score, which is NaN.
#pragma once

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "compile this without -ffast-math, with which missing values (NaN) are taken for numbers"
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
"""
KEY = "std::uint64_t event, "
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
SCORES = """
// The probability of {classes} for one event, {features}[inputs] in the order of features{number}.
inline void scores(const float* {features}, {key}float* out) {{
{mapped}  for (int k = 0; k < outputs; ++k) out[k] = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < inputs; ++i)
    if (std::isinf(x[i])) return;
  double z[outputs];
  detail::compute(x, {event}z);
  for (int k = 0; k < outputs; ++k) out[k] = static_cast<float>(z[k]);
}}
"""
SCORE = """
inline float score(const float* x{key}) {{
  float out[outputs];
  scores(x, {event}out);
  return out[0];
}}
"""
NUMBER = """
// The event number of the columns {columns}.
inline std::uint64_t event_number(const std::uint64_t (&columns)[{count}]) {{
  std::uint64_t hash = 0;
  for (const std::uint64_t column : columns) {{
    hash = (hash ^ column) + 0x9E3779B97F4A7C15;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
    hash ^= hash >> 31;
  }}
  return hash;
}}
"""
MAIN = """
#include "tagger.hpp"
#include <cstdio>
int main() {{
  float x[{name}::inputs], p[{name}::outputs];
  {declared}
  while (std::fread(x, sizeof x, 1, stdin) == 1{read}) {{
    {call}
    std::fwrite(p, sizeof p, 1, stdout);
  }}
}}
"""


def cpp_header(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:
    """The text of the header, with the notes as a string in it."""
    header, folds = Header(), event_folds(tagger)
    key, event = ("", "") if folds is None else (KEY, "event, ")
    size, scope, logistic, score = len(tagger.classes), "each class", LOGISTIC_MULTICLASS, ""
    if size == 2:
        size, scope, logistic = 1, "the second class", LOGISTIC_BINARY
        score = SCORE.format(key=f", {key.removesuffix(', ')}" if key else "", event=event)
    compute = compute_code(header, tagger, Place(tagger.inputs, key))
    mapped = declared_as_nan(header, tagger)
    sentinel, features = ("", "x")
    if mapped:
        sentinel, features = (" or one of detail::sentinels", "raw")
    function = SCORES.format(
        classes=scope, features=features, number=_number_words(folds), key=key, event=event, mapped=mapped
    )
    parts = [
        TOP.replace("{sentinel}", sentinel),
        f"namespace {name} {{\n",
        f"inline constexpr int inputs = {len(tagger.inputs)};",
        f"inline constexpr int outputs = {size};",
        f"inline constexpr const char* features[] = {{{_strings(tagger.inputs)}}};",
        f"inline constexpr const char* classes[] = {{{_strings(tagger.classes)}}};",
        f"inline constexpr const char* notes =  // in JSON\n  {string_literal(_joined(notes))};\n",
        f"namespace detail {{\n{logistic}",
        *header.shared,
        *header.tables,
        f"{compute}\n}}  // namespace detail",
        _event_number(folds),
        function,
        score,
        f"}}  // namespace {name}\n",
    ]
    return "\n".join(parts).encode()


def _number_words(folds: FoldKey | None) -> str:
    """What the header says about the event number."""
    if folds is None:
        return ""
    if len(folds.columns) == 1:
        return f"; event is the number\n// {_comment(folds.columns[0])} of the event, whose fold it tells"
    return "; event is its event_number\n// or its fold"


def _event_number(folds: FoldKey | None) -> str:
    """The function that hashes several columns; nothing where one column is the event number."""
    if folds is None or len(folds.columns) == 1:
        return ""
    columns = ", ".join(map(_comment, folds.columns))
    return NUMBER.format(columns=f"{{{columns}}}", count=len(folds.columns))


def _comment(name: str) -> str:
    """A name inside a comment, in which it cannot end the line."""
    return string_literal(name).replace("\\", "/")


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
    has_score, has_key = "\ninline float score(" in header, KEY in re.findall(r"^inline void scores.*", header, re.M)[0]
    declared, read, event = ("std::uint64_t event;", " && std::fread(&event, sizeof event, 1, stdin) == 1", ", event")
    if not has_key:
        declared = read = event = ""
    call = f"p[0] = {name}::score(x{event});" if has_score else f"{name}::scores(x{event}, p);"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "score"
        (Path(folder) / "tagger.hpp").write_bytes(data)
        (Path(folder) / "main.cpp").write_text(MAIN.format(name=name, declared=declared, read=read, call=call))
        _compile(program.with_name("main.cpp"), program)

        def score(features: NDArray[np.float32], key: NDArray[np.uint64] | None = None, /) -> NDArray[np.float64]:
            rows = features.tobytes() if key is None else _records(features, key).tobytes()
            process = subprocess.run([program], input=rows, stdout=subprocess.PIPE, check=True)
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


def _records(features: NDArray[np.float32], key: NDArray[np.uint64]) -> NDArray[np.void]:
    """Each event's features and event number as the program reads them."""
    records = np.empty(len(features), dtype=[("x", np.float32, features.shape[1:]), ("event", np.uint64)])
    records["x"], records["event"] = features, key
    return records


def cpp_usage(tagger: Tagger, name: str, path: str) -> list[str]:
    """Lines of code that use the header."""
    folds = event_folds(tagger)
    event, types = "", "const float* x"
    if folds is not None and len(folds.columns) == 1:
        event, types = ", event", f"const float* x, std::uint64_t event: {folds.columns[0]}"
    elif folds is not None:
        event = f", {name}::event_number({{{', '.join(folds.columns)}}})"
        types = "const float* x; the columns are std::uint64_t"
    call = f"{name}::scores(x{event}, p);"
    if len(tagger.classes) == 2:
        call = f"float p = {name}::score(x{event});"
    return [f'#include "{path}"', f"{call}  // {types}"]
