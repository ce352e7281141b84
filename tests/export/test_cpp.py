from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hepclf import BDT, Logistic, PlainMLP
from hepclf.events import Events
from hepclf.export.cpp.header import Header
from hepclf.export.cpp.model import compiled_scores, cpp_header
from hepclf.models.calibrated import CalibratedTagger
from hepclf.statistics.calibration import Isotonic, Temperature

compiler = shutil.which("g++") or shutil.which("clang++")
compiled = pytest.mark.skipif(compiler is None, reason="there is no C++ compiler")
STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]


def built(*words):
    return subprocess.run([compiler, *words], capture_output=True, text=True, check=False)


@compiled
@pytest.mark.parametrize("calibration", [None, Temperature(2.0), Isotonic(np.arange(3.0), np.arange(3.0))])
@pytest.mark.parametrize("model", [BDT(iterations=3), PlainMLP(hidden=(4,), activation="maxout")], ids=["trees", "mlp"])
def test_a_header_compiles_without_a_warning_and_in_two_files_of_one_program(model, calibration, events, fitted):
    tagger = fitted(model, events())
    Path("my.hpp").write_bytes(
        cpp_header(tagger if calibration is None else CalibratedTagger(tagger, calibration), "my", {})
    )
    Path("one.cpp").write_text('#include "my.hpp"\nfloat one(const float* x) { return my::score(x); }\n')
    Path("two.cpp").write_text(
        '#include "my.hpp"\nint main() { const float x[my::inputs] = {}; return my::score(x) > 2; }\n'
    )
    done = built(*STRICT, "one.cpp", "two.cpp", "-o", "both")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["./both"], check=False).returncode == 0


@compiled
def test_two_taggers_live_in_one_program(events, fitted):
    tagger = fitted(Logistic(), events())
    for name in ("one", "two"):
        Path(f"{name}.hpp").write_bytes(cpp_header(tagger, name, {}))
    Path("main.cpp").write_text(
        '#include "one.hpp"\n#include "two.hpp"\n'
        "int main() { const float x[4] = {1, 2, 3, 4}; return one::score(x) == two::score(x) ? 0 : 1; }\n"
    )
    done = built(*STRICT, "main.cpp", "-o", "main")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["./main"], check=False).returncode == 0


@compiled
@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-ffinite-math-only"])
def test_a_compiler_that_ignores_nan_is_refused(flag, events, fitted):
    Path("my.hpp").write_bytes(cpp_header(fitted(Logistic(), events()), "my", {}))
    done = built("-std=c++17", flag, "-fsyntax-only", "-x", "c++", "my.hpp")
    assert done.returncode != 0
    assert "compile this without -ffast-math" in done.stderr


@compiled
def test_names_are_text_and_never_code(events, fitted):
    train = events()
    evil = ('a"; int stolen = 1; //', "b\\", ')notes" */', "d\n#error")
    tagger = fitted(Logistic(), Events(features=train.features, labels=train.labels, names=evil))
    header = cpp_header(tagger, "my", {"features": json.dumps(evil)})
    Path("my.hpp").write_bytes(header)
    lines = "".join(
        f"  if (std::string(my::features[{i}]) != {json.dumps(name)}) return 1;\n" for i, name in enumerate(evil)
    )
    notes = json.dumps(json.dumps({"features": evil}))
    Path("main.cpp").write_text(
        f'#include "my.hpp"\n#include <string>\nint main() {{\n{lines}  return std::string(my::notes) != {notes};\n}}\n'
    )
    done = built("-std=c++17", "main.cpp", "-o", "main")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["./main"], check=False).returncode == 0


@compiled
def test_every_float_reads_back_as_it_was():
    values = np.array([0, -0.0, 1e-45, 3.4028235e38, 0.1, 1 / 3, -2e-40, 16777217, 1e10], dtype=np.float32)
    header = Header()
    name = header.table(values)
    Path("main.cpp").write_text(
        f"#include <cstdio>\n{header.tables[0]}\nint main() {{ std::fwrite({name}, sizeof {name}, 1, stdout); }}\n"
    )
    done = built("-std=c++17", "main.cpp", "-o", "main")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["./main"], capture_output=True, check=True).stdout == values.tobytes()


def test_without_a_compiler_nothing_is_tried(events, fitted, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    data = cpp_header(fitted(Logistic(), events()), "my", {})
    with (
        pytest.raises(ValueError, match=r"needs a C\+\+ compiler, as nothing is written that was not tried"),
        compiled_scores(data),
    ):
        pass


@compiled
def test_a_header_that_does_not_compile_is_refused_in_one_line(events, fitted):
    data = cpp_header(fitted(Logistic(), events()), "my", {}).replace(b"std::isinf", b"std::isimf")
    with pytest.raises(ValueError, match=r"cannot compile the header: .*isimf") as caught, compiled_scores(data):
        pass
    assert "\n" not in str(caught.value)
