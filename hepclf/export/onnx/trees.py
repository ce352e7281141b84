"""Trees as one node of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from hepclf.export.onnx.graph import DOUBLE, Graph, double, single, whole
from hepclf.models.trees import Trees, TreesTagger


def scored(graph: Graph, tagger: TreesTagger, x: str) -> str:
    """Probabilities [n] or [n, k] of raw features [n, d]."""
    sums = ensemble(graph, x, tagger.trees, tagger.arrays["baseline"])
    if tagger.settings["link"] == "mean":
        means = graph.add("Div", sums, single(len(tagger.arrays["sizes"])))
        found = graph.add("Clip", means, single(0), single(1))
    elif len(tagger.classes) == 2:
        found = graph.add("Sigmoid", sums)
    else:
        found = graph.add("Softmax", sums, axis=1)
    return graph.add("Squeeze", found, whole(1)) if len(tagger.classes) == 2 else found


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
