"""A tagger of any kind as nodes; members are selected by the fold of each event, or averaged."""

from __future__ import annotations

from typing import NamedTuple

from hepclf.export.formats import uncalibrated
from hepclf.export.onnx.calibration import calibration_nodes
from hepclf.export.onnx.fisher import fisher_probabilities
from hepclf.export.onnx.graph import Graph, float64, int64
from hepclf.export.onnx.layers import network_probabilities
from hepclf.export.onnx.link import logistic
from hepclf.export.onnx.trees import tree_probabilities
from hepclf.models.fisher import FisherTagger
from hepclf.models.members import MembersTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger
from hepclf.statistics.mean_logit import SMALLEST


class Raw(NamedTuple):
    """The outputs that hold the features [n, d] of these names and the event number or fold [n] of each event."""

    features: str
    names: tuple[str, ...]
    key: str = ""

    def select(self, graph: Graph, names: tuple[str, ...]) -> Raw:
        """The features of these names alone."""
        if names == self.names:
            return self
        columns = int64(*(self.names.index(name) for name in names))
        return self._replace(features=graph.add("Gather", self.features, columns, axis=1), names=names)

    def take(self, graph: Graph, rows: str) -> Raw:
        """The events at these positions."""
        features, key = (graph.add("Gather", values, rows, axis=0) for values in (self.features, self.key))
        return self._replace(features=features, key=key)


def probabilities(graph: Graph, tagger: Tagger, raw: Raw) -> str:
    """Probabilities [n] or [n, k], double."""
    raw = raw.select(graph, tagger.inputs)
    if isinstance(tagger, MembersTagger):
        combine = _averaged if tagger.keyed is None else _of_fold
        return combine(graph, tagger, raw)
    inner, calibration = uncalibrated(tagger)
    p = _plain(graph, inner, raw.features, exact=calibration is not None)
    return p if calibration is None else calibration_nodes(graph, calibration, p, len(tagger.classes))


def _plain(graph: Graph, tagger: Tagger, features: str, *, exact: bool) -> str:
    if isinstance(tagger, NetworkTagger):
        return network_probabilities(graph, tagger, features)
    if isinstance(tagger, TreesTagger):
        return tree_probabilities(graph, tagger, features, exact=exact)
    if isinstance(tagger, FisherTagger):
        return fisher_probabilities(graph, tagger, features)
    raise NotImplementedError


def _of_fold(graph: Graph, tagger: MembersTagger, raw: Raw) -> str:
    """Each member scores the events of its fold alone; then the scores return to the order of the events."""
    event_fold = graph.add("Mod", raw.key, int64(len(tagger.members)))
    rows, scores = [], []
    for fold, member in enumerate(tagger.members):
        is_chosen = graph.add("Equal", event_fold, int64(fold))
        rows.append(graph.add("Squeeze", graph.add("NonZero", is_chosen), int64(0)))
        scores.append(probabilities(graph, member, raw.take(graph, rows[-1])))
    places = graph.add("Unsqueeze", graph.add("Concat", *rows, axis=0), int64(1))
    joined = graph.add("Concat", *scores, axis=0)
    return graph.add("ScatterND", joined, places, joined)


def _averaged(graph: Graph, tagger: MembersTagger, raw: Raw) -> str:
    """The weighted mean of the members' probabilities or logits; nan where one of them is nan."""
    classes = len(tagger.classes)
    stacked = [graph.add("Unsqueeze", probabilities(graph, member, raw), int64(0)) for member in tagger.members]
    p = graph.add("Concat", *stacked, axis=0)
    weights = float64(tagger.weights).reshape(-1, *(1,) * (1 if classes == 2 else 2))
    if tagger.average == "probability":
        return _sum(graph, graph.add("Mul", p, weights))
    logits = _log(graph, p)
    if classes == 2:
        logits = graph.add("Sub", logits, _log(graph, graph.add("Sub", float64(1), p)))
    mean = logistic(graph, _sum(graph, graph.add("Mul", logits, weights)), classes)
    return graph.add("Add", mean, _sum(graph, graph.add("Sub", p, p)))


def _log(graph: Graph, p: str) -> str:
    return graph.add("Log", graph.add("Max", p, float64(SMALLEST)))


def _sum(graph: Graph, values: str) -> str:
    """The sum over members."""
    return graph.add("ReduceSum", values, int64(0), keepdims=0)
