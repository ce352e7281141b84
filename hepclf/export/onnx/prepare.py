"""Raw features to the inputs of a network, as nodes: missing values, scales, indicators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.export.deviates import DEGREE, INNERMOST, coefficients
from hepclf.export.onnx.graph import DOUBLE, FLOAT, Graph, double, single, whole
from hepclf.export.onnx.trees import ensemble
from hepclf.models.preprocess import Prepare
from hepclf.models.trees import LEAF, Nodes, Trees, planted

INFINITY = np.float32(np.inf)
TINY = np.finfo(np.float32).tiny


def prepared(graph: Graph, prepare: Prepare, x: str) -> str:
    """The inputs [n, d + indicators] of raw features [n, d]."""
    absent = graph.add("IsNaN", x)
    scaled = _scaled(graph, prepare, graph.add("Where", absent, prepare.fill.cpu().numpy(), x))
    if not prepare.missing:
        return scaled
    flags = graph.add("Cast", graph.add("Gather", absent, whole(*prepare.missing), axis=1), to=FLOAT)
    return graph.add("Concat", scaled, flags, axis=1)


def _scaled(graph: Graph, prepare: Prepare, x: str) -> str:
    kinds = np.array(prepare.kinds)
    bent = {"log": _log, "quantile": _deviates}
    if used := [kind for kind in bent if kind in kinds]:
        straight = ~np.isin(kinds, used)
        parts = [_columns(graph, x, straight)] if straight.any() else []
        parts += [bent[kind](graph, prepare, _columns(graph, x, kinds == kind)) for kind in used]
        order = np.concatenate([np.flatnonzero(straight), *(np.flatnonzero(kinds == kind) for kind in used)])
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
    ratio = graph.add("Div", size, double(prepare.log_scale.cpu()))
    log = graph.add("Log", graph.add("Add", ratio, double(1)))
    return graph.add("Mul", graph.add("Sign", x), graph.add("Cast", log, to=FLOAT))


def _clipped(graph: Graph, x: str, bounds: NDArray[np.float32]) -> str:
    near = graph.add("Clip", x, single(-1e6), single(1e6))
    ratio = graph.add("Div", near, bounds)
    square = graph.add("Add", graph.add("Mul", ratio, ratio), single(1))
    return graph.add("Div", near, graph.add("Sqrt", square))


def _deviates(graph: Graph, prepare: Prepare, x: str) -> str:
    """The rank among the knots as a normal deviate; trees look up between which knots a value lies."""
    knots: NDArray[np.float32] = prepare.knots.cpu().numpy()
    last = knots.shape[1] - 1
    below, above = _outside(knots)
    near = graph.add("Max", graph.add("Min", x, above), below)
    found = ensemble(graph, near, _intervals(knots), np.zeros(3 * len(knots)))
    places = graph.add("Reshape", found, whole(0, 3, len(knots)))
    start, low, gap = (graph.add("Squeeze", graph.add("Gather", places, whole(i), axis=1), whole(1)) for i in range(3))
    rank = graph.add("Add", start, graph.add("Div", graph.add("Sub", near, low), gap))
    share = graph.add("Clip", graph.add("Div", rank, single(last)), single(1 / (2 * last)), single(1 - 1 / (2 * last)))
    p = graph.add("Cast", share, to=DOUBLE)
    logit = graph.add("Log", graph.add("Div", p, graph.add("Sub", double(1), p)))
    return graph.add("Cast", _polynomial(graph, logit), to=FLOAT)


def _polynomial(graph: Graph, logit: str) -> str:
    """The normal deviate of a probability of this logit, by Horner's rule."""
    ratio = graph.add("Div", logit, double(INNERMOST))
    place = graph.add("Sub", graph.add("Mul", graph.add("Mul", ratio, ratio), double(2)), double(1))
    powers = coefficients()
    value = graph.add("Mul", place, double(powers[DEGREE]))
    for power in reversed(range(1, DEGREE)):
        value = graph.add("Mul", graph.add("Add", value, double(powers[power])), place)
    return graph.add("Mul", graph.add("Add", value, double(powers[0])), logit)


def _intervals(knots: NDArray[np.float32]) -> Trees:
    """A tree for each feature: its leaf says the rank at the knot below a value, that knot and the gap above it."""
    return Trees(planted([_tree(feature, row, len(knots)) for feature, row in enumerate(knots)]), len(knots))


def _tree(feature: int, knots: NDArray[np.float32], features: int) -> Nodes:
    """A balanced tree over a feature's knots, which may coincide: a value at such a knot has their mean rank."""
    at, first, many = np.unique(knots, return_index=True, return_counts=True)
    final = first + many - 1
    below, above = _outside(knots)
    cuts = np.stack([np.nextafter(at, -INFINITY), at], axis=1).ravel()
    places = np.empty((2 * len(at) + 1, 3), dtype=np.float32)
    places[0], places[-1] = (0, below, 1), (len(knots) - 1, above, 1)
    places[1::2] = np.stack([(first + final) / 2, at, np.ones(len(at))], axis=1)
    places[2:-1:2] = np.stack([final[:-1], at[:-1], np.maximum(np.diff(at), TINY)], axis=1)
    values = np.zeros((len(places), 3 * features))
    values[:, feature::features] = places
    return _balanced(feature, cuts, values)


def _outside(knots: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The values next to the knots; what lies beyond is as good as they are."""
    return np.nextafter(knots[..., 0], -INFINITY), np.nextafter(knots[..., -1], INFINITY)


def _balanced(feature: int, cuts: NDArray[np.float32], values: NDArray[np.float64]) -> Nodes:
    """A tree, as shallow as can be, that says between which cuts a value lies; of so many values, one more."""
    rows: list[tuple[int, int, int, int]] = []

    def grow(low: int, high: int) -> int:
        """The place of the node above the values low..high."""
        place, middle = len(rows), (low + high) // 2
        rows.append((LEAF, 0, 0, low))
        if low < high:
            rows[place] = (feature, grow(low, middle), grow(middle + 1, high), middle)
        return place

    grow(0, len(cuts))
    features, left, right, ranks = np.array(rows).T
    leaf = features == LEAF
    thresholds = cuts[np.where(leaf, 0, ranks)]
    return Nodes(features, thresholds, np.zeros(len(rows)), left, right, values[np.where(leaf, ranks, 0)])
