"""Ranks: two processes train as one does, fail together, and each sees its share alone."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest
import torch

from hepclf.models.mlp_plain import PlainMLP
from hepclf.run import Stopped
from hepclf.training import ranks as ranks_module
from hepclf.training.batches import Batches
from hepclf.training.decorrelate import Decorrelate
from hepclf.training.launchers import meeting_place
from hepclf.training.ranks import ALONE, Halt, Ranks, check_started, joined
from hepclf.training.table import RUN, Streamed, TensorTable
from hepclf.training.trainer import Trainer

PROGRAM = Path(__file__).parent / "pair.py"


@pytest.fixture(scope="module")
def alone():
    """The program of the two ranks as a module, to do the same alone."""
    specification = importlib.util.spec_from_file_location("pair", PROGRAM)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """What two ranks got."""
    path = tmp_path_factory.mktemp("pair") / "results.json"
    _store, places = meeting_place(2)
    command = [sys.executable, str(PROGRAM), str(path)]
    processes = [subprocess.Popen(command, env=os.environ | place | {"OMP_NUM_THREADS": "1"}) for place in places]
    try:
        assert [process.wait(120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", ["float64", "float64, SGD", "a rank without rows", "three rows a batch"])
def test_two_ranks_end_with_the_weights_of_one(name, alone, pair):
    one, two = alone.CASES[name](), pair[name]
    assert two["weights"] == pytest.approx(one["weights"], abs=1e-9)
    assert two["losses"][0][1] == pytest.approx(one["losses"][0][1], abs=1e-9)
    assert two["losses"][0][0] == pytest.approx(one["losses"][0][0], rel=1e-6)  # the sum is kept in float32


@pytest.mark.parametrize("name", ["float32, SGD", "disk"])
def test_in_float32_they_do_so_to_rounding(name, alone, pair):
    assert pair[name]["weights"] == pytest.approx(alone.CASES[name]()["weights"], abs=1e-5)


def test_adam_reaches_the_same_validation_loss(alone, pair):
    one, two = alone.CASES["Adam"](), pair["Adam"]
    assert [losses[1] for losses in two["losses"]] == pytest.approx([losses[1] for losses in one["losses"]], abs=1e-4)


def test_two_trainings_of_two_ranks_are_equal_to_the_last_bit(pair):
    assert pair["dropout"] == pair["dropout again"]


def test_two_ranks_go_on_from_a_state_to_the_last_bit(pair):
    undisturbed, resumed = pair["resumed"]
    assert len(undisturbed) == 1
    assert undisturbed == resumed


def test_what_happens_to_one_rank_reaches_all(alone, pair):
    nan, exception = (pair["errors"][name] for name in ("not a number", "an exception"))
    assert nan[0] == nan[1]
    assert "the training loss is nan in epoch 1" in nan[0]
    assert exception == ["ValueError: process 1 of 2 failed: the disk is gone", "OSError: the disk is gone"]
    # The ranks are still in step.
    assert pair["after all"]["weights"] == pytest.approx(alone.trained(alone.table(torch.float64))["weights"], abs=1e-9)


def tables():
    features = np.arange(2 * 9 * RUN, dtype=np.float32).reshape(-1, 2)[: 9 * RUN - 13]
    targets = torch.arange(len(features)).float()
    shared = (targets, torch.ones(len(targets)), ("a", "b"))
    return TensorTable(torch.from_numpy(features), *shared), Streamed(features, lambda rows: rows, *shared)


@pytest.mark.parametrize(("ranks", "batch"), [(2, 100), (3, 1000), (3, 5000), (5, 3)])
def test_the_shares_of_the_ranks_make_each_batch(ranks, batch):
    for table in tables():
        shares = []
        for rank in (None, *range(ranks)):
            torch.manual_seed(3)
            group = ALONE if rank is None else Ranks(rank, ranks)
            batches = Batches(table, batch, group)
            parts = islice(batches.since(1), 100)
            shares.append([part.targets[part.weights > 0].tolist() for part in parts])
            assert sum(batches.sizes) == len(table.targets)
        for whole, *parts in zip(*shares, strict=True):
            assert sorted(chain.from_iterable(parts)) == sorted(whole)
            if isinstance(table, TensorTable):
                assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_each_rank_draws_its_own_dropout():
    assert [Ranks(rank, 2).seeds for rank in range(2)] == [(0,), (1,)]
    assert ALONE.seeds == ()


def test_a_rank_reads_its_own_runs_of_the_disk_alone():
    _, table = tables()
    runs = [
        {int(row) // RUN for part in Batches(table, 256, Ranks(rank, 2)).since(0) for row in part.targets.tolist()}
        for rank in range(2)
    ]
    assert runs == [{0, 2, 4, 6, 8}, {1, 3, 5, 7}]


def test_one_device_trains_alone_among_others(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with joined(1) as ranks:
        assert ranks is ALONE


def test_more_devices_than_there_are_processes_are_refused():
    check_started(1)
    check_started(None)
    with pytest.raises(ValueError, match=r"trainer\.devices must be 1 \(or null\) here, not 2"):
        check_started(2)


def test_what_needs_whole_batches_is_refused(gaussians, monkeypatch):
    events = gaussians(events=100)
    with pytest.raises(ValueError, match=r"trainer\.devices must be 1 with trainer\.decorrelate, .*, not 2; use"):
        Trainer(decorrelate=Decorrelate(spectator="mass")).check_ranks(2)
    with pytest.raises(ValueError, match=r"trainer\.device must be auto, cpu or cuda with .*=2, not cuda:1"):
        Trainer(device="cuda:1").check_ranks(2)
    monkeypatch.setattr(ranks_module, "_group", Ranks(0, 2))
    with pytest.raises(ValueError, match=r"trainer\.devices must be 1 with batch normalisation, .*, not 2; use"):
        PlainMLP(norm="batch").fit(events, events, Trainer())


def test_alone_an_error_stays_as_it_is():
    with pytest.raises(KeyError), ALONE.together():
        raise KeyError
    assert ALONE.agree(None) is None
    assert isinstance(Halt("SIGTERM", is_stop=True).error, Stopped)
