"""The layers of a network in C++."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from hepclf.export.cpp.header import Header, float_literal
from hepclf.export.cpp.images import IMAGE_CODE, IMAGES
from hepclf.export.cpp.prepare import CLIPPED, DEVIATE, LOG, input_array
from hepclf.export.cpp.units import Units, float_array
from hepclf.models.mlp import Embedding, Members, Shared
from hepclf.models.mlp_plain import Maxout
from hepclf.models.module import SingleOutput
from hepclf.models.network import NetworkTagger

CODE = f"""{LOG}{CLIPPED}{DEVIATE}
// weights[In][Out], so that the inner loop runs over neighbours
template <int In, int Out>
void linear(const float* x, const float* weights, const float* bias, float* y) {{
  for (int j = 0; j < Out; ++j) y[j] = bias[j];
  for (int i = 0; i < In; ++i)
    for (int j = 0; j < Out; ++j) y[j] += x[i] * weights[i * Out + j];
}}

template <int N>
void normalised(float* x, float epsilon) {{
  double mean = 0, square = 0;
  for (int i = 0; i < N; ++i) mean += x[i] / static_cast<double>(N);
  for (int i = 0; i < N; ++i) square += (x[i] - mean) * (x[i] - mean) / N;
  for (int i = 0; i < N; ++i) x[i] = static_cast<float>((x[i] - mean) / std::sqrt(square + epsilon));
}}

