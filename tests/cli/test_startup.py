"""What a small run imports, which is most of the time that it takes."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from hepclf.cli.config import launch
from hepclf.cli.main import NEW_OBJECTS, main

# Each takes a tenth of a second to seconds, and a run without pictures needs none of them.
COMPILERS = ("torch._dynamo", "sympy")
MODELS = ("sklearn", "xgboost", "lightgbm", "onnx")
UNUSED = (*COMPILERS, *MODELS, "scipy.stats", "matplotlib", "pandas", "pyarrow.parquet", "h5py")
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


def test_a_process_of_its_own_looks_for_garbage_rarely_and_a_callers_collector_stays_as_it_is(monkeypatch):
    threshold, frozen = gc.get_threshold(), gc.get_freeze_count()
    assert main(["--version"]) == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (threshold, frozen)
    monkeypatch.setattr(sys, "argv", ["hepclf", "--version"])
    try:
        assert main() == 0
        assert gc.get_threshold()[0] == NEW_OBJECTS
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)


@pytest.mark.parametrize(
    "words",
    [
        ["model=bdt", "data.noise=600", "data.classes={a: 1}", "seed=3"],
        ["experiment=gw_blog", "trainer.epochs=2"],
    ],
)
def test_one_job_has_the_configuration_of_a_sweep_of_one_job(words):
    jobs = []
    launch("train", words, jobs.append)
    launch("train", ["-m", *words], jobs.append)
    assert jobs[0] == jobs[1]
