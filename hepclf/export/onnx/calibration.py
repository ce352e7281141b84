"""The map of a calibrated tagger as nodes, in double precision as the tagger computes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.export.lines import lines
from hepclf.export.onnx.graph import INT64, Graph, double, whole
from hepclf.export.onnx.link import logistic
from hepclf.statistics.calibration import LARGEST, SMALLEST, Isotonic, Temperature


def calibrated(graph: Graph, found: Temperature | Isotonic, p: str, classes: int) -> str:
    """Probabilities of the same shape as p, which is double; nan stays nan."""
    if classes > 2:
        at = graph.add("Log", graph.add("Max", p, double(SMALLEST)))
    else:
        inside = graph.add("Min", graph.add("Max", p, double(SMALLEST)), double(LARGEST))
        at = graph.add("Log", graph.add("Div", inside, graph.add("Sub", double(1), inside)))
    if isinstance(found, Isotonic):
        mapped = _straight(graph, found, at)
    else:
        mapped = graph.add("Div", at, double(found.temperature))
    return graph.add("Add", logistic(graph, mapped, classes), graph.add("Sub", p, p))  # zero, or nan


def _straight(graph: Graph, found: Isotonic, at: str) -> str:
    knots, *tables = lines(found)
    place = _passed(graph, knots, at)
    start, value, slope = (graph.add("Gather", table, place) for table in tables)
    return graph.add("Add", value, graph.add("Mul", slope, graph.add("Sub", at, start)))


def _passed(graph: Graph, knots: NDArray[np.float64], at: str) -> str:
    """How many knots are at most each of these numbers [n], by halving: memory grows with n alone; nan passes none."""
    steps = [1 << power for power in reversed(range(len(knots).bit_length()))]
    padded = np.concatenate([knots, np.full(2 * steps[0] - 1 - len(knots), np.inf)])
    table = graph.add("Identity", padded)  # so that the file holds it once
    place = graph.add("Cast", graph.add("Less", at, double(-np.inf)), to=INT64)  # zeros
    for step in steps:
        knot = graph.add("Gather", table, graph.add("Add", place, whole(step - 1)))
        passed = graph.add("Cast", graph.add("LessOrEqual", knot, at), to=INT64)
        place = graph.add("Add", place, graph.add("Mul", passed, whole(step)))
    return place
