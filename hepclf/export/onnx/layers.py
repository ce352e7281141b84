"""The layers of a network as nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from hepclf.export.onnx.graph import DOUBLE, Graph, float32, int64
from hepclf.export.onnx.link import logistic
from hepclf.export.onnx.prepare import input_node
from hepclf.models.cnn import Convolutional, Summary
from hepclf.models.mlp import Embedding, Heads, Members, Shared
from hepclf.models.mlp_plain import Maxout
from hepclf.models.module import SingleOutput
from hepclf.models.network import NetworkTagger
from hepclf.models.pixels import BOUND, Pixels

END = np.iinfo(np.int64).max  # of a slice that goes on to the last column
LayerWriter = Callable[[Graph, Any, str], str]


def network_probabilities(graph: Graph, tagger: NetworkTagger, x: str) -> str:
    """Probabilities [n] or [n, k] of raw features [n, d], double; nan if the network's output is not finite."""
    outputs = layer_output(graph, tagger.module.body, input_node(graph, tagger.module.prepare, x))
    logits = graph.add("Cast", outputs, to=DOUBLE)
    probabilities = logistic(graph, logits, len(tagger.classes))
    return graph.add("Add", probabilities, graph.add("Sub", logits, logits))  # zero, or nan


def layer_output(graph: Graph, module: nn.Module, x: str) -> str:
    """The name of the output of this module for the input x."""
    writer = _WRITERS.get(type(module))
    if writer is None:
        raise ValueError(
            f"a layer {type(module).__name__} has no form in ONNX that hepclf knows; there are: "
            f"{', '.join(sorted(kind.__name__ for kind in _WRITERS))}"
        )
    return writer(graph, module, x)


def _sequence(graph: Graph, module: nn.Sequential, x: str) -> str:
    for layer in module:
        x = layer_output(graph, layer, x)
    return x


def _linear(graph: Graph, module: nn.Linear, x: str) -> str:
    bias = [] if module.bias is None else [float_constant(module.bias)]
    return graph.add("Gemm", x, float_constant(module.weight), *bias, transB=1)


def _batch(graph: Graph, module: nn.BatchNorm1d, x: str) -> str:
    terms = [float_constant(tensor) for tensor in (module.weight, module.bias, module.running_mean, module.running_var)]
    return graph.add("BatchNormalization", x, *terms, epsilon=module.eps)


def _layer(graph: Graph, module: nn.LayerNorm, x: str) -> str:
    return graph.add(
        "LayerNormalization", x, float_constant(module.weight), float_constant(module.bias), epsilon=module.eps
    )


def _gelu(graph: Graph, module: nn.GELU, x: str) -> str:  # noqa: ARG001
    share = graph.add("Add", graph.add("Erf", graph.add("Div", x, float32(math.sqrt(2)))), float32(1))
    return graph.add("Mul", graph.add("Mul", x, share), float32(0.5))


def _silu(graph: Graph, module: nn.SiLU, x: str) -> str:  # noqa: ARG001
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def _maxout(graph: Graph, module: Maxout, x: str) -> str:  # noqa: ARG001
    first, second = (graph.add("Slice", x, int64(i), int64(END), int64(1), int64(2)) for i in range(2))
    return graph.add("Max", first, second)


def _single(graph: Graph, module: SingleOutput, x: str) -> str:  # noqa: ARG001
    return graph.add("Reshape", x, int64(-1))


def _members(graph: Graph, module: Members, x: str) -> str:
    x = layer_output(graph, module.embedding, x)
    for layer in module.layers:
        x = layer_output(graph, module.activation, layer_output(graph, layer, x))
    return graph.add("ReduceMean", layer_output(graph, module.heads, x), axes=[0], keepdims=0)


def _embedding(graph: Graph, module: Embedding, x: str) -> str:
    columns = graph.add("Unsqueeze", x, int64(2))
    if module.shift.shape[1]:
        phase = graph.add(
            "Add", graph.add("Mul", columns, float_constant(module.frequency)), float_constant(module.phase)
        )
        waves = graph.add("Cos", graph.add("Mul", phase, float32(2 * math.pi)))
        mixed = graph.add("Einsum", waves, float_constant(module.mix), equation="ndf,dfs->nds")
        columns = graph.add("Concat", columns, graph.add("Add", mixed, float_constant(module.shift)), axis=2)
    joined = graph.add("Reshape", columns, int64(0, len(module.scale)))
    return graph.add("Mul", joined, float32(1 + module.rate * float_constant(module.scale)))


