"""The lowest validation loss over five seeds, by batch, precision and residency; it measures no times."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from hepclf.data.gw import GW
from hepclf.events import Events
from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.network import Network
from hepclf.training.trainer import RATE, Trainer
from hepclf.workflow.job import Job
from hepclf.workflow.prepare import prepare

MODELS: Mapping[str, Network] = {"mlp_plain": PlainMLP(), "mlp": MLP()}
SEEDS = range(5)
# Triggers, of which 60 % train and 20 % validate, and the settings beside the defaults.
CASES: Mapping[int, tuple[dict[str, Any], ...]] = {
    80_000: (
        {},
        {"batch": "auto"},
        {"batch": 1024, "learning_rate": 2 * RATE},
        {"batch": 1024, "learning_rate": 4 * RATE},
        {"precision": "bf16"},
        {"residency": "disk"},
    ),
    1_000_000: (
        {},
        {"batch": "auto"},
        {"batch": 1024, "learning_rate": 4 * RATE},
    ),
}


def triggers(count: int) -> tuple[Events, Events]:
    """Training and validation events of so many triggers."""
    prepared = prepare(Job.of(GW(signals=count // 4, noise=count - count // 4), PlainMLP()))
    return prepared.part("train"), prepared.part("valid")


def lowest_loss(model: Network, train: Events, valid: Events, trainer: Trainer) -> float:
    """The validation loss of the epoch that the tagger is made of."""
    return min(epoch.valid_loss for epoch in model.fit(train, valid, trainer))


def run() -> None:
    """Print a row for each case; with the strong network and a million triggers it takes hours."""
    print("| triggers | model | settings | validation loss |")
    print("|---|---|---|---|")
    for count, cases in CASES.items():
        train, valid = triggers(count)
        for name, model in MODELS.items():
            for settings in cases:
                losses = [lowest_loss(model, train, valid, Trainer(seed=seed, **settings)) for seed in SEEDS]
                words = ", ".join(f"{key}={value}" for key, value in settings.items()) or "defaults"
                mean, spread = statistics.mean(losses), statistics.stdev(losses)
                print(f"| {count:,} | {name} | {words} | {mean:.5f} ± {spread:.5f} |", flush=True)
