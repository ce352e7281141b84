"""A tagger as one ONNX file: raw features in, probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hepclf.export.form import Score, bare
from hepclf.export.onnx import layers, trees
from hepclf.export.onnx.calibration import calibrated
from hepclf.export.onnx.fisher import scored as fisher_scored
from hepclf.export.onnx.graph import FEATURES, FLOAT, Graph, single, whole
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger


def written(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """The bytes of the file; `notes` become its metadata."""
    graph, (inner, calibration), classes = Graph(), bare(tagger), len(tagger.classes)
    if isinstance(inner, NetworkTagger):
        found = layers.scored(graph, inner, FEATURES)
    elif isinstance(inner, TreesTagger):
        found = trees.scored(graph, inner, FEATURES, exact=calibration is not None)
    elif isinstance(inner, FisherTagger):
        found = fisher_scored(graph, inner, FEATURES)
    else:
        raise NotImplementedError
    if calibration is not None:
        found = calibrated(graph, calibration, found, classes)
    found = _refused(graph, graph.add("Cast", found, to=FLOAT), classes)
    model = graph.model(found, len(tagger.inputs), classes, notes)
    return bytes(model.SerializeToString())


def _refused(graph: Graph, scores: str, classes: int) -> str:
    """These scores, and nan for an event with an infinite feature: the tagger has no score for it."""
    infinite = graph.add("Cast", graph.add("IsInf", FEATURES), to=FLOAT)
    count = graph.add("ReduceSum", infinite, whole(1), keepdims=int(classes > 2))
    return graph.add("Where", graph.add("Greater", count, single(0)), single(np.nan), scores)


@contextmanager
def opened(data: bytes) -> Iterator[Score]:
    """How onnxruntime scores with such a file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    def score(features: NDArray[np.float32]) -> NDArray[np.float64]:
        found: NDArray[np.float32] = session.run(None, {FEATURES: features})[0]
        return found.astype(np.float64)

    yield score
