"""How OpenMP waits is said before a library starts it: each copy reads its variables once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hepclf.cli import threads
from hepclf.cli.threads import share_machine

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
SHORT = {"GOMP_SPINCOUNT": "800", "KMP_BLOCKTIME": "1"}
CODE = """
import os, subprocess, sys
from hepclf.cli.main import main
loaded = [name for name in ("numpy", "torch", "sklearn") if name in sys.modules]
main(["--version"])
import torch
child = "import os; print('child', os.environ.get('GOMP_SPINCOUNT'))"
print("loaded", loaded, flush=True)
subprocess.run([sys.executable, "-c", child])
"""


def started(**variables):
    """What a process writes that starts the command line and then loads PyTorch."""
    plain = {name: text for name, text in os.environ.items() if name not in NAMES}
    variables = {**plain, "OMP_DISPLAY_ENV": "VERBOSE", **variables}
    answer = subprocess.run([sys.executable, "-c", CODE], env=variables, capture_output=True, text=True, check=True)
    return answer.stdout, answer.stderr


def test_waiting_threads_spin_only_shortly():
    variables = {}
    share_machine(variables)
    assert {name: variables[name] for name in SHORT} == SHORT


@pytest.mark.parametrize("name", NAMES)
def test_what_the_user_chose_stays_and_nothing_is_added(name):
    variables = {name: "ACTIVE"}
    share_machine(variables)
    assert {key: text for key, text in variables.items() if key in NAMES} == {name: "ACTIVE"}


@pytest.mark.parametrize(("quota", "mask", "number"), [(3, 64, "3"), (64, 64, None)])
def test_a_quota_below_the_mask_limits_what_libraries_start(monkeypatch, quota, mask, number):
    monkeypatch.setattr(threads, "granted", lambda: quota)
    monkeypatch.setattr(threads, "affinity", lambda: mask)
    variables = {}
    share_machine(variables)
    assert variables.get("OMP_NUM_THREADS") == number
    chosen = {"OMP_NUM_THREADS": "7"}
    share_machine(chosen)
    assert chosen["OMP_NUM_THREADS"] == "7"


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is that of the Linux wheels")
def test_the_openmp_of_pytorch_and_child_processes_have_the_short_spin():
    out, err = started()
    assert "GOMP_SPINCOUNT = '800'" in err
    assert "loaded []" in out
    assert "child 800" in out


@pytest.mark.slow  # what share_machine leaves alone is tested above
@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is that of the Linux wheels")
def test_the_openmp_of_pytorch_waits_as_the_user_chose():
    out, err = started(OMP_WAIT_POLICY="ACTIVE")
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in err
    assert "GOMP_SPINCOUNT = '800'" not in err
    assert "child None" in out
