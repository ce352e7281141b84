"""Two ranks of one machine against one process with all cores, and with those of one rank."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import torch
from trainer import data, fresh
from turns import ratio

from hepclf.cli.threads import share_machine
from hepclf.training.cores import cores
from hepclf.training.descent import Descent
from hepclf.training.launchers import meeting_place
from hepclf.training.ranks import joined
from hepclf.training.trainer import Trainer

ROUNDS = 3  # each starts three processes
EPOCHS = 2  # after one that is not counted
BATCHES = (256, 1024, 8192)


def epochs() -> dict[int, float]:
    """Seconds of an epoch for each batch, as one rank or as one process."""
    table = data()
    few = table.take(torch.arange(100))
    seconds = {}
    for batch in BATCHES:
        _, *history = Descent(fresh(), table, few, Trainer(epochs=EPOCHS + 1, batch=batch))
        seconds[batch] = statistics.median(epoch.seconds for epoch in history)
    return seconds


def times(count: int, threads: int) -> dict[str, float]:
    """The same, measured with so many processes of so many threads."""
    _store, places = meeting_place(count)
    command = [sys.executable, str(Path(__file__))]
    environments = [os.environ | place | {"OMP_NUM_THREADS": str(threads)} for place in places]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for environment in environments]
    first, *_ = [process.communicate()[0] for process in processes]
    seconds: dict[str, float] = json.loads(first)
    return seconds


def run() -> None:
    share_machine()
    half = max(1, cores() // 2)
    rounds = [(times(1, cores()), times(1, half), times(2, half)) for _ in range(ROUNDS)]
    print(f"{ROUNDS} rounds of {EPOCHS} epochs; a rank has {half} of {cores()} threads\n")
    print(
        "| batch | one process, s an epoch | two ranks / one process | two ranks / one process with half the threads |"
    )
    print("|---|---|---|---|")
    for batch in map(str, BATCHES):
        whole, part, both = ([row[number][batch] for row in rounds] for number in range(3))
        print(f"| {batch} | {statistics.median(whole):.3f} | {ratio(both, whole)} | {ratio(both, part)} |", flush=True)


if __name__ == "__main__":
    with joined(None):
        print(json.dumps(epochs()))
