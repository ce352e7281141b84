"""The map of a calibrated tagger as nodes, in double precision as the tagger computes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hepclf.export.lines import straight_lines
from hepclf.export.onnx.graph import INT64, Graph, float64, int64
from hepclf.export.onnx.link import logistic
from hepclf.statistics.calibration import LARGEST, SMALLEST, Isotonic, Temperature


def calibration_nodes(graph: Graph, calibration: Temperature | Isotonic, p: str, classes: int) -> str:
    """Calibrated probabilities in the shape of p, which is double; nan stays nan."""
    if classes > 2:
        logits = graph.add("Log", graph.add("Max", p, float64(SMALLEST)))
    else:
        bounded = graph.add("Min", graph.add("Max", p, float64(SMALLEST)), float64(LARGEST))
        logits = graph.add("Log", graph.add("Div", bounded, graph.add("Sub", float64(1), bounded)))
    if isinstance(calibration, Isotonic):
        mapped = _mapped_logits(graph, calibration, logits)
    else:
        mapped = graph.add("Div", logits, float64(calibration.temperature))
    return graph.add("Add", logistic(graph, mapped, classes), graph.add("Sub", p, p))  # zero, or nan


def _mapped_logits(graph: Graph, calibration: Isotonic, logits: str) -> str:
    knots, *tables = straight_lines(calibration)
    line = _knots_passed(graph, knots, logits)
    start, value, slope = (graph.add("Gather", table, line) for table in tables)
    return graph.add("Add", value, graph.add("Mul", slope, graph.add("Sub", logits, start)))


def _knots_passed(graph: Graph, knots: NDArray[np.float64], logits: str) -> str:
    """How many knots are at most each logit [n], by bisection: memory grows with n only; nan passes none."""
    steps = [1 << power for power in reversed(range(len(knots).bit_length()))]
    padded = np.concatenate([knots, np.full(2 * steps[0] - 1 - len(knots), np.inf)])
    table = graph.add("Identity", padded)  # so that the file holds it once
    count = graph.add("Cast", graph.add("Less", logits, float64(-np.inf)), to=INT64)  # zeros
    for step in steps:
        knot = graph.add("Gather", table, graph.add("Add", count, int64(step - 1)))
        passed = graph.add("Cast", graph.add("LessOrEqual", knot, logits), to=INT64)
        count = graph.add("Add", count, graph.add("Mul", passed, int64(step)))
    return count
