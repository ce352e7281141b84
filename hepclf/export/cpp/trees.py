"""Trees in C++: one loop over a table of nodes."""

from __future__ import annotations

import numpy as np

from hepclf.export.cpp.header import Header
from hepclf.models.trees import TreesTagger

CODE = """
struct Node {
  int column;  // twice the feature, and one more where a missing value goes left; -1 at a leaf
  float threshold;  // a value goes left where it is at most that
  int next;  // the left child, whose neighbour is the right one; at a leaf, its place among the values
};

inline int leaf(const Node* nodes, int at, const float* x) {
  while (nodes[at].column >= 0) {
    const Node& node = nodes[at];
    const float value = x[node.column / 2];
    const bool left = std::isnan(value) ? node.column % 2 != 0 : value <= node.threshold;
    at = left ? node.next : node.next + 1;
  }
  return nodes[at].next;
}
"""


def write_trees(header: Header, tagger: TreesTagger) -> str:
    """Write the sums z of the trees; return the link to probabilities."""
    trees, k = tagger.trees, tagger.trees.values.shape[1]
    successors = np.where(trees.inner, trees.children, np.cumsum(~trees.inner) - 1)
    columns = np.where(trees.inner, trees.columns % trees.width * 2 + (trees.columns >= trees.width), -1)
    thresholds = np.where(trees.inner, trees.thresholds, np.float32(0)).astype(str).tolist()
    rows = zip(columns.tolist(), thresholds, successors.tolist(), strict=True)
    header.rows("Node nodes[]", [f"{{{column}, {threshold}f, {successor}}}" for column, threshold, successor in rows])
    roots = header.table(trees.roots.astype(np.int32))
    values = header.table(tagger.arrays["values"].astype(np.float64))
    baseline = header.table(tagger.arrays["baseline"].astype(np.float64))
    header.add(
        f"for (int k = 0; k < {k}; ++k) z[k] = {baseline}[k];",
        f"for (const int root : {roots}) {{",
        f"  const double* value = {values} + {k} * leaf(nodes, root, x);",
        f"  for (int k = 0; k < {k}; ++k) z[k] += value[k];",
        "}",
    )
    if tagger.settings["link"] == "logistic":
        return "logistic"
    header.add(f"for (int k = 0; k < {k}; ++k) z[k] = std::min(std::max(z[k] / {len(trees.roots)}, 0.0), 1.0);")
    return "mean"
