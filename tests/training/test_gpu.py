"""What only a GPU can show; `scripts/gpu` runs these."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training.launchers import meeting_place
from hepclf.training.trainer import Trainer

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]
TRAINER = Trainer(epochs=2, batch=64, device="cuda")


@pytest.mark.parametrize("model", [PlainMLP(hidden=(16,)), MLP(hidden=(8,), members=2, dropout=0.0)])
def test_a_network_learns_on_the_gpu_as_on_the_processor(model, gaussians):
    train, valid = gaussians(events=4000), gaussians(events=2000, seed=1)
    losses = [
        [epoch.valid_loss for epoch in model.fit(train, valid, replace(TRAINER, device=device))]
        for device in ("cuda", "cpu")
    ]
    assert losses[0] == pytest.approx(losses[1], abs=0.01)  # other orders move them by up to 0.002


def test_a_tagger_scores_on_the_gpu_as_on_the_processor(gaussians):
    events = gaussians(events=3000)
    fit = PlainMLP(hidden=(16,)).fit(events, events, TRAINER)
    list(fit)
    tagger = fit.tagger()
    assert tagger.device.startswith("cuda")
    assert np.allclose(tagger.scores(events), tagger.to("cpu").scores(events), atol=1e-5)


def test_a_training_on_the_gpu_goes_on_from_its_state(gaussians):
    events = gaussians(events=6000)
    one, other = (PlainMLP(hidden=(16,), dropout=0.3).fit(events, events, replace(TRAINER, batch=16)) for _ in range(2))
    pauses = one.edges()
    list(islice(pauses, 2))
    other.restore(one.state())
    losses = [[epoch.valid_loss for epoch in edges if epoch] for edges in (pauses, other.edges())]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="no two GPUs")
def test_two_gpus_train_as_one(tmp_path):
    program, path = Path(__file__).parent / "pair.py", tmp_path / "results.json"
    _store, places = meeting_place(2)
    command = [sys.executable, str(program), str(path), "cuda"]
    processes = [subprocess.Popen(command, env=os.environ | place) for place in places]
    assert [process.wait(120) for process in processes] == [0, 0]
    specification = importlib.util.spec_from_file_location("pair", program)
    alone = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(alone)
    alone.DEVICE = torch.device("cuda")
    weights = json.loads(path.read_text())["float64"]["weights"]
    assert weights == pytest.approx(alone.CASES["float64"]()["weights"], abs=1e-9)
