"""Training on a table that is several times the memory there is: in a control group, which the kernel enforces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uproot

EVENTS, FEATURES, LIMIT = 3_000_000, 400, 1_200_000_000
GROUP = Path("/sys/fs/cgroup/memory/hepclf-bench")
WIDTH = 0.25  # by which each feature of the signal is shifted, in a hundred of them: the best AUC is 0.9615


def run() -> None:
    if os.geteuid() or not GROUP.parent.is_dir():
        print("not run: it needs root and control groups of version 1")
        return
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        for name, shift in (("background", 0.0), ("signal", WIDTH)):
            _file(folder / f"{name}.root", shift)
        print("| table | memory limit | read into the cache, s | an epoch, s | test AUC | most memory held |")
        print("|---|---|---|---|---|---|")
        with _group(LIMIT):
            began = time.perf_counter()
            code = f"open({str(GROUP / 'tasks')!r}, 'w').write('0')\n{TRAIN}"
            done = subprocess.run(
                [sys.executable, "-c", code, str(FEATURES)], cwd=folder, capture_output=True, text=True
            )
            killed = done.returncode < 0
            found = "killed" if killed else done.stdout.strip() or done.stderr.strip().splitlines()[-1]
        size = EVENTS * FEATURES * 4 / 1e9
        print(f"| {size:.1f} GB | {LIMIT / 1e9:.1f} GB | {found} |")
        print(f"\n{time.perf_counter() - began:.0f} s in all")
    finally:
        shutil.rmtree(folder)


# Anonymous memory, as pages of files are the kernel's to drop.
TRAIN = """
import sys, time
from hepclf import Evaluation, PlainMLP, Trainer, train
from hepclf.data.root import Root
from hepclf.disk import mapped
samples = [{"name": name, "class": name, "files": f"{name}.root"} for name in ("background", "signal")]
data = Root(samples=samples, features=tuple(f"x{i}" for i in range(int(sys.argv[1]))), cache="cache", chunk=20_000)
began = time.perf_counter()
assert mapped(data.load().features) is not None
read = time.perf_counter() - began
trained = train(data, PlainMLP(hidden=(64,)), Trainer(epochs=2, batch=4096), Evaluation(plots=False))
seconds = max(epoch.seconds for epoch in trained.history)
auc = trained.results.test.auc
lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
held = int(lines["VmHWM"].split()[0]) / 1e6
print(f"{read:.0f} | {seconds:.0f} | {auc.value:.4f} ± {auc.error:.4f} | {held:.2f} GB, pages of files included")
"""


@contextmanager
def _group(limit: int) -> Iterator[None]:
    GROUP.mkdir(exist_ok=True)
    (GROUP / "memory.limit_in_bytes").write_text(str(limit))
    try:
        yield
    finally:
        GROUP.rmdir()


def _file(path: Path, shift: float) -> None:
    rng = np.random.default_rng(int(shift > 0))
    names = [f"x{i}" for i in range(FEATURES)]
    shifts = np.where(np.arange(FEATURES) < 100, shift, 0).astype(np.float32)
    with uproot.recreate(path, compression=None) as file:
        tree = file.mktree("t", dict.fromkeys(names, np.dtype(np.float32)))
        for _ in range(EVENTS // 2 // 50_000):
            values = rng.standard_normal((FEATURES, 50_000), dtype=np.float32) + shifts[:, None]
            tree.extend(dict(zip(names, values, strict=True)))
