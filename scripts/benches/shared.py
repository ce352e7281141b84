"""How the waiting of OpenMP threads changes the time of a training, on a quiet machine and beside a busy process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from turns import ratio, rounds

from hepclf.cli.threads import SHORT_SPIN

COUNT = 5
TRIGGERS, EPOCHS = 20_000, 3
WAITING = ("OMP_WAIT_POLICY", *SHORT_SPIN, "OMP_NUM_THREADS")
SETTINGS = {
    "ours": SHORT_SPIN,
    "the libraries' own": {},
    "one thread": {**SHORT_SPIN, "OMP_NUM_THREADS": "1"},
}
# Variables are read when a library is loaded, so that each training needs a process. It tells its own time: imports
# and data would only blur the ratio.
TRAINING = """
import sys, time
import numpy as np
from hepclf import GW, MLP, Job, Trainer, fit, prepare
triggers, epochs = map(int, sys.argv[1:])
data = GW(signals=triggers // 4, noise=triggers - triggers // 4, check=False)
job = Job.of(data, MLP(), Trainer(epochs=epochs, patience=None, device="cpu"))
prepared = prepare(job)
started = time.perf_counter()
fit(prepared, job)
print(time.perf_counter() - started)
"""


def run() -> None:
    """Trainings in turns: each setting on the machine as it is, and beside one process that keeps a core busy."""
    print(f"`mlp`, {TRIGGERS:,} triggers, {EPOCHS} epochs; load before {os.getloadavg()[0]:.1f}\n")
    loops = [(busy, setting) for busy in (False, True) for setting in SETTINGS]
    times: dict[tuple[bool, str], list[float]] = {loop: [] for loop in loops}
    rounds(*(lambda loop=loop: times[loop].append(seconds(*loop)) for loop in loops), count=COUNT)
    counted = {loop: found[1:] for loop, found in times.items()}  # the first round is not counted
    others = [setting for setting in SETTINGS if setting != "ours"]
    print("| machine | ours, s |", *(f"{setting} / ours |" for setting in others), "busy / quiet, ours |")
    print("|---|---|" + "---|" * (len(others) + 1))
    for busy in (False, True):
        ours = counted[busy, "ours"]
        cells = [f"{statistics.median(ours):.2f}", *(ratio(counted[busy, setting], ours) for setting in others)]
        cells.append(ratio(ours, counted[False, "ours"]) if busy else "1")
        print("|", " | ".join(["one core busy" if busy else "quiet", *cells]), "|", flush=True)


def seconds(busy: bool, setting: str) -> float:
    """The time of one training in a process of its own."""
    variables = {name: text for name, text in os.environ.items() if name not in WAITING} | SETTINGS[setting]
    command = [sys.executable, "-c", TRAINING, str(TRIGGERS), str(EPOCHS)]
    with busy_core() if busy else nullcontext():
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1])


@contextmanager
def busy_core() -> Iterator[None]:
    """Another process that keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
