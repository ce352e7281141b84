"""The layers of a convolutional network in C++."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from hepclf.export.cpp.header import Header, float_literal
from hepclf.export.cpp.units import Units, float_array
from hepclf.models.cnn import Summary
from hepclf.models.pixels import BOUND, Pixels

MOST = 1 << 18  # numbers in an array of the function, whose place is the stack
IMAGE_CODE = """
// x[In][H][W], weights[Out][In][KH][KW]; beyond the edge there are zeros or, if periodic, the opposite edge
template <int In, int Out, int H, int W, int KH, int KW, bool Periodic>
void convolution(const float* x, const float* weights, const float* bias, float* y) {
  for (int o = 0; o < Out; ++o)
    for (int i = 0; i < H; ++i)
      for (int j = 0; j < W; ++j) {
        float sum = bias[o];
        for (int c = 0; c < In; ++c)
          for (int u = 0; u < KH; ++u)
            for (int v = 0; v < KW; ++v) {
              int row = i + u - KH / 2, column = j + v - KW / 2;
              if (Periodic) {
                row = (row + H) % H;
                column = (column + W) % W;
              }
              if (row < 0 || row >= H || column < 0 || column >= W) continue;
              sum += x[(c * H + row) * W + column] * weights[((o * In + c) * KH + u) * KW + v];
            }
        y[(o * H + i) * W + j] = sum;
      }
}

inline float larger(float a, float b) { return b > a || std::isnan(b) ? b : a; }

template <int C, int Pixels>
void max_of_channels(const float* x, float* y) {
  for (int c = 0; c < C; ++c) {
    y[c] = x[Pixels * c];
    for (int i = 1; i < Pixels; ++i) y[c] = larger(y[c], x[Pixels * c + i]);
  }
}

template <int C, int Pixels>
void mean_of_channels(const float* x, float* y) {
  for (int c = 0; c < C; ++c) {
    double sum = 0;
    for (int i = 0; i < Pixels; ++i) sum += x[Pixels * c + i];
    y[c] = static_cast<float>(sum / Pixels);
  }
}

// maxima of blocks of P x Q neighbours of x[C][H][W]
template <int C, int H, int W, int P, int Q>
void pooled(const float* x, float* y) {
  for (int c = 0; c < C; ++c)
    for (int i = 0; i < H / P; ++i)
      for (int j = 0; j < W / Q; ++j) {
        float most = -std::numeric_limits<float>::infinity();
        for (int u = 0; u < P; ++u)
          for (int v = 0; v < Q; ++v) most = larger(most, x[(c * H + i * P + u) * W + j * Q + v]);
        y[(c * (H / P) + i) * (W / Q) + j] = most;
      }
}
"""


def _image(header: Header, image: tuple[int, int, int]) -> Units:
    size = image[0] * image[1] * image[2]
    if size > MOST:
        raise ValueError(f"format=cpp holds at most {MOST:,} units of a layer, not {size:,}; use format=onnx")
    return Units(header.array(size), size, image)


def _pixels(header: Header, module: Pixels, x: Units) -> Units:
    bound = float_literal(BOUND)
    header.add(f"for (float& v : {x.name}) v = std::min(std::max(v, -{bound}), {bound});")
    channels, *axes = module.shape
    height, width = axes if len(axes) == 2 else (1, axes[0])
    if module.is_complete:
        return x._replace(image=(channels, height, width))
    image = _image(header, (channels, height, width))
    places = header.table(module.places.cpu().numpy().astype(np.int32))
    header.add(
        f"for (float& v : {image.name}) v = 0;",
        f"for (int i = 0; i < {x.size}; ++i) {image.name}[{places}[i]] = {x.name}[i];",
    )
    return image


def _convolution(header: Header, module: nn.Conv1d | nn.Conv2d, x: Units) -> Units:
    _, height, width = x.image
    y = _image(header, (module.out_channels, height, width))
    kernel = (1, *module.kernel_size)[-2:]
    periodic = "true" if module.padding_mode == "circular" else "false"
    sizes = (module.in_channels, module.out_channels, height, width, *kernel, periodic)
    tables = f"{header.table(float_array(module.weight))}, {header.table(float_array(module.bias))}"
    header.add(f"convolution<{', '.join(map(str, sizes))}>({x.name}, {tables}, {y.name});")
    return y


def _pool(header: Header, module: Any, x: Units) -> Units:
    channels, height, width = x.image
    across, is_series = module.kernel_size, isinstance(module, nn.MaxPool1d)
    down = 1 if is_series else across
    y = _image(header, (channels, height // down, width // across))
    header.add(f"pooled<{channels}, {height}, {width}, {down}, {across}>({x.name}, {y.name});")
    return y


def _summary(header: Header, module: Summary, x: Units) -> Units:
    channels, pixels = x.image[0], x.image[1] * x.image[2]
    y = Units(header.array(channels), channels)
    header.add(f"{module.kind}_of_channels<{channels}, {pixels}>({x.name}, {y.name});")
    return y


IMAGES: dict[type[nn.Module], Callable[[Header, Any, Units], Units]] = {
    Pixels: _pixels,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.MaxPool1d: _pool,
    nn.MaxPool2d: _pool,
    Summary: _summary,
}
