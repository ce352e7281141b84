"""Tables that are streamed from disk train as those in memory do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hepclf import disk
from hepclf.events import Events
from hepclf.models.logistic import Logistic
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training import table as tables
from hepclf.training.batches import Batches
from hepclf.training.blocks import Blocks
from hepclf.training.descent import Descent
from hepclf.training.mean_loss import mean_loss
from hepclf.training.table import Streamed, TensorTable
from hepclf.training.trainer import Trainer

EVENTS = 5000


@pytest.fixture
def both():
    """The same table streamed and in memory: inputs are twice the features."""
    features = np.arange(2 * EVENTS, dtype=np.float32).reshape(EVENTS, 2)
    targets, weights = torch.arange(EVENTS).float(), torch.arange(EVENTS).float() + 1
    names = ("a", "b")
    streamed = Streamed(features, lambda rows: 2 * rows, targets, weights, names)
    return streamed, TensorTable(torch.from_numpy(2 * features), targets, weights, names)


def test_rows_and_parts_are_those_of_the_table_in_memory(both):
    streamed, table = both
    for rows in (torch.randperm(EVENTS)[:700], torch.arange(3), torch.tensor([7, 7, 2])):
        assert all(
            torch.equal(one, other) for one, other in zip(streamed.take(rows)[:3], table.take(rows)[:3], strict=True)
        )
    one, other = streamed.part(4990, 5100), table.part(4990, 5100)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(one[:3], other[:3], strict=True))


@pytest.mark.parametrize("block", [1, 300, 4096, 100_000])
def test_the_order_holds_each_row_once(both, block):
    for each in both:
        assert torch.equal(each.order(block).sort().values, torch.arange(EVENTS))


def test_a_block_of_the_order_reads_few_runs_of_the_disk(both):
    streamed, _ = both
    for part in streamed.order(2048).split(2048):
        assert len(torch.unique(part // tables.RUN)) <= 2048 // tables.RUN + 2


def test_rows_within_a_block_are_shuffled(both):
    streamed, _ = both
    first = streamed.order(EVENTS)[:1000]
    assert float((first.diff() == 1).float().mean()) < 0.01


def test_an_epoch_meets_each_event_once(both):
    for each in both:
        met = torch.cat([part.targets for part in Batches(each, 64).since(0)])
        assert torch.equal(met.sort().values, torch.arange(EVENTS).float())


def test_the_mean_loss_is_that_of_the_table_in_memory(both):
    streamed, table = both
    network = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    targets = (torch.arange(EVENTS) % 2).float()
    losses = [mean_loss(network, each._replace(targets=targets), "cross_entropy", Blocks(999)) for each in both]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    assert isinstance(streamed, Streamed)
    assert isinstance(table, TensorTable)


def test_a_divergence_of_a_streamed_table_names_its_largest_input(both):
    streamed, _ = both
    network = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"largest input is 'b' with 2e\+04"):
        list(Descent(network, streamed, streamed, Trainer(epochs=2, learning_rate=1e30, optimiser="sgd")))


@pytest.fixture
def gaussians(tmp_path, monkeypatch):
    """Events of two Gaussians in a map that does not fit: an AUC of 0.8556 is the best there is."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 20_000)
    features = rng.normal(size=(len(labels), 3)).astype(np.float32)
    features[:, 1] += 1.5 * labels
    features[rng.random(len(labels)) < 0.01, 2] = np.nan
    features.tofile(tmp_path / "map")
    mapped = np.memmap(tmp_path / "map", dtype=np.float32, mode="r", shape=features.shape)
    monkeypatch.setattr(disk, "memory", lambda: 4 * features.nbytes // 10)
    monkeypatch.setattr(disk, "BLOCK", 10_000)
    return Events(features=mapped, labels=labels, names=("a", "b", "c"))


def trained(events):
    parts = np.arange(len(events)) % 4
    fit = PlainMLP(hidden=(16,)).fit(events.take(parts > 0), events.take(parts == 0), Trainer(epochs=6))
    history = list(fit)
    return fit.tagger(), history


def test_a_training_from_disk_is_as_good_as_one_in_memory(gaussians):
    tagger, history = trained(gaussians)
    again = Events(features=np.array(gaussians.features), labels=gaussians.labels, names=gaussians.names)
    other, others = trained(again)
    assert disk.mapped(gaussians.take(np.arange(15_000)).features) is not None
    assert disk.mapped(again.features) is None
    assert history[-1].valid_loss == pytest.approx(others[-1].valid_loss, abs=0.004)  # seen: 0.0001 to 0.0015
    assert np.corrcoef(tagger.scores(gaussians), other.scores(again))[0, 1] > 0.99
    assert tagger.scores(gaussians) == pytest.approx(tagger.scores(again), abs=1e-12)


def test_a_training_from_disk_repeats_itself(gaussians):
    first, second = trained(gaussians)[1], trained(gaussians)[1]
    assert [epoch[:4] for epoch in first] == [epoch[:4] for epoch in second]


def test_newton_says_that_it_needs_the_memory(gaussians):
    with pytest.raises(ValueError, match=r"solver=newton holds its table in memory, where 15,000 events do not fit"):
        Logistic(solver="newton").fit(gaussians.take(np.arange(15_000)), gaussians.take(np.arange(9)), Trainer())
