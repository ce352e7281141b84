"""What the look at the data before a training costs, as a share of the whole run, on few and on many events."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from turns import rounds

from hepclf import BDT, GW, MLP, Evaluation, Trainer, train
from hepclf.models.fisher import Fisher

COUNT = 3
SMALL, LARGE = 80_000, 2_000_000


def run() -> None:
    """Whole runs with and without, in turns: the share by the run's own clock, and the ratio of the two."""
    print(f"load {os.getloadavg()[0]:.1f}\n\n| model, events | run, s | look, s | look / run | with / without |")
    print("|---|---|---|---|---|")
    for model, events in ((MLP(), SMALL), (BDT(), SMALL), (Fisher(), SMALL), (MLP(), LARGE), (Fisher(), LARGE)):
        _row(model, events)


def _row(model: Any, events: int) -> None:
    folder, numbers = Path(tempfile.mkdtemp()), count()
    seconds: list[dict[str, float]] = []

    def trained(*, check: bool) -> None:
        data = GW(signals=events // 4, noise=events - events // 4, check=check)
        place = folder / str(next(numbers))
        train(data, model, Trainer(), Evaluation(), folder=place)
        if check:
            seconds.append(json.loads((place / "environment.json").read_text())["seconds"])
        shutil.rmtree(place)

    try:
        checked, plain = rounds(lambda: trained(check=True), lambda: trained(check=False), count=COUNT)
    finally:
        shutil.rmtree(folder)
    looks = [times["checking"] for times in seconds[1:]]  # the first round is not counted
    shares = sorted(100 * times["checking"] / times["total"] for times in seconds[1:])
    ratios = sorted(a / b for a, b in zip(checked, plain, strict=True))
    print(
        f"| {type(model).__name__.lower()}, {events:,} | {statistics.median(checked):.1f} | "
        f"{statistics.median(looks):.3f} | {statistics.median(shares):.2f} % ({shares[0]:.2f} to {shares[-1]:.2f}) | "
        f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}) |",
        flush=True,
    )
