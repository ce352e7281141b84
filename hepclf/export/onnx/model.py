"""A tagger as one ONNX file: raw features in, probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value
from hepclf.export.formats import Score, uncalibrated
from hepclf.export.onnx.calibration import calibration_nodes
from hepclf.export.onnx.fisher import fisher_probabilities
from hepclf.export.onnx.graph import FEATURES, FLOAT, Graph, float32, int64
from hepclf.export.onnx.layers import network_probabilities
from hepclf.export.onnx.trees import tree_probabilities
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger


def onnx_file(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """The bytes of the file; `notes` become its metadata."""
    graph, (inner, calibration), classes = Graph(), uncalibrated(tagger), len(tagger.classes)
    features = _raw(graph, tagger)
    if isinstance(inner, NetworkTagger):
        probabilities = network_probabilities(graph, inner, features)
    elif isinstance(inner, TreesTagger):
        probabilities = tree_probabilities(graph, inner, features, exact=calibration is not None)
    elif isinstance(inner, FisherTagger):
        probabilities = fisher_probabilities(graph, inner, features)
    else:
        raise NotImplementedError
    if calibration is not None:
        probabilities = calibration_nodes(graph, calibration, probabilities, classes)
    probabilities = _nan_where_infinite(graph, features, graph.add("Cast", probabilities, to=FLOAT), classes)
    model = graph.model(probabilities, len(tagger.inputs), classes, notes)
    return bytes(model.SerializeToString())


def _raw(graph: Graph, tagger: Tagger) -> str:
    """The features with NaN in place of declared missing values."""
    features = FEATURES
    for value, columns in by_value(tagger.inputs, tagger.sentinels).items():
        is_sentinel = graph.add("Equal", FEATURES, float32(value))
        if len(columns) < len(tagger.inputs):
            is_sentinel = graph.add("And", is_sentinel, np.isin(np.arange(len(tagger.inputs)), columns))
        features = graph.add("Where", is_sentinel, float32(np.nan), features)
    return features


def _nan_where_infinite(graph: Graph, features: str, scores: str, classes: int) -> str:
    """These scores, with nan for an event with an infinite feature: the tagger has no score for it."""
    infinite = graph.add("Cast", graph.add("IsInf", features), to=FLOAT)
    count = graph.add("ReduceSum", infinite, int64(1), keepdims=int(classes > 2))
    return graph.add("Where", graph.add("Greater", count, float32(0)), float32(np.nan), scores)


@contextmanager
def onnx_scores(data: bytes) -> Iterator[Score]:
    """A function that scores with such a file through onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    def score(features: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float32] = session.run(None, {FEATURES: features})[0]
        return scores.astype(np.float64)

    yield score


def onnx_usage(tagger: Tagger, name: str, path: str) -> list[str]:  # noqa: ARG001
    """Lines of Python code that use the file."""
    return [
        f'session = onnxruntime.InferenceSession("{path}")',
        f'scores = session.run(["probability"], {{"{FEATURES}": {FEATURES}}})[0]  # float32 [n, d]',
    ]
