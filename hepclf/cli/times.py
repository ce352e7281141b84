"""The time of a run by stages, in one line."""

from __future__ import annotations

from collections.abc import Mapping

# The stages of environment.json, and their names for a person.
STAGES = {
    "loading": "reading",
    "checking": "preparing",
    "training": "training",
    "validation": "validation",
    "scoring": "scoring",
    "storing": "writing",
    "evaluating": "evaluation",
    "drawing": "drawing",
}
LEAST = 0.01  # share of the whole below which a stage is not named


def time_line(seconds: Mapping[str, float]) -> str:
    """The total time, and that of each stage which took at least one percent of it."""
    total, validation = seconds["total"], seconds.get("validation", 0.0)  # a part of the training, told apart from it
    stages = {**seconds, "training": seconds.get("training", 0.0) - validation}
    parts = [f"{name} {stages[stage]:.1f}" for stage, name in STAGES.items() if stages.get(stage, 0.0) >= LEAST * total]
    return f"time   {total:.1f} s: {', '.join(parts)}"
