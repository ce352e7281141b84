"""Fisher's discriminant as nodes, in double precision as the tagger computes it."""

from __future__ import annotations

import numpy as np

from hepclf.export.onnx.graph import DOUBLE, Graph
from hepclf.models.fisher import FisherTagger


def fisher_probabilities(graph: Graph, tagger: FisherTagger, x: str) -> str:
    """Probabilities [n] or [n, k] of raw features [n, d], double."""
    arrays = tagger.arrays
    filled = graph.add("Where", graph.add("IsNaN", x), arrays["fill"].astype(np.float32), x)
    centred = graph.add("Sub", graph.add("Cast", filled, to=DOUBLE), arrays["centre"])
    logits = graph.add("Add", graph.add("MatMul", centred, arrays["coefficients"].T), arrays["intercepts"])
    probabilities = graph.add("Softmax", logits, axis=1)
    if len(tagger.classes) > 2:
        return probabilities
    return graph.add("Gather", probabilities, np.array(1), axis=1)
