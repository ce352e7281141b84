"""What processes side by side save of the time that a run draws, on the cores of this machine."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from turns import ratio, rounds

from hepclf import GW, Trainer, train
from hepclf.models.fisher import Fisher
from hepclf.presentation.plots.draw import draw
from hepclf.presentation.plots.workers import DrawingWorkers
from hepclf.training.cores import cores

AHEAD_S = 4.0  # for which the processes start before they are needed, as they do while a run is evaluated


def run() -> None:
    """Drawing in one process and in several, in turns."""
    results = train(GW(signals=10_000, noise=30_000), Fisher(), Trainer()).results
    with tempfile.TemporaryDirectory() as folder:

        def serial() -> None:
            draw(results, Path(folder, "serial"))

        with DrawingWorkers(cores()) as workers:
            time.sleep(AHEAD_S)

            def several() -> None:
                draw(results, Path(folder, "several"), workers=workers)

            one, many = rounds(serial, several)
        pictures = len(list(Path(folder, "several").glob("*.png")))
    print(f"load {os.getloadavg()[0]:.1f}\n\n| pictures | processes | one process, s | several, s | several / one |")
    print("|---|---|---|---|---|")
    seconds = [f"{statistics.median(times):.1f}" for times in (one, many)]
    print(f"| {pictures} | {cores()} | {' | '.join(seconds)} | {ratio(many, one)} |")
