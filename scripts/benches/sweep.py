"""What a job of a sweep and a trial of a search cost beyond their training, against a shell loop of commands."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hepclf.workflow.history import read_history

JOBS, SINGLE, ROUNDS = 200, 3, 3
TRIALS, FEW = 60, 10
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
        for number in range(ROUNDS):
            trials(f"trials of a search, round {number}", Path(folder, f"study{number}"))


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


def trials(what: str, folder: Path) -> None:
    """Print the time of a trial: what many trials take more than few ones, so without the search's start and end."""
    many, few = searched(folder / "many", TRIALS), searched(folder / "few", FEW)
    (seconds, training), count = (a - b for a, b in zip(many, few, strict=True)), TRIALS - FEW
    each, trained = seconds / count, training / count
    print(f"| {what} | {count} | {each:.2f} | {trained:.2f} | {each - trained:.2f} |", flush=True)


def searched(folder: Path, count: int) -> tuple[float, float]:
    """Seconds of a search of so many trials with one training each, and those of its trainings alone."""
    settings = [f"tune.trials={count}", "tune.repeats=1", "tune.pruning=none", "model.dropout=interval(0,0.5)"]
    started = time.perf_counter()
    hepclf("tune", *COMMAND[1:], *LEAN, *settings, f"folder={folder}")
    seconds = time.perf_counter() - started
    histories = [read_history(path) for path in folder.glob("trials/*/0/history.csv")]
    return seconds, sum(epoch.seconds for history in histories for epoch in history)


def hepclf(*words: str) -> None:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "hepclf.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
