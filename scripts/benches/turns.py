"""Times measured in turns, and what they come to."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ROUNDS = 7
PAUSE_S = 0.2


def rounds(*loops: Callable[[], None], count: int = ROUNDS) -> list[list[float]]:
    """Seconds of each loop in each round, the loops taking turns after one round that is not counted.

    Each round begins with another loop, and each loop after a pause: threads of libraries spin for a while after their
    work, which slows the loop that follows them.
    """
    times: list[list[float]] = [[] for _ in loops]
    for number in range(count + 1):
        for place in range(len(loops)):
            index = (number + place) % len(loops)
            time.sleep(PAUSE_S)
            started = time.perf_counter()
            loops[index]()
            if number:
                times[index].append(time.perf_counter() - started)
    return times


def ratio(of: list[float], to: list[float]) -> str:
    """Median of the rounds' ratios, and their lowest and highest."""
    found = sorted(a / b for a, b in zip(of, to, strict=True))
    return f"{statistics.median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})"


def peak(code: str, *arguments: str) -> float:
    """The most memory in MiB that a new Python process takes for this code, above what it held at `begin()`."""
    done = subprocess.run([sys.executable, "-c", HELD + code + END, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1])


# VmHWM, as ru_maxrss starts at the peak of the parent.
HELD = """
import sys
def held(what):
    line = next(line for line in open("/proc/self/status") if line.startswith(what))
    return float(line.split()[1]) / 1024
def begin():
    global base
    base = held("VmRSS")
"""
END = """
print(held("VmHWM") - base)
"""