inline float sigmoid(float x) {{ return 1 / (1 + std::exp(-x)); }}
{IMAGE_CODE}"""


def write_network(header: Header, tagger: NetworkTagger) -> str:
    """Write the logits z; return the link to probabilities."""
    inputs = Units(input_array(header, tagger.module.prepare), len(tagger.module.prepare.inputs))
    logits = layer_units(header, tagger.module.body, inputs)
    header.add(f"for (int k = 0; k < {logits.size}; ++k) z[k] = {logits.name}[k];")
    return "logistic"


def layer_units(header: Header, module: nn.Module, x: Units) -> Units:
    """The units that this module computes from x."""
    if isinstance(module, nn.Sequential):
        for layer in module:
            x = layer_units(header, layer, x)
        return x
    kind = type(module)
    if kind in _ACTIVATIONS:
        _write_elementwise(header, x, _ACTIVATIONS[kind].format(**_settings(module)))
    elif kind in _WRITERS:
        return _WRITERS[kind](header, module, x)
    elif kind not in (nn.Dropout, nn.Identity, nn.Flatten, SingleOutput):
        names = sorted(layer.__name__ for layer in (*_ACTIVATIONS, *_WRITERS))
        raise ValueError(
            f"a layer {kind.__name__} has no form in C++ that hepclf knows; there are: {', '.join(names)}; "
            "use format=onnx"
        )
    return x


def _write_elementwise(header: Header, x: Units, expression: str) -> None:
    header.add(f"for (float& v : {x.name}) v = {expression};")


def _settings(module: nn.Module) -> dict[str, str]:
    """The numerical settings of an activation, as C++ literals."""
    settings = {"alpha": getattr(module, "alpha", None), "slope": getattr(module, "negative_slope", None)}
    return {name: float_literal(value) for name, value in settings.items() if value is not None}


# Each comparison is written so that nan, the result of an overflow, stays nan.
_ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "sigmoid(v)",
    nn.Tanh: "std::tanh(v)",
    nn.ReLU: "v < 0 ? 0.0f : v",
    nn.LeakyReLU: "v < 0 ? {slope} * v : v",
    nn.ELU: "v < 0 ? {alpha} * std::expm1(v) : v",
    nn.GELU: "0.5f * v * (1 + std::erf(v / std::sqrt(2.0f)))",
    nn.SiLU: "v * sigmoid(v)",
}


def _linear(header: Header, module: nn.Linear, x: Units) -> Units:
    bias = np.zeros(module.out_features, dtype=np.float32)
    if module.bias is not None:
        bias = float_array(module.bias)
    return _product(header, x, float_array(module.weight).T, bias)


def _product(header: Header, x: Units, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Units:
    product = Units(header.array(weights.shape[1]), weights.shape[1])
    tables = f"{header.table(weights)}, {header.table(bias)}"
    header.add(f"linear<{x.size}, {product.size}>({x.name}, {tables}, {product.name});")
    return product


def _scaled(header: Header, x: Units, weight: NDArray[np.float32], shift: NDArray[np.float32]) -> None:
    tables = header.table(weight), header.table(shift)
    header.add(f"for (int i = 0; i < {x.size}; ++i) {x.name}[i] = {x.name}[i] * {tables[0]}[i] + {tables[1]}[i];")


def _batch(header: Header, module: nn.BatchNorm1d, x: Units) -> Units:
    mean, variance = (float_array(tensor).astype(np.float64) for tensor in (module.running_mean, module.running_var))
    weight = float_array(module.weight) / np.sqrt(variance + module.eps)
    shift = float_array(module.bias) - mean * weight
    _scaled(header, x, weight.astype(np.float32), shift.astype(np.float32))
    return x


def _layer(header: Header, module: nn.LayerNorm, x: Units) -> Units:
    header.add(f"normalised<{x.size}>({x.name}, {float_literal(module.eps)});")
    _scaled(header, x, float_array(module.weight), float_array(module.bias))
    return x


def _maxout(header: Header, module: Maxout, x: Units) -> Units:  # noqa: ARG001
    maxima = Units(header.array(x.size // 2), x.size // 2)
    header.add(
        f"for (int i = 0; i < {maxima.size}; ++i) {{",
        f"  const float a = {x.name}[2 * i], b = {x.name}[2 * i + 1];",
        f"  {maxima.name}[i] = a >= b || std::isnan(a) ? a : b;",
        "}",
    )
    return maxima


def _embedding(header: Header, module: Embedding, x: Units) -> Units:
    size, count = module.shift.shape[1] + 1, module.frequency.shape[1]
    scale = (1 + module.rate * float_array(module.scale)).astype(np.float32)
    if size == 1:
        _scaled(header, x, scale, np.zeros_like(scale))
        return x
    embedded = Units(header.array(x.size * size), x.size * size)
    frequency, phase, mix, shift = (
        header.table(float_array(tensor)) for tensor in (module.frequency, module.phase, module.mix, module.shift)
    )
    header.add(
        f"for (int i = 0; i < {x.size}; ++i) {{",
        f"  float* y = {embedded.name} + {size} * i;",
        f"  y[0] = {x.name}[i];",
        f"  for (int s = 1; s < {size}; ++s) y[s] = {shift}[{size - 1} * i + s - 1];",
        f"  for (int f = {count} * i; f < {count} * (i + 1); ++f) {{",
        f"    const float wave = std::cos(6.2831853f * (y[0] * {frequency}[f] + {phase}[f]));",
        f"    for (int s = 1; s < {size}; ++s) y[s] += wave * {mix}[{size - 1} * f + s - 1];",
        "  }",
        "}",
    )
    _scaled(header, embedded, scale, np.zeros_like(scale))
    return embedded


def _members(header: Header, module: Members, x: Units) -> Units:
    """The members one after another; each layer is a plain one, once its scales are multiplied into the weights."""
    embedded = layer_units(header, module.embedding, x)
    layers = [layer for layer in module.layers if isinstance(layer, Shared)]
    heads, biases = float_array(module.heads.weight), float_array(module.heads.bias)
    mean = Units(header.array(heads.shape[2]), heads.shape[2])
    header.add(f"for (float& v : {mean.name}) v = 0;")
    for member in range(len(heads)):
        x = embedded
        for layer in layers:
            before, after, bias = (float_array(tensor)[member, 0] for tensor in (layer.before, layer.after, layer.bias))
            x = _product(header, x, before[:, None] * float_array(layer.weight).T * after, bias)
            x = layer_units(header, module.activation, x)
        x = _product(header, x, heads[member], biases[member, 0])
        header.add(f"for (int k = 0; k < {mean.size}; ++k) {mean.name}[k] += {x.name}[k] / {len(heads)};")
    return mean


_WRITERS: dict[type[nn.Module], Callable[[Header, Any, Units], Units]] = {
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch,
    nn.LayerNorm: _layer,
    Maxout: _maxout,
    Embedding: _embedding,
    Members: _members,
    **IMAGES,
}
