"""A small tree as rules: one line per leaf, which is a valid selection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.models.trees import TreesTagger

MOST = 32  # leaves that a person still reads


def rules(tagger: TreesTagger, missing: list[int]) -> dict[str, Any]:
    """The rules of a tagger with one small tree, otherwise nothing: the cut that leads to each leaf, and its scores.

    A cut is an expression of the features (docs/expressions.md). If a feature had missing values in training (columns
    `missing`), the side that takes them is written as a negation (`not x > 3`), because no comparison holds for NaN.
    """
    if len(tagger.arrays["sizes"]) != 1 or len(tagger.arrays["values"]) > MOST:
        return {}
    inner, children = tagger.trees.inner, tagger.trees.children
    leaves, cuts, lines = iter(tagger.arrays["values"]), {0: ""}, []
    for node in range(len(inner)):
        if inner[node]:
            for side, cut in enumerate(_cuts(tagger, node, missing)):
                cuts[int(children[node]) + side] = f"{cuts[node]} and {cut}" if cuts[node] else cut
        else:
            lines.append({"cut": cuts[node], "scores": _scores(tagger.classes, next(leaves))})
    return {"rules": lines}


def _cuts(tagger: TreesTagger, node: int, missing: list[int]) -> tuple[str, str]:
    """The cuts that lead to the left and to the right child of a node."""
    column = tagger.arrays["features"][node]
    name = tagger.inputs[column]
    if not name.isidentifier():
        name = f"({name})"
    value = repr(float(tagger.arrays["thresholds"][node]))  # in full: an event on the edge stays on its side
    below, above = f"{name} <= {value}", f"{name} > {value}"
    if column not in missing:
        return below, above
    if tagger.arrays["missing_left"][node]:
        return f"not {above}", above
    return below, f"not {below}"


def _scores(classes: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float]:
    scores = [1 - values[0], values[0]] if len(values) == 1 else values
    return {name: float(value) for name, value in zip(classes, scores, strict=True)}
