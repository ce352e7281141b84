from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from hepclf import disk
from hepclf.disk import mapped, spilled
from hepclf.models import rows
from hepclf.models.logistic import Logistic
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training.residency import place
from hepclf.training.table import Streamed
from hepclf.training.trainer import Trainer

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
MODEL, TRAINER = PlainMLP(hidden=(8,)), Trainer(epochs=2, batch=64)


@pytest.mark.parametrize(
    ("residency", "device", "is_on_disk", "expected"),
    [
        ("auto", CPU, False, "device"),
        ("auto", CPU, True, "disk"),
        ("auto", GPU, True, "disk"),
        ("device", CPU, True, "device"),
        ("disk", CPU, False, "disk"),
        ("pinned", GPU, False, "pinned"),
    ],
)
def test_a_table_lives_where_it_fits_or_where_the_setting_says(residency, device, is_on_disk, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1 << 30, 1 << 30))
    assert place(residency, 1000, device, is_on_disk=is_on_disk) == expected


def test_a_table_that_fills_half_of_a_gpu_stays_in_the_memory_of_the_machine(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1000, 4000))
    assert [place("auto", size, GPU, is_on_disk=False) for size in (500, 501)] == ["device", "pinned"]


def test_a_place_that_does_not_exist_is_refused(monkeypatch):
    with pytest.raises(
        ValueError, match=r"trainer\.residency must be auto, device or disk on the processor, not pinned"
    ):
        place("pinned", 1000, CPU, is_on_disk=False)
    monkeypatch.setattr(disk, "memory", lambda: 10**9)
    line = r"trainer.residency must be auto or disk for a table of 2 GB, not device: this process may use 1 GB"
    with pytest.raises(ValueError, match=line):
        place("device", 2 * 10**9, CPU, is_on_disk=True)


def losses(events, trainer):
    return [epoch[:4] for epoch in MODEL.fit(events, events, trainer)]


def test_rows_that_are_read_ahead_in_blocks_give_the_losses_of_those_on_the_device_bit_for_bit(gaussians, monkeypatch):
    events = gaussians(events=1000)
    resident = losses(events, TRAINER)
    monkeypatch.setattr(rows, "RUN", 1)  # the order of rows of a table in memory
    monkeypatch.setattr("hepclf.training.batches.BLOCK", 128)  # eight blocks an epoch
    assert losses(events, replace(TRAINER, residency="disk")) == resident


def test_a_table_in_memory_trains_from_disk_as_one_that_the_loader_left_there(gaussians, caplog):
    caplog.set_level(logging.INFO, "hepclf.notes")
    events = gaussians(events=1000)
    on_disk = replace(events, features=spilled(events.features))
    assert losses(events, replace(TRAINER, residency="disk")) == losses(on_disk, TRAINER)
    assert caplog.messages == ["training: 1,000 rows on disk, read ahead in blocks"] * 2
    caplog.clear()
    assert losses(on_disk, replace(TRAINER, residency="device")) == losses(events, TRAINER)
    assert caplog.messages == ["training: 1,000 rows in memory"]


def test_a_spilled_table_is_the_same_and_its_file_has_no_name(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(disk, "BLOCK", 1000)
    table = np.arange(3000, dtype=np.float32).reshape(1000, 3)
    map_of_it = spilled(table[:, ::-1])
    assert mapped(map_of_it) is not None
    assert np.array_equal(map_of_it, table[:, ::-1])
    assert list(tmp_path.iterdir()) == []


def test_the_exact_solution_says_that_it_needs_the_memory(gaussians):
    events = gaussians(events=100)
    with pytest.raises(ValueError, match="solver=newton holds its table in memory"):
        Logistic(solver="newton").fit(events, events, Trainer(residency="disk"))


def test_rows_in_the_memory_of_the_machine_have_the_order_of_those_on_the_device():
    features = np.arange(40, dtype=np.float32).reshape(20, 2)
    table = Streamed(features, lambda part: part, torch.zeros(20), torch.ones(20), ("a", "b"), run=1)
    torch.manual_seed(3)
    order = table.order(8)
    torch.manual_seed(3)
    assert torch.equal(order, torch.randperm(20))
