"""Errors of memory as one line, with the exit code of a run that failed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hepclf.cli.errors import explain
from hepclf.files import temporary_path
from hepclf.training.memory import DeviceMemoryError

# A command in a process that may take so many MiB more than it has after its imports.
LIMITED = """
import resource, sys
import torch, hepclf.models.mlp_plain, hepclf.workflow.train
from hepclf.cli.main import main

status = dict(line.split(":", 1) for line in open("/proc/self/status"))
size = int(status["VmSize"].split()[0]) * 1024 + int(sys.argv.pop(1)) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (size, size))
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.EROFS, "scan cannot be written: the file system is read-only; choose another place"),
        (errno.EACCES, "scan cannot be used: permission denied; choose another place, or ask its owner"),
        (errno.EEXIST, "scan cannot be made: there is a file of this name; choose another place"),
    ],
)
def test_a_place_that_the_system_refuses_is_named_with_the_way_out(number, line):
    for path in ("scan", temporary_path(Path("scan/sweep.json"))):
        assert explain(OSError(number, os.strerror(number), str(path))) == (line, 1)


def test_a_line_of_hepclf_stays_and_that_of_a_library_gets_a_way_out():
    line = (
        "trainer.batch=4096 needs more memory than cuda:0 has (78.5 of 80.0 GiB in use); trainer.batch=1024 would fit"
    )
    assert explain(DeviceMemoryError(line)) == (line, 1)
    way_out = "use fewer events or features, or a machine with more memory"
    assert explain(MemoryError()) == (f"out of memory (MemoryError); {way_out}", 1)
    for make in (lambda: torch.empty(1 << 60), lambda: np.empty(1 << 58)):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            make()
        text, code = explain(caught.value)
        assert text.startswith("out of memory (")
        assert text.endswith(f"); {way_out}")
        assert code == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a limit of memory, which Linux has")
def test_a_training_in_too_little_memory_names_a_batch_that_would_fit():
    words = ["data=mixture", "data.events=16000", "model=mlp_plain", "model.hidden=[8000]", "trainer.device=cpu"]
    process = subprocess.run(
        [sys.executable, "-c", LIMITED, "150", "train", *words, "trainer.batch=8000", "folder=run"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    *_, line = process.stderr.splitlines()
    start = "hepclf: trainer.batch=8000 needs more memory than this machine grants; trainer.batch="
    assert line.startswith(start), process.stderr
    assert line.endswith(" would fit: start a new run with it")
    assert 32 <= int(line.removeprefix(start).split()[0]) <= 2000  # one layer of 8000 rows takes 244 MiB
    assert process.returncode == 1
