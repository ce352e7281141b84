from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from hepclf.training.memory import DeviceMemoryError, explained, is_out_of_memory

CPU_TEXT = (
    "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError(CPU_TEXT),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        MemoryError(),
    ],
)
def test_an_error_of_memory_is_known_by_its_class_or_its_text(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory")]
)
def test_another_error_is_none_of_memory(error):
    assert not is_out_of_memory(error)
    with pytest.raises(type(error), match=str(error)), explained(lambda: "never asked for"):
        raise error


def test_what_pytorch_and_numpy_say_of_too_large_an_array_is_recognised():
    for make in (lambda: torch.empty(1 << 60), lambda: np.empty(1 << 58)):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            make()
        assert is_out_of_memory(caught.value)


def test_the_text_is_asked_for_when_the_tensors_of_what_failed_are_free():
    tensors = []

    def fail():
        tensor = torch.zeros(3)
        tensors.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError(str(len(tensor)))

    def text():
        gc.collect()
        return f"{sum(tensor() is not None for tensor in tensors)} left"

    with pytest.raises(DeviceMemoryError, match=r"^0 left$"), explained(text):
        fail()


def test_a_line_that_is_there_already_stays():
    with pytest.raises(DeviceMemoryError, match=r"^inner$"), explained(lambda: "outer"), explained(lambda: "inner"):
        raise MemoryError
