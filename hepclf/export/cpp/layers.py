"""The layers of a network in C++."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from hepclf.export.cpp.prepare import CLIPPED, DEVIATE, LOG, prepared
from hepclf.export.cpp.source import Source, single
from hepclf.models.mlp import Embedding, Members, Shared
from hepclf.models.mlp_plain import Maxout
from hepclf.models.network import NetworkTagger, Single

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
"""


class Units(NamedTuple):
    """An array in the function, and how long it is."""

    name: str
    size: int


def outputs(source: Source, tagger: NetworkTagger) -> str:
    """Write the logits into doubles."""
    inputs = Units(prepared(source, tagger.module.prepare), len(tagger.module.prepare.inputs))
    found = applied(source, tagger.module.body, inputs)
    source.add(f"for (int k = 0; k < {found.size}; ++k) z[k] = {found.name}[k];")
    return "logistic"


def applied(source: Source, module: nn.Module, x: Units) -> Units:
    """What this module makes of x."""
    if isinstance(module, nn.Sequential):
        for layer in module:
            x = applied(source, layer, x)
        return x
    kind = type(module)
    if kind in _ACTIVATIONS:
        _each(source, x, _ACTIVATIONS[kind].format(**_settings(module)))
    elif kind in _WRITERS:
        return _WRITERS[kind](source, module, x)
    elif kind not in (nn.Dropout, nn.Identity, Single):
        known = sorted(each.__name__ for each in (*_ACTIVATIONS, *_WRITERS))
        raise ValueError(
            f"a layer {kind.__name__} has no form in C++ that hepclf knows; there are: {', '.join(known)}; "
            "use format=onnx"
        )
    return x


def _each(source: Source, x: Units, expression: str) -> None:
    source.add(f"for (float& v : {x.name}) v = {expression};")


def _settings(module: nn.Module) -> dict[str, str]:
    """The numbers that an activation has."""
    found = {"alpha": getattr(module, "alpha", None), "slope": getattr(module, "negative_slope", None)}
    return {name: single(value) for name, value in found.items() if value is not None}


# A comparison is written so that nan, which an overflow leaves, stays nan.
_ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "sigmoid(v)",
    nn.Tanh: "std::tanh(v)",
    nn.ReLU: "v < 0 ? 0.0f : v",
    nn.LeakyReLU: "v < 0 ? {slope} * v : v",
    nn.ELU: "v < 0 ? {alpha} * std::expm1(v) : v",
    nn.GELU: "0.5f * v * (1 + std::erf(v / std::sqrt(2.0f)))",
    nn.SiLU: "v * sigmoid(v)",
}


def _linear(source: Source, module: nn.Linear, x: Units) -> Units:
    size = module.out_features
    bias = np.zeros(size, dtype=np.float32) if module.bias is None else numbers(module.bias)
    return _product(source, x, numbers(module.weight).T, bias)


def _product(source: Source, x: Units, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Units:
    found = Units(source.array(weights.shape[1]), weights.shape[1])
    tables = f"{source.table(weights)}, {source.table(bias)}"
    source.add(f"linear<{x.size}, {found.size}>({x.name}, {tables}, {found.name});")
    return found


def _scaled(source: Source, x: Units, weight: NDArray[np.float32], shift: NDArray[np.float32]) -> None:
    tables = source.table(weight), source.table(shift)
    source.add(f"for (int i = 0; i < {x.size}; ++i) {x.name}[i] = {x.name}[i] * {tables[0]}[i] + {tables[1]}[i];")


def _batch(source: Source, module: nn.BatchNorm1d, x: Units) -> Units:
    mean, variance = (numbers(each).astype(np.float64) for each in (module.running_mean, module.running_var))
    weight = numbers(module.weight) / np.sqrt(variance + module.eps)
    shift = numbers(module.bias) - mean * weight
    _scaled(source, x, weight.astype(np.float32), shift.astype(np.float32))
    return x


def _layer(source: Source, module: nn.LayerNorm, x: Units) -> Units:
    source.add(f"normalised<{x.size}>({x.name}, {single(module.eps)});")
    _scaled(source, x, numbers(module.weight), numbers(module.bias))
    return x


def _maxout(source: Source, module: Maxout, x: Units) -> Units:  # noqa: ARG001
    found = Units(source.array(x.size // 2), x.size // 2)
    source.add(
        f"for (int i = 0; i < {found.size}; ++i) {{",
        f"  const float a = {x.name}[2 * i], b = {x.name}[2 * i + 1];",
        f"  {found.name}[i] = a >= b || std::isnan(a) ? a : b;",
        "}",
    )
    return found


def _embedding(source: Source, module: Embedding, x: Units) -> Units:
    size, count = module.shift.shape[1] + 1, module.frequency.shape[1]
    scale = (1 + module.rate * numbers(module.scale)).astype(np.float32)
    if size == 1:
        _scaled(source, x, scale, np.zeros_like(scale))
        return x
    found = Units(source.array(x.size * size), x.size * size)
    frequency, phase, mix, shift = (
        source.table(numbers(each)) for each in (module.frequency, module.phase, module.mix, module.shift)
    )
    source.add(
        f"for (int i = 0; i < {x.size}; ++i) {{",
        f"  float* y = {found.name} + {size} * i;",
        f"  y[0] = {x.name}[i];",
        f"  for (int s = 1; s < {size}; ++s) y[s] = {shift}[{size - 1} * i + s - 1];",
        f"  for (int f = {count} * i; f < {count} * (i + 1); ++f) {{",
        f"    const float wave = std::cos(6.2831853f * (y[0] * {frequency}[f] + {phase}[f]));",
        f"    for (int s = 1; s < {size}; ++s) y[s] += wave * {mix}[{size - 1} * f + s - 1];",
        "  }",
        "}",
    )
    _scaled(source, found, scale, np.zeros_like(scale))
    return found


def _members(source: Source, module: Members, x: Units) -> Units:
    """The members one after another, each of whose layers is a plain one once its scales are part of the weights."""
    embedded = applied(source, module.embedding, x)
    layers = [layer for layer in module.layers if isinstance(layer, Shared)]
    heads, biases = numbers(module.heads.weight), numbers(module.heads.bias)
    found = Units(source.array(heads.shape[2]), heads.shape[2])
    source.add(f"for (float& v : {found.name}) v = 0;")
    for member in range(len(heads)):
        x = embedded
        for layer in layers:
            before, after, bias = (numbers(each)[member, 0] for each in (layer.before, layer.after, layer.bias))
            x = _product(source, x, before[:, None] * numbers(layer.weight).T * after, bias)
            x = applied(source, module.activation, x)
        x = _product(source, x, heads[member], biases[member, 0])
        source.add(f"for (int k = 0; k < {found.size}; ++k) {found.name}[k] += {x.name}[k] / {len(heads)};")
    return found


def numbers(values: Tensor | None) -> NDArray[np.float32]:
    """A tensor as an array."""
    if values is None:
        raise ValueError("a normalisation without weights has no form in C++ that hepclf knows; give it affine=True")
    found: NDArray[np.float32] = values.detach().cpu().numpy()
    return found


_WRITERS: dict[type[nn.Module], Callable[[Source, Any, Units], Units]] = {
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch,
    nn.LayerNorm: _layer,
    Maxout: _maxout,
    Embedding: _embedding,
    Members: _members,
}
