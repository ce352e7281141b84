"""The results on five million events against scikit-learn's curve and area, its memory, replicas, and ten pictures."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve
from turns import peak, ratio, rounds

from hepclf import Evaluation
from hepclf.evaluation.evaluation import evaluate
from hepclf.presentation.plots.draw import draw
from hepclf.scored import Scored
from hepclf.statistics.curves.bootstrap import bins, bootstrap
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.roc import area, curve

EVENTS, REPLICAS, COUNT = 5_000_000, 1000, 3
STUDIES = {one.name for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")}
BANDS = Evaluation(**dict.fromkeys(STUDIES - {"bands"}))  # type: ignore[arg-type]


def run() -> None:
    scored = drawn(EVENTS)
    print(f"load {os.getloadavg()[0]:.1f}\n\n| what | ours, s | scikit-learn, s | ours / theirs |\n|---|---|---|---|")

    def theirs() -> None:
        roc_curve(scored.labels, scored.scores, sample_weight=scored.weights)
        roc_auc_score(scored.labels, scored.scores, sample_weight=scored.weights)

    times = rounds(
        lambda: evaluate(scored, BANDS), lambda: evaluate(scored), lambda: _replicas(scored), theirs, count=COUNT
    )
    results, everything, replicas, reference = times
    _row("results with bands", results, reference)
    _row("results with all studies", everything, reference)
    name = f"{REPLICAS:,} replicas of curve and area"
    _row(name, replicas, [REPLICAS * one for one in reference], 5)
    print(f"\nfaster by replicas: {ratio([REPLICAS * one for one in reference], replicas)}")
    held = 33 * EVENTS / 2**20
    for what, code in (("with bands", "BANDS"), ("with all studies", "Evaluation()")):
        most = peak(MEMORY.format(evaluation=code), str(Path(__file__).parent), str(EVENTS))
        print(f"peak memory {what}: {most:.0f} MiB, {most / held:.2f} times the scored events' {held:.0f} MiB")
    _pictures()


def drawn(events: int) -> Scored:
    """Two Gaussian classes with log-normal weights, all of them test events."""
    rng = np.random.default_rng(0)
    labels = (rng.random(events) < 0.5).astype(np.int64)
    scores = 1 / (1 + np.exp(-rng.normal(2 * labels - 1)))
    return Scored(labels=labels, scores=scores, weights=rng.lognormal(0, 0.5, events))


def _replicas(scored: Scored) -> None:
    """With the sort and the sums, which an evaluation has already."""
    is_signal = scored.labels == 1
    ranking = Ranking(scored.scores)
    of = curve(ranking, is_signal, scored.weights)
    found = bootstrap(of, ranking, is_signal, scored.weights, edges=bins(of), replicas=REPLICAS)
    found.areas(area(of).value or 0.0)
    found.background_at(np.linspace(0.01, 1, 100))


def _pictures() -> None:
    scored = drawn(80_000)
    every = Scored(
        labels=scored.labels,
        scores=scored.scores,
        weights=scored.weights,
        split=(np.arange(80_000) % 3).astype(np.int8),
        spectators={"llr": np.log(scored.scores / (1 - scored.scores))},
    )
    results, folder = evaluate(every), Path(tempfile.mkdtemp())
    try:
        (times,) = rounds(lambda: draw(results, folder), count=COUNT)  # type: ignore[arg-type, return-value]
        count = len(list(folder.glob("*.png")))
        seconds = statistics.median(times)
        print(f"{count} pictures as PNG and PDF: {seconds:.2f} s, {seconds / count:.2f} each")
    finally:
        shutil.rmtree(folder)


def _row(name: str, ours: list[float], theirs: list[float], digits: int = 2) -> None:
    found = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    told = f"{statistics.median(found):.{digits}f} ({found[0]:.{digits}f} to {found[-1]:.{digits}f})"
    print(f"| {name} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} | {told} |")


MEMORY = """
sys.path.insert(0, sys.argv[1])
from evaluation import BANDS, Evaluation, drawn, evaluate
scored = drawn(int(sys.argv[2]))
begin()
evaluate(scored, {evaluation})
"""
