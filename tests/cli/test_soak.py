"""Sixty real kills: runs that are killed again and again end with the files of an undisturbed one.

    pytest -s -m slow tests/cli/test_soak.py

prints the table of docs/reliability.md. Kill moments are drawn from a seed: a stage, which is the training in half of
the draws, and how much of it is done. In the training that is a number of checkpoints; elsewhere it is a time.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from hepclf.evaluation.evaluation import Evaluation
from hepclf.files import leftovers
from hepclf.run import Run
from hepclf.workflow.history import read_history

STUDIES = [setting.name for setting in fields(Evaluation) if hasattr(setting.default_factory, "study")]
JOB = [
    "data=mixture",
    "data.events=20000",
    "trainer.epochs=8",
    "trainer.batch=32",
    "trainer.patience=null",
    "trainer.checkpoint_s=0",
    "trainer.device=cpu",
    *(f"evaluation.{study}=null" for study in STUDIES),  # their pictures would take most of the time
]
MODELS = {
    "`mlp`, dropout": ["model=mlp", "model.hidden=[16]", "model.members=2", "model.dropout=0.2"],
    "`logistic`, Newton": ["model=logistic", "model.solver=newton"],
    "`mlp_plain`, plateau": ["model=mlp_plain", "model.hidden=[32]", "trainer.schedule=plateau"],
}
EDGES = {"`mlp`, dropout": 32, "`logistic`, Newton": 4, "`mlp_plain`, plateau": 32}  # checkpoints of a training
KILLS = {"`mlp`, dropout": 25, "`logistic`, Newton": 10, "`mlp_plain`, plateau": 25}
EQUAL = "finished runs, equal byte for byte"
# The last stage that a process named on standard error, and what the table calls it.
STAGES = {
    "start": "starting",
    "loading": "reading",
    "checking": "reading",
    "training": "training",
    "checkpoint": "writing a checkpoint",
    "scoring": "scoring",
    "storing": "storing the scores",
    "evaluating": "evaluation",
    "drawing": "drawing",
    "end": "leaving",
}


class Process:
    """`hepclf train` in a process of its own."""

    def __init__(self, words: list[str], folder: Path) -> None:
        command = [sys.executable, "-m", "hepclf.cli.main", "train", *words, f"folder={folder}", "resume=auto"]
        self._folder, self._errors = folder, folder.with_suffix(".log")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)

    @property
    def stages(self) -> list[str]:
        """Those that began so far."""
        lines = self._errors.read_text(errors="replace").splitlines()
        names = ("end" if line.startswith("time ") else line.strip() for line in lines)
        return ["start", *(name for name in names if name in STAGES)]

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def wait(self) -> None:
        """Wait for its end, which must be a good one."""
        assert self._process.wait(timeout=300) == 0, self._errors.read_text()

    def timeline(self) -> dict[str, tuple[float, float]]:
        """When each stage began and ended, in seconds since the start."""
        began, began_at = time.monotonic(), {"start": 0.0}
        while self.code is None:
            for stage in self.stages:
                began_at.setdefault(stage, time.monotonic() - began)
            time.sleep(0.002)
        self.wait()
        ends = [*list(began_at.values())[1:], time.monotonic() - began]
        return {stage: (start, end) for (stage, start), end in zip(began_at.items(), ends, strict=True)}

    @property
    def checkpoints(self) -> int:
        """The number of the newest checkpoint; 0 before the first."""
        return max((int(path.stem) for path in (self._folder / "checkpoint").glob("0*.json")), default=0)

    def kill(self, stage: str, checkpoints: int, after_s: float) -> str | None:
        """Kill it so long after a stage began and so many checkpoints were there; the stage that the kill fell in.

        None if it had ended before.
        """
        is_early = True
        while is_early and self.code is None:
            time.sleep(0.001)
            stages = self.stages
            is_early = stage not in stages or (stages[-1] == stage and self.checkpoints < checkpoints)
        until = time.monotonic() + after_s
        while time.monotonic() < until and self.code is None:
            time.sleep(0.0005)
        self._process.kill()
        if self._process.wait() != -9:
            self.wait()
            return None
        return "checkpoint" if list(leftovers(self._folder / "checkpoint")) else self.stages[-1]


def outcome(folder: Path) -> tuple[object, ...]:
    """All that must not depend on a kill: results, tagger, history without its times, and which files there are."""
    assert Run(folder).status().name == "finished"
    assert not list(leftovers(folder))
    tagger = {path.name: path.read_bytes() for path in (folder / "tagger").iterdir()}
    history = [epoch[:4] for epoch in read_history(folder / "history.csv")]
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert not {"lock", "heartbeat", "checkpoint"} & set(files)
    return (folder / "metrics.json").read_bytes(), tagger, history, files


@pytest.fixture(scope="module")
def tally():
    """Kills by model and stage, and finished runs by model; the table is printed at the end."""
    counts: dict[str, Counter[str]] = {}
    yield counts
    table = [["killed while", *counts], ["---"] * (len(counts) + 1)]
    for row in (*dict.fromkeys(STAGES.values()), "all kills", EQUAL):
        table.append([row, *(str(count[row]) for count in counts.values())])
    print("\n\n", *(f"| {' | '.join(row)} |\n" for row in table), sep="")


def moments(timeline: dict[str, tuple[float, float]], edges: int, seed: int):
    """Without end: a stage (half of the time the training), a number of checkpoints in it, and seconds after these."""
    generator = random.Random(seed)
    while True:
        stage = generator.choice(list(timeline)) if generator.random() < 0.5 else "training"
        duration = timeline[stage][1] - timeline[stage][0]
        if stage == "training":
            yield stage, generator.randrange(edges), generator.uniform(0.0, duration / edges)
        else:
            yield stage, 0, generator.uniform(0.0, duration)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_runs_that_are_killed_again_and_again_end_as_an_undisturbed_one(name, tally, tmp_path):
    words, count = [*JOB, *MODELS[name]], tally.setdefault(name, Counter())
    timeline = Process(words, tmp_path / "undisturbed").timeline()
    undisturbed = outcome(tmp_path / "undisturbed")
    folder = tmp_path / "run0"
    for stage, checkpoints, after_s in moments(timeline, EDGES[name], seed=list(MODELS).index(name)):
        is_last = count["all kills"] == KILLS[name]
        process = Process(words, folder)
        if is_last:
            process.wait()
        elif stage := process.kill(stage, checkpoints, after_s):
            count.update([STAGES[stage], "all kills"])
            continue
        assert outcome(folder) == undisturbed
        count[EQUAL] += 1
        if is_last:
            break
        folder = tmp_path / f"run{count[EQUAL]}"
