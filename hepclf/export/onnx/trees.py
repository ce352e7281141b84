"""Trees as one node of a graph."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from hepclf.export.onnx.graph import DOUBLE, Graph, double, whole
from hepclf.export.onnx.link import logistic
from hepclf.models.trees import Trees, TreesTagger

DIGITS = 22  # in binary, of a sum of leading digits: float32 has 24, and each tree may round up


def scored(graph: Graph, tagger: TreesTagger, x: str, *, exact: bool) -> str:
    """Probabilities [n] or [n, k] of raw features [n, d], double.

    exact  whether the sums are exact as well, as a map of them wants it, or rounded to float32
    """
    if exact:
        sums = _exact(graph, x, tagger.trees, tagger.arrays["baseline"])
    else:
        sums = graph.add("Cast", ensemble(graph, x, tagger.trees, tagger.arrays["baseline"]), to=DOUBLE)
    if len(tagger.classes) == 2:
        sums = graph.add("Squeeze", sums, whole(1))
    if tagger.settings["link"] == "logistic":
        return logistic(graph, sums, len(tagger.classes))
    means = graph.add("Div", sums, double(len(tagger.arrays["sizes"])))
    return graph.add("Clip", means, double(0), double(1))


def _exact(graph: Graph, x: str, trees: Trees, baseline: NDArray[np.float64]) -> str:
    """The sums in double precision, of a node that gives float32: once of leading digits, once of what is left.

    Leading digits are whole multiples of a unit, so few that float32 holds each of their sums exactly.
    """
    largest = np.maximum.reduceat(np.abs(trees.values).max(axis=1), trees.roots).sum() + np.abs(baseline).max()
    unit = 2.0 ** (np.frexp(largest)[1] - DIGITS)

    def halves(values: NDArray[np.float64]) -> NDArray[np.float64]:
        leading = np.round(values / unit) * unit
        return np.concatenate([leading, values - leading], axis=-1)

    doubled = copy(trees)
    doubled.values = halves(trees.values)
    both = graph.add("Cast", ensemble(graph, x, doubled, halves(baseline)), to=DOUBLE)
    return graph.add("ReduceSum", graph.add("Reshape", both, whole(0, 2, len(baseline))), whole(1), keepdims=0)


def ensemble(graph: Graph, x: str, trees: Trees, baseline: NDArray[np.float64]) -> str:
    """The sums over trees [n, outputs], taken in double precision; a value goes left where it is <= the threshold."""
    inner, nodes = trees.inner, np.arange(len(trees.inner))
    tree = np.searchsorted(trees.roots, nodes, side="right") - 1
    places = nodes - trees.roots[tree]
    left = np.where(inner, trees.children - trees.roots[tree], 0)
    leaves, outputs = _weights(trees)
    whole_numbers = {
        "nodes_treeids": tree,
        "nodes_nodeids": places,
        "nodes_featureids": np.where(inner, trees.columns % trees.width, 0),
        "nodes_truenodeids": left,
        "nodes_falsenodeids": np.where(inner, left + 1, 0),
        "nodes_missing_value_tracks_true": inner & (trees.columns >= trees.width),
        "target_treeids": tree[leaves],
        "target_nodeids": places[leaves],
        "target_ids": outputs,
    }
    numbers = {
        "nodes_values": np.where(inner, trees.thresholds, 0),
        "target_weights": trees.values[leaves, outputs],
        "base_values": baseline,
    }
    attributes: dict[str, Any] = {name: values.astype(int).tolist() for name, values in whole_numbers.items()}
    attributes |= {f"{name}_as_tensor": numpy_helper.from_array(double(value)) for name, value in numbers.items()}
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
    """The nodes that are leaves, and the outputs they add to; one that adds nothing is named once."""
    adds = trees.values != 0
    adds[:, 0] |= ~trees.inner & ~adds.any(axis=1)
    leaves, outputs = np.nonzero(adds & ~trees.inner[:, None])
    return leaves, outputs
