"""A tagger as one ONNX file: raw features in, probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value
from hepclf.export.form import Score, bare
from hepclf.export.onnx import layers, trees
from hepclf.export.onnx.calibration import calibrated
from hepclf.export.onnx.fisher import scored as fisher_scored
from hepclf.export.onnx.graph import FEATURES, FLOAT, Graph, single, whole
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger, sentinels
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger


def written(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """The bytes of the file; `notes` become its metadata."""
    graph, (inner, calibration), classes = Graph(), bare(tagger), len(tagger.classes)
    features = _raw(graph, tagger)
    if isinstance(inner, NetworkTagger):
        found = layers.scored(graph, inner, features)
    elif isinstance(inner, TreesTagger):
        found = trees.scored(graph, inner, features, exact=calibration is not None)
    elif isinstance(inner, FisherTagger):
        found = fisher_scored(graph, inner, features)
    else:
        raise NotImplementedError
    if calibration is not None:
        found = calibrated(graph, calibration, found, classes)
    found = _refused(graph, features, graph.add("Cast", found, to=FLOAT), classes)
    model = graph.model(found, len(tagger.inputs), classes, notes)
    return bytes(model.SerializeToString())


def _raw(graph: Graph, tagger: Tagger) -> str:
    """The features with NaN in place of declared missing values."""
    features = FEATURES
    for value, places in by_value(tagger.inputs, sentinels(tagger)).items():
        standing = graph.add("Equal", FEATURES, single(value))
        if len(places) < len(tagger.inputs):
            standing = graph.add("And", standing, np.isin(np.arange(len(tagger.inputs)), places))
        features = graph.add("Where", standing, single(np.nan), features)
    return features


def _refused(graph: Graph, features: str, scores: str, classes: int) -> str:
    """These scores, and nan for an event with an infinite feature: the tagger has no score for it."""
    infinite = graph.add("Cast", graph.add("IsInf", features), to=FLOAT)
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