def _shared(graph: Graph, module: Shared, x: str) -> str:
    units = graph.add("MatMul", graph.add("Mul", x, float_constant(module.before)), float_constant(module.weight).T)
    return graph.add("Add", graph.add("Mul", units, float_constant(module.after)), float_constant(module.bias))


def _heads(graph: Graph, module: Heads, x: str) -> str:
    return graph.add("Add", graph.add("MatMul", x, float_constant(module.weight)), float_constant(module.bias))


def _pixels(graph: Graph, module: Pixels, x: str) -> str:
    x = graph.add("Clip", x, float32(-BOUND), float32(BOUND))
    if not module.is_complete:
        columns = np.full(module.size, len(module.places))
        columns[module.places.cpu().numpy()] = np.arange(len(module.places))
        with_zero = graph.add("Pad", x, int64(0, 0, 0, 1))  # the last column
        x = graph.add("Gather", with_zero, columns, axis=1)
    return graph.add("Reshape", x, int64(0, *module.shape))


def _convolution(graph: Graph, module: nn.Conv1d | nn.Conv2d, x: str) -> str:
    pads = [int(size) for size in module.padding]
    if module.padding_mode == "circular":
        for axis, size in enumerate(pads, start=2):
            first = graph.add("Slice", x, int64(0), int64(size), int64(axis))
            last = graph.add("Slice", x, int64(-size), int64(END), int64(axis))
            x = graph.add("Concat", last, x, first, axis=axis) if size else x
        pads = [0] * len(pads)
    weight, bias = float_constant(module.weight), float_constant(module.bias)
    return graph.add("Conv", x, weight, bias, kernel_shape=list(module.kernel_size), pads=pads * 2)


def _pool(graph: Graph, module: Any, x: str) -> str:
    sizes = [module.kernel_size] * (1 if isinstance(module, nn.MaxPool1d) else 2)
    return graph.add("MaxPool", x, kernel_shape=sizes, strides=sizes)


def _summary(graph: Graph, module: Summary, x: str) -> str:
    operator = "ReduceMean" if module.kind == "mean" else "ReduceMax"
    return graph.add(operator, x, axes=list(module.axes), keepdims=0)


def _flatten(graph: Graph, module: nn.Flatten, x: str) -> str:  # noqa: ARG001
    return graph.add("Flatten", x, axis=1)


def _plain(operator: str, **settings: str) -> LayerWriter:
    """A layer that is a single operator; its attributes are the module's settings of these names."""

    def write(graph: Graph, module: nn.Module, x: str) -> str:
        attributes: dict[str, Any] = {name: float(getattr(module, setting)) for name, setting in settings.items()}
        return graph.add(operator, x, **attributes)

    return write


def _same(graph: Graph, module: nn.Module, x: str) -> str:  # noqa: ARG001
    return x


def float_constant(values: Tensor | None) -> NDArray[np.float32]:
    """A tensor as a float32 constant."""
    if values is None:
        raise ValueError("a normalisation without weights has no form in ONNX that hepclf knows; give it affine=True")
    return float32(values.detach().cpu().numpy())


_WRITERS: dict[type[nn.Module], LayerWriter] = {
    nn.Sequential: _sequence,
    Convolutional: _sequence,
    Pixels: _pixels,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.MaxPool1d: _pool,
    nn.MaxPool2d: _pool,
    Summary: _summary,
    nn.Flatten: _flatten,
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch,
    nn.LayerNorm: _layer,
    nn.Dropout: _same,
    nn.Identity: _same,
    SingleOutput: _single,
    nn.Sigmoid: _plain("Sigmoid"),
    nn.Tanh: _plain("Tanh"),
    nn.ReLU: _plain("Relu"),
    nn.LeakyReLU: _plain("LeakyRelu", alpha="negative_slope"),
    nn.ELU: _plain("Elu", alpha="alpha"),
    nn.GELU: _gelu,
    nn.SiLU: _silu,
    Maxout: _maxout,
    Members: _members,
    Embedding: _embedding,
    Shared: _shared,
    Heads: _heads,
}
