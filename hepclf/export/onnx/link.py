"""Logits to probabilities, as nodes."""

from __future__ import annotations

from hepclf.export.onnx.graph import Graph, float64


def logistic(graph: Graph, logits: str, classes: int) -> str:
    """The probability of the second of two classes [n], or of each class [n, k]; logits are double."""
    if classes > 2:
        return graph.add("Softmax", logits, axis=1)
    return graph.add("Div", float64(1), graph.add("Add", float64(1), graph.add("Exp", graph.add("Neg", logits))))
