from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

from hepclf.training import batches as batches_module
from hepclf.training.batches import Batches
from hepclf.training.blocks import Blocks
from hepclf.training.descent import EDGE, Descent
from hepclf.training.mean_loss import mean_loss
from hepclf.training.memory import DeviceMemoryError
from hepclf.training.table import TensorTable
from hepclf.training.trainer import Trainer

NAMES = ("x0", "x1")


def table(events=2000, seed=0, weights=None):
    rng = np.random.default_rng(seed)
    labels = np.arange(events) % 2
    inputs = rng.normal(size=(events, 2)) + 1.5 * labels[:, None]
    return TensorTable(
        torch.tensor(inputs, dtype=torch.float32),
        torch.tensor(labels, dtype=torch.float32),
        torch.ones(events) if weights is None else torch.tensor(weights, dtype=torch.float32),
        NAMES,
    )


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))


def test_training_comes_close_to_the_best_possible_loss():
    # Two unit Gaussians 1.5 apart in each of two dimensions; the best loss is that of the exact ratio.
    train, valid = table(20_000, 1), table(20_000, 2)
    exact = valid.inputs.sum(1) * 1.5 - 1.5**2
    best = nn.functional.binary_cross_entropy_with_logits(exact, valid.targets).item()
    *_, last = Descent(network(), train, valid, Trainer(epochs=10, learning_rate=0.02, batch=256))
    assert last.valid_loss / best < 1.01  # measured 1.0012 to 1.0041 over ten seeds


@pytest.mark.parametrize("optimiser", ["adamw", "adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "plateau"])
def test_every_optimiser_and_schedule_lowers_the_loss(optimiser, schedule):
    trainer = Trainer(epochs=4, batch=100, optimiser=optimiser, schedule=schedule, learning_rate=0.01)
    made, valid = network(), table(seed=1)
    before = mean_loss(made, valid, "cross_entropy")
    history = list(Descent(made, table(), valid, trainer))
    assert history[-1].valid_loss < 0.6 * before
    assert history[-1].valid_loss == mean_loss(made, valid, "cross_entropy")
    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4]
    if schedule == "constant":
        assert {epoch.learning_rate for epoch in history} == {0.01}
    if schedule == "cosine":
        rates = [0.01 * (1 + math.cos(math.pi * i / 4)) / 2 for i in range(4)]
        assert [epoch.learning_rate for epoch in history] == pytest.approx(rates)


def test_plateau_lowers_the_rate_when_the_loss_stays():
    trainer = Trainer(epochs=12, batch=512, schedule="plateau", optimiser="sgd", learning_rate=1e-6)
    rates = [epoch.learning_rate for epoch in Descent(network(), table(), table(), trainer)]
    assert rates[-1] < rates[0]


def test_the_same_seed_gives_the_same_numbers_and_leaves_the_callers_random_state_alone():
    trainer = Trainer(epochs=3, seed=5)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    dropout = [nn.Sequential(network(), nn.Dropout(0.5)) for _ in range(2)]
    torch.set_rng_state(state)
    first = [epoch[1:4] for epoch in Descent(dropout[0], table(), table(seed=1), trainer)]
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    second = [epoch[1:4] for epoch in Descent(dropout[1], table(), table(seed=1), trainer)]
    assert first == second
    other = list(Descent(network(), table(), table(seed=1), Trainer(epochs=1, seed=6)))
    assert other[0].train_loss != first[0][0]


def test_the_reported_losses_are_weighted_means():
    weights = np.random.default_rng(3).exponential(size=2000)
    part, made = table(weights=weights), network()
    each = nn.functional.binary_cross_entropy_with_logits(made(part.inputs), part.targets, reduction="none")
    expected = float((each.detach().double().numpy() * weights).sum() / weights.sum())
    assert mean_loss(made, part, "cross_entropy") == pytest.approx(expected, rel=1e-6)
    assert mean_loss(made, part, "cross_entropy", Blocks(7)) == pytest.approx(expected, rel=1e-6)
    frozen = Trainer(epochs=1, optimiser="sgd", learning_rate=1e-12, momentum=0.0)
    (epoch,) = Descent(made, part, part, frozen)
    assert epoch.train_loss == pytest.approx(expected, rel=1e-5)
    assert epoch.valid_loss == pytest.approx(expected, rel=1e-5)


def test_a_weight_counts_as_that_many_events():
    # Full-batch descent on an event of weight three equals descent on three such events.
    one = table(60, weights=np.where(np.arange(60) < 20, 3.0, 1.0))
    rows = torch.cat([torch.arange(60), torch.arange(20).repeat(2)])
    many = TensorTable(one.inputs[rows], one.targets[rows], torch.ones(100), NAMES)
    scaled = one._replace(weights=one.weights * 60 / 100)
    trainer = Trainer(epochs=5, batch=1000, optimiser="sgd", learning_rate=0.1)
    first, second = network(), network()
    list(Descent(first, scaled, one, trainer))
    list(Descent(second, many, one, trainer))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_l2_shrinks_weights_and_matches_its_gradient():
    part = table(100)
    plain, shrunk = network(), network()
    trainer = Trainer(epochs=1, batch=100, optimiser="sgd", learning_rate=0.1, momentum=0.0)
    list(Descent(plain, part, part, trainer))
    list(Descent(shrunk, part, part, trainer, l2=0.3))
    start = network()
    for before, a, b in zip(start.parameters(), plain.parameters(), shrunk.parameters(), strict=True):
        extra = 0.1 * 2 * 0.3 * before if before.ndim > 1 else 0 * before
        assert torch.allclose(b, a - extra, atol=1e-6)


def test_clipping_bounds_a_step():
    part, made, start = table(100), network(), network()
    trainer = Trainer(epochs=1, batch=100, optimiser="sgd", learning_rate=1.0, momentum=0.0, clip=1e-3)
    list(Descent(made, part, part, trainer))
    moved = sum(((a - b).detach() ** 2).sum() for a, b in zip(made.parameters(), start.parameters(), strict=True))
    assert math.sqrt(moved.item()) == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize(("events", "batch"), [(10, 3), (10, 10), (10, 100), (7, 3), (1, 4), (13, 4), (9, 4)])
def test_each_event_is_in_exactly_one_batch(events, batch, monkeypatch):
    monkeypatch.setattr(batches_module, "BLOCK", 8)
    part = TensorTable(torch.arange(events)[:, None].float(), torch.zeros(events), torch.ones(events), ("x",))
    batches = [each.inputs[:, 0].tolist() for each in Batches(part, batch).since(0)]
    assert sorted(chain.from_iterable(batches)) == list(range(events))
    assert all(len(each) <= batch + 1 for each in batches)
    assert events == 1 or all(len(each) > 1 for each in batches)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 5, 6])
