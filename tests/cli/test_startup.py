"""What a small run imports, which is most of the time that it takes."""

from __future__ import annotations

import subprocess
import sys

# Each takes a tenth of a second to seconds, and a run without pictures needs none of them.
UNUSED = ("torch._dynamo", "sympy", "scipy.stats", "matplotlib", "pandas", "sklearn", "xgboost", "lightgbm", "onnx")
CODE = f"""
import sys
from hepclf.cli.main import main
run = ["data.signals=200", "data.noise=600", "trainer.epochs=1", "evaluation.plots=false"]
code = main(["train", "model=mlp_plain", *run])
print("imported:", *[name for name in {UNUSED!r} if name in sys.modules])
sys.exit(code)
"""


def test_a_small_run_imports_nothing_heavy_that_it_does_not_use():
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "imported:"
