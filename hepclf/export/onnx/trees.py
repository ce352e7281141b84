"""Trees as one node of a graph."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from hepclf.export.onnx.graph import DOUBLE, Graph, float64, int64
from hepclf.export.onnx.link import logistic
from hepclf.models.trees import Trees, TreesTagger

DIGITS = 22  # in binary, of a sum of leading digits: float32 has 24, and each tree may round up


def tree_probabilities(graph: Graph, tagger: TreesTagger, x: str, *, exact: bool) -> str:
    """Probabilities [n] or [n, k] of raw features [n, d], double.

    exact  whether the sums keep double precision, as a calibration needs it, or are rounded to float32
    """
    if exact:
        sums = _exact(graph, x, tagger.trees, tagger.arrays["baseline"])
    else:
        sums = graph.add("Cast", ensemble(graph, x, tagger.trees, tagger.arrays["baseline"]), to=DOUBLE)
    if len(tagger.classes) == 2:
        sums = graph.add("Squeeze", sums, int64(1))
    if tagger.settings["link"] == "logistic":
        return logistic(graph, sums, len(tagger.classes))
    means = graph.add("Div", sums, float64(len(tagger.arrays["sizes"])))
    return graph.add("Clip", means, float64(0), float64(1))


def _exact(graph: Graph, x: str, trees: Trees, baseline: NDArray[np.float64]) -> str:
    """The sums in double precision. The node gives float32, so leading and remaining digits are summed separately.

    The leading digits are multiples of a unit, few enough that float32 holds each of their sums exactly.
    """
    largest = np.maximum.reduceat(np.abs(trees.values).max(axis=1), trees.roots).sum() + np.abs(baseline).max()
    unit = 2.0 ** (np.frexp(largest)[1] - DIGITS)

    def halves(values: NDArray[np.float64]) -> NDArray[np.float64]:
        leading = np.round(values / unit) * unit
        return np.concatenate([leading, values - leading], axis=-1)

    doubled = copy(trees)
    doubled.values = halves(trees.values)
    sums_of_halves = graph.add("Cast", ensemble(graph, x, doubled, halves(baseline)), to=DOUBLE)
    return graph.add(
        "ReduceSum", graph.add("Reshape", sums_of_halves, int64(0, 2, len(baseline))), int64(1), keepdims=0
    )


def ensemble(graph: Graph, x: str, trees: Trees, baseline: NDArray[np.float64]) -> str:
    """The sums over trees [n, outputs], computed in double precision; a value goes left if it is <= the threshold."""
    inner, nodes = trees.inner, np.arange(len(trees.inner))
    tree = np.searchsorted(trees.roots, nodes, side="right") - 1
    node_ids = nodes - trees.roots[tree]
    left_children = np.where(inner, trees.children - trees.roots[tree], 0)
    leaves, outputs = _weights(trees)
    integers = {
        "nodes_treeids": tree,
        "nodes_nodeids": node_ids,
        "nodes_featureids": np.where(inner, trees.columns % trees.width, 0),
        "nodes_truenodeids": left_children,
        "nodes_falsenodeids": np.where(inner, left_children + 1, 0),
        "nodes_missing_value_tracks_true": inner & (trees.columns >= trees.width),
        "target_treeids": tree[leaves],
        "target_nodeids": node_ids[leaves],
        "target_ids": outputs,
    }
    reals = {
        "nodes_values": np.where(inner, trees.thresholds, 0),
        "target_weights": trees.values[leaves, outputs],
        "base_values": baseline,
    }
    attributes: dict[str, Any] = {name: values.astype(int).tolist() for name, values in integers.items()}
    attributes |= {f"{name}_as_tensor": numpy_helper.from_array(float64(value)) for name, value in reals.items()}
    modes = np.where(inner, "BRANCH_LEQ", "LEAF").tolist()
    return graph.add(
        "TreeEnsembleRegressor",
        graph.add("Cast", x, to=DOUBLE),
        domain="ai.onnx.ml",
        n_targets=trees.values.shape[1],
        nodes_modes=modes,
        **attributes,
    )


def _weights(trees: Trees) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The leaf and the output of each value to add; a leaf that adds nothing is listed once."""
    adds = trees.values != 0
    adds[:, 0] |= ~trees.inner & ~adds.any(axis=1)
    leaves, outputs = np.nonzero(adds & ~trees.inner[:, None])
    return leaves, outputs
