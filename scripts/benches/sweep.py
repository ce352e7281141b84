"""What a job of a sweep costs beyond its training, against a shell loop of single commands."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOBS, SINGLE, ROUNDS = 200, 3, 3
COMMAND = ["train", "model=mlp_plain", "data.signals=2000", "data.noise=6000"]
LEAN = ["evaluation.plots=false", "evaluation.report=false"]


def run() -> None:
    """Single commands, and a sweep over seeds of the trainer, by one process and by two."""
    print(f"`mlp_plain`, 8,000 triggers, {JOBS} jobs; load before {os.getloadavg()[0]:.1f}\n")
    print("| what | jobs | s a job | training, s | beyond the training, s |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            row(f"single commands, round {number}", *singles(Path(folder, f"single{number}")))
        for processes in (1, 2):
            row(f"a sweep, jobs={processes}", *swept(Path(folder, f"sweep{processes}"), processes))


def row(what: str, seconds: float, folders: list[Path]) -> None:
    """Print the time of runs, by the whole and by what stands in their records."""
    trained = [json.loads((path / "environment.json").read_text())["seconds"]["training"] for path in folders]
    each, training = seconds / len(folders), statistics.mean(trained)
    print(f"| {what} | {len(folders)} | {each:.2f} | {training:.2f} | {each - training:.2f} |", flush=True)


def singles(folder: Path) -> tuple[float, list[Path]]:
    """Single commands one after another, as a shell loop has them."""
    folders = [folder / str(seed) for seed in range(SINGLE)]
    started = time.perf_counter()
    for seed, path in enumerate(folders):
        hepclf(*COMMAND, *LEAN, f"trainer.seed={seed}", f"folder={path}")
    return time.perf_counter() - started, folders


def swept(folder: Path, processes: int) -> tuple[float, list[Path]]:
    """A sweep, its start and its closing tables included, without the pictures of the best run.

    With several processes the time of a job is that of the whole divided by the jobs, while each trains beside others.
    """
    seeds = f"trainer.seed=range(0,{JOBS})"
    started = time.perf_counter()
    hepclf(*COMMAND, "evaluation.plots=false", "-m", seeds, f"folder={folder}", f"jobs={processes}")
    return time.perf_counter() - started, sorted(path.parent for path in folder.glob("*/environment.json"))


def hepclf(*words: str) -> None:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "hepclf.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