def test_a_pass_that_begins_later_has_the_same_batches_from_there_on(first, monkeypatch):
    monkeypatch.setattr(batches_module, "BLOCK", 8)
    part = TensorTable(torch.arange(20)[:, None].float(), torch.zeros(20), torch.ones(20), ("x",))
    batches = Batches(part, 3)
    remaining = [batch.inputs[:, 0].tolist() for batch in batches.since(first)]
    assert remaining == [batch.inputs[:, 0].tolist() for batch in batches.since(0)][first:]
    assert len(remaining) == len(batches) - first


def test_batches_are_shuffled_anew_and_keep_rows_together():
    part = TensorTable(torch.arange(50)[:, None].float(), torch.arange(50).float(), torch.arange(50).float(), ("x",))
    seen = []
    for _ in range(2):
        for inputs, targets, weights, *_ in Batches(part, 50).since(0):
            assert torch.equal(inputs[:, 0], targets)
            assert torch.equal(targets, weights)
            seen.append(targets.tolist())
    assert seen[0] != seen[1]


def test_a_loss_that_is_not_finite_names_epoch_rate_and_largest_input():
    part = table(100)
    part.inputs[3, 1] = 1e30
    trainer = Trainer(epochs=3, optimiser="sgd", learning_rate=1e20)
    with pytest.raises(ValueError, match=r"loss is \w+ in epoch 1 at learning rate 1e\+20; .*'x1' with 1e\+30"):
        list(Descent(nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)), part, part, trainer))


def test_with_an_average_the_validation_loss_is_its_own():
    made, valid = network(), table(seed=1)
    descent = Descent(made, table(), valid, Trainer(epochs=2, batch=100, learning_rate=0.05), average=True)
    history = list(descent)
    assert history[-1].valid_loss != mean_loss(made, valid, "cross_entropy")
    made.load_state_dict(descent.kept)
    assert descent.best.loss == mean_loss(made, valid, "cross_entropy")


def snapshot(state, path=""):
    """All tensors and plain values of a nested state by their path, tensors as bytes."""
    if isinstance(state, dict):
        inner = {key: value for key, value in state.items() if key != "seconds"}
        return {name: value for key in inner for name, value in snapshot(state[key], f"{path}/{key}").items()}
    return {path: state.numpy().tobytes() if isinstance(state, torch.Tensor) else state}


