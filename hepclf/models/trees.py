"""Ensembles of decision trees as plain arrays, the same for each library that grows trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax

from hepclf.models.arrays import ArrayTagger

BLOCK = 1 << 11  # events scored at once: their features stay in the processor's cache
CELLS = 1 << 16  # events times trees that are walked together
STEPS = 3  # levels between two looks at which events have reached a leaf
DEEPEST = 1 << 10  # levels of a tree
LARGEST = 1e100  # of a leaf's value, in size: sums of them stay finite
LEAF = -1  # in place of a feature

Arrays = dict[str, NDArray[Any]]


class Nodes(NamedTuple):
    """One tree as a library stores it: left and right are the indices of children, and the root comes first.

    features  LEAF marks a leaf
    values    the values of each leaf [nodes, outputs]; those of other nodes are not used
    """

    features: NDArray[Any]
    thresholds: NDArray[Any]
    missing_left: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]
    values: NDArray[Any]


def planted(trees: Sequence[Nodes]) -> Arrays:
    """The arrays of these trees, each numbered level by level, so that children need not be stored.

    An event goes left if its float32 feature <= threshold; a threshold rounded down to float32 decides the same.
    """
    sizes = np.array([len(tree.features) for tree in trees], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    nodes = Nodes(*(np.concatenate(column) for column in zip(*trees, strict=True)))
    offsets = np.repeat(starts, sizes)
    order = _level_by_level(nodes.features != LEAF, nodes.left + offsets, nodes.right + offsets, starts)
    nodes = Nodes(*(column[order] for column in nodes))
    leaf = nodes.features == LEAF
    return {
        "sizes": sizes,
        "features": nodes.features.astype(np.int32),
        "thresholds": _rounded_down(np.where(leaf, 0.0, nodes.thresholds)),
        "missing_left": nodes.missing_left.astype(bool) & ~leaf,
        "values": nodes.values[leaf].astype(np.float64),
    }


def concatenated(parts: Sequence[Arrays]) -> Arrays:
    """The ensemble of all these trees."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _level_by_level(
    inner: NDArray[Any], left_children: NDArray[Any], right_children: NDArray[Any], roots: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The order of all nodes: tree after tree, and in each tree level by level, from left to right."""
    level, tree = roots, np.arange(len(roots))
    levels, owners = [], []
    while len(level):
        levels.append(level)
        owners.append(tree)
        # Only inner nodes have children; each passes its tree on to both of them.
        split = inner[level]
        level, tree = level[split], np.repeat(tree[split], 2)
        level = np.stack([left_children[level], right_children[level]], axis=1).ravel().astype(np.int64)
    order: NDArray[np.int64] = np.concatenate(levels)
    return order[np.argsort(np.concatenate(owners), kind="stable")]


def _rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest finite float32 that is not above each value."""
    largest = np.finfo(np.float32).max
    values = np.clip(values, -largest, largest)
    rounded = values.astype(np.float32)
    above = rounded > values
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded


class Trees:
    """Trees ready for scoring; a ValueError if the arrays are not those of `planted`.

    sizes         nodes of each tree [trees]
    features      the feature that a node tests, LEAF for a leaf [nodes]
    thresholds    float32 [nodes]; an event goes left if its feature is at most the threshold
    missing_left  whether an event without that feature goes left [nodes]
    values        the values that each leaf adds to the outputs [leaves, outputs]

    The j-th inner node of a tree has the nodes 2j + 1 and 2j + 2 of that tree as children. So a file cannot contain a
    cycle, and no event visits more nodes than the file holds.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], inputs: int) -> None:
        sizes, features = arrays["sizes"], arrays["features"].astype(np.int64)
        if len(sizes) == 0 or sizes.min() < 1 or sizes.max() > len(features) or sizes.sum() != len(features):
            raise ValueError(f"the sizes of the trees must sum to the {len(features)} nodes")
        if features.min() < LEAF or features.max() >= inputs:
            raise ValueError(f"nodes must look at features 0..{inputs - 1}, not {features.min()}..{features.max()}")
        self.width = inputs
        self.roots = np.cumsum(sizes, dtype=np.int64) - sizes
        self.inner = features != LEAF
        self.children = _children(self.inner, self.roots, sizes)
        _refuse_deep(self.inner, self.children, self.roots)
        self.columns = np.where(self.inner, features + inputs * arrays["missing_left"], 0)
        self.thresholds = np.where(self.inner, arrays["thresholds"].astype(np.float32), np.float32(np.inf))
        self.values = np.zeros((len(features), arrays["values"].shape[1]))
        self.values[~self.inner] = arrays["values"]

    def sums(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The sum over trees of the values of the leaves that each event reaches [n, outputs]; features [n, d]."""
        totals = np.empty((len(features), self.values.shape[1]))
        parts = [slice(start, start + BLOCK) for start in range(0, len(features), BLOCK)]

        def score(part: slice) -> None:
            totals[part] = self._block(features[part])

        if len(parts) > 1 and torch.get_num_threads() > 1:
            with ThreadPoolExecutor(min(torch.get_num_threads(), len(parts))) as pool:
                list(pool.map(score, parts))  # NumPy gives way to other threads while it works
        else:
            list(map(score, parts))
        return totals

    def _block(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        events = len(features)
        absent, infinity = np.isnan(features), np.float32(np.inf)
        # Each feature appears twice: a missing value is above every threshold, or below, depending on the node.
        table = np.concatenate([np.where(absent, infinity, features), np.where(absent, -infinity, features)], axis=1)
        flat, rows = table.ravel(), np.arange(events) * table.shape[1]
        total = np.zeros((events, self.values.shape[1]))
        together = max(1, CELLS // events)
        for first in range(0, len(self.roots), together):
            roots = self.roots[first : first + together]
            leaves = self._walked(np.repeat(roots, events), np.tile(rows, len(roots)), flat)
            total += self.values.take(leaves, axis=0).reshape(len(roots), events, -1).sum(axis=0)
        return total

    def _walked(
        self, nodes: NDArray[np.int64], rows: NDArray[np.int64], flat: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """The leaves that are reached from these nodes by the events whose features begin at `rows` of `flat`."""
        leaves, places = nodes, None
        while len(nodes):
            for _ in range(STEPS):  # at a leaf, a step leads nowhere
                cells = self.columns.take(nodes)
                cells += rows
                right = flat.take(cells) > self.thresholds.take(nodes)
                nodes = self.children.take(nodes)
                nodes += right
            if places is None:
                leaves = nodes
            else:
                leaves[places] = nodes
            going = np.flatnonzero(self.inner.take(nodes))
            places = going if places is None else places.take(going)
            nodes, rows = nodes.take(going), rows.take(going)
        return leaves


def _children(inner: NDArray[np.bool_], roots: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The left child of each inner node, whose neighbour is the right child; a leaf points to itself."""
    before: NDArray[np.int64] = np.cumsum(inner) - inner  # inner nodes of all trees before each
    splits = np.add.reduceat(inner.astype(np.int64), roots)
    if (sizes != 2 * splits + 1).any():
        tree = int(np.argmax(sizes != 2 * splits + 1))
        raise ValueError(
            f"tree {tree} must have {2 * splits[tree] + 1} nodes for its {splits[tree]} splits, not {sizes[tree]}"
        )
    places = np.arange(len(inner))
    children = np.repeat(roots + 1 - 2 * before[roots], sizes) + 2 * before
    if (children <= places)[inner].any():
        raise ValueError("a node of a tree is its own ancestor")
    return np.where(inner, children, places)


def _refuse_deep(inner: NDArray[np.bool_], children: NDArray[np.int64], roots: NDArray[np.int64]) -> None:
    depth, level = 0, roots[inner[roots]]
    while len(level):
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"a tree has more than {DEEPEST} levels")
        level = children[level]
        level = np.concatenate([level[inner[level]], level[inner[level + 1]] + 1])


class TreesTagger(ArrayTagger):
    """The trees' outputs, summed and mapped to probabilities; missing values follow the direction stored in the trees.

    With link=logistic, outputs plus the baseline are logits: one for two classes, otherwise one per class. With
    link=mean, each leaf holds probabilities, which are averaged.
    """

    kind = "trees"

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of class 1 [n], or of each class [n, k]."""
        sums = self.trees.sums(np.ascontiguousarray(features))
        return linked(sums + self.arrays["baseline"], self.settings["link"], len(self.arrays["sizes"]))

    def check(self) -> None:
        """Check shapes and ranges, and that the arrays form trees."""
        outputs = 1 if len(self.classes) == 2 else len(self.classes)
        nodes = self.arrays["features"].size
        self._shaped("sizes", (self.arrays["sizes"].size,), "i")
        self._shaped("features", (nodes,), "i")
        self._shaped("thresholds", (nodes,))
        self._shaped("missing_left", (nodes,), "b")
        self._shaped("baseline", (outputs,))
        values = self._shaped("values", (int((self.arrays["features"] == LEAF).sum()), outputs))
        self.trees = Trees(self.arrays, len(self.inputs))
        link = self.settings["link"]
        if link not in ("logistic", "mean"):
            raise ValueError(f"link must be logistic or mean, not {str(link)[:20]!r}")
        if np.abs(values).max() > LARGEST or np.abs(self.arrays["baseline"]).max() > LARGEST:
            raise ValueError(f"a leaf holds more than {LARGEST:g}")
        if link == "mean" and (self.arrays["baseline"].any() or not _probabilities(values)):
            raise ValueError("a leaf holds no probabilities, which link=mean needs")


def linked(sums: NDArray[np.float64], link: str, trees: int) -> NDArray[np.float64]:
    """Probabilities of class 1 [n], or of each class [n, k], from sums [n, outputs] over so many trees."""
    if link == "mean":
        means = np.clip(sums / trees, 0, 1)
        return means[:, 0] if means.shape[1] == 1 else means
    if sums.shape[1] == 1:
        return np.asarray(expit(sums[:, 0]))
    return np.asarray(softmax(sums, axis=1))


def _probabilities(values: NDArray[np.float64]) -> bool:
    inside = values.min() >= 0 and values.max() <= 1
    return bool(inside and (values.shape[1] == 1 or np.abs(values.sum(axis=1) - 1).max() < 1e-9))
