from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import nn

from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.training import precision
from hepclf.training.precision import Products, check_precision, has_bf16
from hepclf.training.trainer import Trainer

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
FINE = 1 + 2**-9  # a weight that bf16, with seven bits behind the first, rounds to 1


@pytest.fixture
def capable(monkeypatch):
    """A processor with bf16 instructions: those of any other compute the same, slowly."""
    monkeypatch.setattr(precision, "has_bf16", lambda _: True)


@pytest.fixture
def linear():
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, FINE)
    return layer


@pytest.mark.usefixtures("capable")
def test_bf16_rounds_what_goes_into_a_product_and_nothing_else(linear):
    ones = torch.ones(4, 1)
    assert Products("float32", CPU).logits(linear, ones)[0].item() == FINE
    assert Products("auto", CPU).logits(linear, ones)[0].item() == FINE
    logits = Products("bf16", CPU).logits(linear, ones)
    assert (logits[0].item(), logits.dtype) == (1.0, torch.float32)
    logits.sum().backward()
    assert (linear.weight.dtype, linear.weight.grad.dtype, linear.weight.item()) == (torch.float32, torch.float32, FINE)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 amx_tile", True),
        ("flags\t\t: fpu amx_bf16", True),
        ("Features\t: fp asimd bf16", True),
        ("flags\t\t: fpu avx2 avx512f", False),
        ("", False),
    ],
)
def test_the_processor_says_whether_it_has_bf16(line, expected, tmp_path):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n")
    assert has_bf16(CPU, tmp_path / "cpuinfo") is expected
    assert has_bf16(CPU, tmp_path / "absent") is False


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_a_gpu_has_bf16_from_its_generation_on(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert has_bf16(GPU) is expected


def test_bf16_is_refused_where_software_would_emulate_it(monkeypatch):
    monkeypatch.setattr(precision, "has_bf16", lambda _: False)
    check_precision("auto", CPU)
    check_precision("float32", CPU)
    line = "trainer.precision must be auto or float32 on this processor, which has no bf16 instructions, not bf16"
    for refuse in (lambda: Products("bf16", CPU), lambda: PlainMLP().check(None, None, Trainer(precision="bf16"))):
        with pytest.raises(ValueError, match=line):
            refuse()


def test_a_gpu_multiplies_in_tf32_during_steps_alone_and_only_with_auto():
    matmul = torch.backends.cuda.matmul
    before = matmul.fp32_precision
    with Products("auto", GPU).steps():
        assert matmul.fp32_precision == "tf32"
    assert matmul.fp32_precision == before
    for products in (Products("float32", GPU), Products("auto", CPU)):
        with products.steps():
            assert matmul.fp32_precision == before


@pytest.mark.usefixtures("capable")
@pytest.mark.parametrize("model", [PlainMLP(hidden=(16,), norm="layer", dropout=0.1), MLP(hidden=(8,), members=2)])
def test_a_network_learns_in_bf16_repeats_itself_and_goes_on_from_its_state(model, gaussians):
    events, trainer = gaussians(events=536), Trainer(epochs=1, batch=8, precision="bf16")
    exact = [epoch.valid_loss for epoch in model.fit(events, events, replace(trainer, precision="float32"))]
    one, other = (model.fit(events, events, trainer) for _ in range(2))
    edges = one.edges()
    first = list(islice(edges, 1))
    other.restore(one.state())
    losses, again = ([epoch[:4] for epoch in rest if epoch] for rest in (edges, other.edges()))
    assert first == [None]
    assert losses == again
    assert losses == [epoch[:4] for epoch in model.fit(events, events, trainer)]
    assert [epoch[2] for epoch in losses] == pytest.approx(exact, rel=0.02)
    assert [epoch[2] for epoch in losses] != exact
