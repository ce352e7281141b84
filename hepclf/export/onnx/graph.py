"""An ONNX graph that is written node by node."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

FORMAT = 8  # of the file, and the versions of its operators: each runtime since 2022 reads them
OPERATORS = 17
TREES = 3
FEATURES, PROBABILITY = "features", "probability"
EVENT, FOLD = "event", "fold"  # the input besides the features of a tagger with folds: the column, or the fold itself
FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


class Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._numbers = count()

    def add(self, operator: str, *inputs: str | NDArray[Any], domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output; each input is the name of an output, or a constant."""
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        output = f"{operator}_{next(self._numbers)}"
        self._nodes.append(helper.make_node(operator, names, [output], domain=domain, **attributes))
        return output

    def _constant(self, values: NDArray[Any]) -> str:
        name = f"constant_{next(self._numbers)}"
        self._constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def model(
        self, probability: str, inputs: int, classes: int, notes: Mapping[str, str], *, key: str | None = None
    ) -> ModelProto:
        """The model from features [n, inputs] to this output: [n] for two classes, otherwise [n, k].

        key  the name of a second input of whole numbers [n]
        """
        self._nodes.append(helper.make_node("Identity", [probability], [PROBABILITY]))
        shape: list[str | int | None] = ["events"] if classes == 2 else ["events", classes]
        taken = [helper.make_tensor_value_info(FEATURES, FLOAT, ["events", inputs])]
        if key is not None:
            taken.append(helper.make_tensor_value_info(key, INT64, ["events"]))
        graph = helper.make_graph(
            self._nodes,
            "tagger",
            taken,
            [helper.make_tensor_value_info(PROBABILITY, FLOAT, shape)],
            self._constants,
        )
        versions = [helper.make_opsetid("", OPERATORS), helper.make_opsetid("ai.onnx.ml", TREES)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=FORMAT, producer_name="hepclf")
        helper.set_model_props(model, dict(notes))
        checker.check_model(model, full_check=True)
        return model


def float32(values: Any) -> NDArray[np.float32]:
    """Numbers as a float32 constant."""
    return np.asarray(values, dtype=np.float32)


def float64(values: Any) -> NDArray[np.float64]:
    """Numbers as a float64 constant."""
    return np.asarray(values, dtype=np.float64)


def int64(*values: int) -> NDArray[np.int64]:
    """Shapes, axes and indices as an int64 constant."""
    return np.array(values, dtype=np.int64)
