from __future__ import annotations

import logging

import pytest
import torch

from hepclf.training.blocks import LEAST, Blocks, largest_fitting, limit, shortage
from hepclf.training.memory import DeviceMemoryError

CPU = torch.device("cpu")


def squares(most, sizes):
    """A function of a block that has memory for so many rows; it notes how many it is asked for."""

    def square(rows):
        sizes.append(rows.stop - rows.start)
        if sizes[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.arange(rows.start, rows.stop) ** 2

    return square


def test_blocks_that_do_not_fit_are_halved_and_stay_so(caplog):
    blocks, sizes = Blocks(400), []
    for _ in range(2):
        assert torch.equal(torch.cat(list(blocks.values(1001, squares(130, sizes), CPU))), torch.arange(1001) ** 2)
    assert sizes == [400, 200, *[100] * 10, 1, *[100] * 10, 1]
    assert caplog.messages == ["cpu is short of memory: events are scored 100 at a time, not 400"]


def test_where_memory_suffices_nothing_changes_and_nothing_is_told(caplog):
    caplog.set_level(logging.DEBUG)
    sizes = []
    assert len(torch.cat(list(Blocks(400).values(1001, squares(400, sizes), CPU)))) == 1001
    assert (sizes, caplog.messages) == ([400, 400, 201], [])
    assert list(Blocks(400).values(0, squares(400, sizes), CPU)) == []


def test_not_even_the_smallest_block_is_an_error_of_one_line():
    sizes = []
    line = "the network, for 32 events, needs more memory than this machine grants; use a smaller one or a machine"
    with pytest.raises(DeviceMemoryError, match=line):
        list(Blocks(100).values(1000, squares(0, sizes), CPU))
    assert sizes == [100, 50, LEAST]


def test_another_error_of_a_block_is_left_as_it_is():
    def fail(_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        list(Blocks(100).values(1000, fail, CPU))


@pytest.mark.parametrize(("most", "expected"), [(5000, 2048), (200, 128), (LEAST, LEAST), (LEAST - 1, None)])
def test_the_number_that_fits_is_found_by_halving(most, expected):
    tried = []
    assert largest_fitting(4096, lambda rows: tried.append(rows) or rows <= most, CPU) == expected
    assert tried[0] == 2048
    assert tried[-1] == (expected or LEAST)
    assert largest_fitting(LEAST, lambda _: True, CPU) is None


def test_a_gpu_says_how_much_of_its_memory_is_in_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 << 29, 80 << 30))
    gpu = torch.device("cuda", 1)
    assert limit(gpu) == "cuda:1 has (78.5 of 80.0 GiB in use)"
    assert shortage("it", gpu, "less").endswith("; use less or the cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_that_is_really_full_computes_in_smaller_blocks(caplog):
    gpu = torch.device("cuda", 0)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved(gpu) + (1 << 28)) / limit_bytes(gpu), gpu)
    try:
        wide = torch.ones(1 << 12, device=gpu)  # a row of 16 KiB: 2^18 rows take 4 GiB, and 256 MiB are there
        rows = list(Blocks(1 << 18).values(1 << 18, lambda block: wide.expand(length(block), -1).exp().sum(1), gpu))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, gpu)
    assert sum(map(len, rows)) == 1 << 18
    assert "cuda:0 is short of memory" in caplog.text


def length(block):
    return block.stop - block.start


def limit_bytes(gpu):
    return torch.cuda.get_device_properties(gpu).total_memory
