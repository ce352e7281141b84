"""A tagger as one ONNX file: raw features in, probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hepclf.events import by_value
from hepclf.export.components import event_folds
from hepclf.export.formats import Score
from hepclf.export.onnx.graph import EVENT, FEATURES, FLOAT, FOLD, Graph, float32, int64
from hepclf.export.onnx.members import Raw, probabilities
from hepclf.models.model import Tagger

LARGEST = 2**63 - 1  # event number


def onnx_file(tagger: Tagger, name: str, notes: Mapping[str, str]) -> bytes:  # noqa: ARG001
    """The bytes of the file; `notes` become its metadata."""
    graph, classes, key = Graph(), len(tagger.classes), key_input(tagger)
    features = _raw(graph, tagger)
    scores = graph.add("Cast", probabilities(graph, tagger, Raw(features, tagger.inputs, key or "")), to=FLOAT)
    scores = _nan_where_infinite(graph, features, scores, classes)
    if key is not None:
        scores = _nan_where_negative(graph, key, scores, classes)
    model = graph.model(scores, len(tagger.inputs), classes, notes, key=key)
    return bytes(model.SerializeToString())


def key_input(tagger: Tagger) -> str | None:
    """The name of the input besides the features: the event number or, of hashed folds, the fold; otherwise None."""
    folds = event_folds(tagger)
    if folds is None:
        return None
    return EVENT if len(folds.columns) == 1 else FOLD


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


def _nan_where_negative(graph: Graph, key: str, scores: str, classes: int) -> str:
    """These scores, with nan for a negative event number, which belongs to no fold."""
    is_negative = graph.add("Less", key, int64(0))
    if classes > 2:
        is_negative = graph.add("Unsqueeze", is_negative, int64(1))
    return graph.add("Where", is_negative, float32(np.nan), scores)


@contextmanager
def onnx_scores(data: bytes) -> Iterator[Score]:
    """A function that scores with such a file through onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]

    def score(features: NDArray[np.float32], key: NDArray[np.uint64] | None = None, /) -> NDArray[np.float64]:
        arrays: list[NDArray[np.float32] | NDArray[np.int64]] = [features]
        if key is not None:
            arrays.append(_signed(key))
        scores: NDArray[np.float32] = session.run(None, dict(zip(names, arrays, strict=True)))[0]
        return scores.astype(np.float64)

    yield score


def _signed(key: NDArray[np.uint64]) -> NDArray[np.int64]:
    if len(key) and key.max() > LARGEST:
        raise ValueError(f"event numbers must be below 2^63 for format=onnx, not {key.max()}; use format=cpp")
    return key.astype(np.int64)


def onnx_usage(tagger: Tagger, name: str, path: str) -> list[str]:  # noqa: ARG001
    """Lines of Python code that use the file."""
    folds, key = event_folds(tagger), key_input(tagger)
    arrays, comment = f'"{FEATURES}": {FEATURES}', "float32 [n, d]"
    if folds is not None:
        arrays += f', "{key}": {key}'
        hashed = f", the hash of {', '.join(folds.columns)} modulo {folds.count}" if key == FOLD else ""
        comment += f", int64 [n]{hashed}"
    return [
        f'session = onnxruntime.InferenceSession("{path}")',
        f'scores = session.run(["probability"], {{{arrays}}})[0]  # {comment}',
    ]