@pytest.mark.parametrize("optimiser", ["adamw", "adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "plateau"])
def test_a_descent_that_is_stored_after_any_epoch_goes_on_as_if_it_had_not_stopped(optimiser, schedule):
    trainer = Trainer(epochs=6, batch=64, optimiser=optimiser, schedule=schedule, learning_rate=0.01, clip=1.0)

    def descent():
        torch.manual_seed(0)
        body = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1), nn.Flatten(0))
        return Descent(body, table(300), table(200, seed=1), trainer, l2=1e-3, average=True)

    whole, undisturbed = descent(), []
    for epoch in whole:
        undisturbed.append((epoch[:4], snapshot(whole.state())))
    going = descent()
    for expected, state in undisturbed:
        resumed = descent()
        resumed.restore(going.state())  # a fresh object for each epoch
        assert next(iter(resumed))[:4] == expected
        assert snapshot(resumed.state()) == state
        going = resumed


def test_a_descent_that_is_stored_at_every_edge_goes_on_as_if_it_had_not_stopped():
    trainer = Trainer(epochs=2, batch=4, learning_rate=0.01, schedule="one_cycle")

    def descent():
        torch.manual_seed(0)
        body = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1), nn.Flatten(0))
        return Descent(body, table(4 * (2 * EDGE + 5)), table(200, seed=1), trainer, average=True)

    whole = descent()
    undisturbed = [(epoch and epoch[:4], snapshot(whole.state())) for epoch in whole.edges()]
    assert [epoch is None for epoch, _ in undisturbed] == [True, True, False] * 2
    going = descent()
    for expected, state in undisturbed:
        resumed = descent()
        resumed.restore(going.state())
        torch.rand(7)  # what else draws random numbers meanwhile has no influence
        epoch = next(resumed.edges())
        assert (epoch and epoch[:4]) == expected
        assert snapshot(resumed.state()) == state
        going = resumed


def test_a_loss_that_is_not_finite_is_met_at_the_next_edge():
    part, steps = table(4 * 3 * EDGE), []
    part.inputs[:, 1] = 1e30
    body = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    body.register_forward_hook(lambda *_: steps.append(1))
    with pytest.raises(ValueError, match="the training loss is nan in epoch 1"):
        list(Descent(body, part, part, Trainer(epochs=3, batch=4, optimiser="sgd", learning_rate=1e20)))
    assert len(steps) == EDGE


def test_a_stored_state_is_a_copy():
    descent = Descent(network(), table(), table(seed=1), Trainer(epochs=3, batch=64), average=True)
    next(iter(descent))
    state = descent.state()
    before = snapshot(state)
    list(descent)
    assert snapshot(state) == before


class Narrow(nn.Module):
    """A network whose device has memory for so many rows at once."""

    def __init__(self, most):
        super().__init__()
        self.inner, self.most = network(), most

    def forward(self, inputs):
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.inner(inputs)


@pytest.mark.parametrize(("events", "most", "expected"), [(2000, 300, 256), (2000, 32, 32), (700, 200, 175)])
def test_a_step_that_needs_too_much_memory_names_a_batch_that_would_fit(events, most, expected):
    line = f"trainer.batch=1024 needs more memory than this machine grants; trainer.batch={expected} would fit"
    with pytest.raises(DeviceMemoryError, match=f"^{line}: start a new run with it$"):
        list(Descent(Narrow(most), table(events), table(), Trainer(epochs=2, batch=1024)))


def test_a_batch_that_fits_by_trial_fits_a_new_training():
    trainer = Trainer(epochs=1, batch=1024)
    with pytest.raises(DeviceMemoryError, match="would fit") as caught:
        list(Descent(Narrow(100), table(), table(), trainer))
    batch = int(str(caught.value).split("trainer.batch=")[2].split()[0])
    assert len(list(Descent(Narrow(100), table(), table(), Trainer(epochs=1, batch=batch)))) == 1


def test_where_no_batch_fits_the_line_says_so():
    line = "needs more memory than this machine grants, whatever trainer.batch is; use a smaller network, fewer events"
    for batch in (1024, 16):
        with pytest.raises(DeviceMemoryError, match=line):
            list(Descent(Narrow(15), table(), table(), Trainer(epochs=1, batch=batch)))


def test_another_error_of_a_step_stays_as_it_is():
    class Broken(Narrow):
        def forward(self, inputs):  # noqa: ARG002
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        list(Descent(Broken(1), table(), table(), Trainer(epochs=1)))


def test_the_validation_set_goes_through_in_blocks_that_fit_and_the_losses_are_the_same(caplog):
    trainer = Trainer(epochs=2, batch=64)
    narrow, wide = (list(Descent(Narrow(most), table(), table(seed=1), trainer)) for most in (100, 4000))
    assert [epoch.train_loss for epoch in narrow] == [epoch.train_loss for epoch in wide]
    assert [epoch.valid_loss for epoch in narrow] == pytest.approx([epoch.valid_loss for epoch in wide], rel=1e-6)
    assert caplog.messages == ["cpu is short of memory: events are scored 62 at a time, not 16384"]
