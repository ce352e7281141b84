"""Raw features to the inputs of a network, as nodes: missing values, scales, indicators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.export.deviates import DEGREE, INNERMOST, coefficients
from hepclf.export.onnx.graph import DOUBLE, FLOAT, Graph, float32, float64, int64
from hepclf.export.onnx.trees import ensemble
from hepclf.models.preprocess import Prepare
from hepclf.models.trees import LEAF, Nodes, Trees, planted

INFINITY = np.float32(np.inf)
TINY = np.finfo(np.float32).tiny


def input_node(graph: Graph, prepare: Prepare, x: str) -> str:
    """The network's inputs [n, d + indicators] from raw features [n, d]."""
    absent = graph.add("IsNaN", x)
    scaled = _scaled(graph, prepare, graph.add("Where", absent, prepare.fill.cpu().numpy(), x))
    if not prepare.missing:
        return scaled
    flags = graph.add("Cast", graph.add("Gather", absent, int64(*prepare.missing), axis=1), to=FLOAT)
    return graph.add("Concat", scaled, flags, axis=1)


def _scaled(graph: Graph, prepare: Prepare, x: str) -> str:
    kinds = np.array(prepare.kinds)
    curved = {"log": _log, "quantile": _deviates}
    if used := [kind for kind in curved if kind in kinds]:
        linear = ~np.isin(kinds, used)
        parts = [_columns(graph, x, linear)] if linear.any() else []
        parts += [curved[kind](graph, prepare, _columns(graph, x, kinds == kind)) for kind in used]
        order = np.concatenate([np.flatnonzero(linear), *(np.flatnonzero(kinds == kind) for kind in used)])
        x = graph.add("Gather", graph.add("Concat", *parts, axis=1), np.argsort(order), axis=1)
    centred = graph.add("Sub", x, prepare.centre.cpu().numpy())
    x = graph.add("Div", centred, prepare.width.cpu().numpy())
    clipped = kinds == "clipped"
    if not clipped.any():
        return x
    bounds = np.ones(len(kinds), dtype=np.float32)
    bounds[clipped] = prepare.bound.cpu().numpy()
    return graph.add("Where", clipped, _clipped(graph, x, bounds), x)


def _columns(graph: Graph, x: str, chosen: NDArray[np.bool_]) -> str:
    return graph.add("Gather", x, np.flatnonzero(chosen), axis=1)


def _log(graph: Graph, prepare: Prepare, x: str) -> str:
    size = graph.add("Cast", graph.add("Abs", x), to=DOUBLE)
    ratio = graph.add("Div", size, float64(prepare.log_scale.cpu()))
    log = graph.add("Log", graph.add("Add", ratio, float64(1)))
    return graph.add("Mul", graph.add("Sign", x), graph.add("Cast", log, to=FLOAT))


def _clipped(graph: Graph, x: str, bounds: NDArray[np.float32]) -> str:
    near = graph.add("Clip", x, float32(-1e6), float32(1e6))
    ratio = graph.add("Div", near, bounds)
    square = graph.add("Add", graph.add("Mul", ratio, ratio), float32(1))
    return graph.add("Div", near, graph.add("Sqrt", square))


def _deviates(graph: Graph, prepare: Prepare, x: str) -> str:
    """The rank among the knots as a normal deviate. Trees find the two knots between which a value lies."""
    knots: NDArray[np.float32] = prepare.knots.cpu().numpy()
    last = knots.shape[1] - 1
    below, above = _outside(knots)
    near = graph.add("Max", graph.add("Min", x, above), below)
    leaves = ensemble(graph, near, _intervals(knots), np.zeros(3 * len(knots)))
    intervals = graph.add("Reshape", leaves, int64(0, 3, len(knots)))
    start, low, gap = (_row(graph, intervals, row) for row in range(3))
    rank = graph.add("Add", start, graph.add("Div", graph.add("Sub", near, low), gap))
    smallest, largest = float32(1 / (2 * last)), float32(1 - 1 / (2 * last))
    fraction = graph.add("Clip", graph.add("Div", rank, float32(last)), smallest, largest)
    p = graph.add("Cast", fraction, to=DOUBLE)
    logit = graph.add("Log", graph.add("Div", p, graph.add("Sub", float64(1), p)))
    return graph.add("Cast", _polynomial(graph, logit), to=FLOAT)


def _row(graph: Graph, intervals: str, row: int) -> str:
    return graph.add("Squeeze", graph.add("Gather", intervals, int64(row), axis=1), int64(1))


def _polynomial(graph: Graph, logit: str) -> str:
    """The normal deviate of a probability of this logit, by Horner's rule."""
    ratio = graph.add("Div", logit, float64(INNERMOST))
    v = graph.add("Sub", graph.add("Mul", graph.add("Mul", ratio, ratio), float64(2)), float64(1))
    powers = coefficients()
    value = graph.add("Mul", v, float64(powers[DEGREE]))
    for power in reversed(range(1, DEGREE)):
        value = graph.add("Mul", graph.add("Add", value, float64(powers[power])), v)
    return graph.add("Mul", graph.add("Add", value, float64(powers[0])), logit)


def _intervals(knots: NDArray[np.float32]) -> Trees:
    """One tree per feature. A leaf holds the rank at the knot below a value, that knot, and the gap to the next."""
    return Trees(planted([_tree(feature, row, len(knots)) for feature, row in enumerate(knots)]), len(knots))


def _tree(feature: int, knots: NDArray[np.float32], features: int) -> Nodes:
    """A balanced tree over a feature's knots, which may coincide: a value at such a knot has their mean rank."""
    distinct, first, counts = np.unique(knots, return_index=True, return_counts=True)
    final = first + counts - 1
    below, above = _outside(knots)
    cuts = np.stack([np.nextafter(distinct, -INFINITY), distinct], axis=1).ravel()
    leaves = np.empty((2 * len(distinct) + 1, 3), dtype=np.float32)
    leaves[0], leaves[-1] = (0, below, 1), (len(knots) - 1, above, 1)
    leaves[1::2] = np.stack([(first + final) / 2, distinct, np.ones(len(distinct))], axis=1)
    leaves[2:-1:2] = np.stack([final[:-1], distinct[:-1], np.maximum(np.diff(distinct), TINY)], axis=1)
    values = np.zeros((len(leaves), 3 * features))
    values[:, feature::features] = leaves
    return _balanced(feature, cuts, values)


def _outside(knots: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The numbers just below and just above the knots, which stand for all values beyond them."""
    return np.nextafter(knots[..., 0], -INFINITY), np.nextafter(knots[..., -1], INFINITY)


def _balanced(feature: int, cuts: NDArray[np.float32], values: NDArray[np.float64]) -> Nodes:
    """The shallowest tree that finds the interval between cuts; there is one value more than there are cuts."""
    rows: list[tuple[int, int, int, int]] = []

    def grow(low: int, high: int) -> int:
        """The index of the node above the values low..high."""
        node, middle = len(rows), (low + high) // 2
        rows.append((LEAF, 0, 0, low))
        if low < high:
            rows[node] = (feature, grow(low, middle), grow(middle + 1, high), middle)
        return node

    grow(0, len(cuts))
    features, left_children, right_children, ranks = np.array(rows).T
    leaf = features == LEAF
    thresholds = cuts[np.where(leaf, 0, ranks)]
    return Nodes(
        features, thresholds, np.zeros(len(rows)), left_children, right_children, values[np.where(leaf, ranks, 0)]
    )
