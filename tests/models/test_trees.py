"""Stored trees decide as the trees they were made of, and what is no tree is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from hepclf import load_tagger
from hepclf.events import Events
from hepclf.models import arrays, trees
from hepclf.models.tagger import write_tagger
from hepclf.models.trees import LEAF, Nodes, Trees, TreesTagger, concatenated, planted

NAMES = ("a", "b", "c")


def grown(rng, splits=20, inputs=3, outputs=1):
    """A random tree, its nodes numbered depth first in places drawn at random, as no library would."""
    size = 2 * splits + 1
    columns = {name: np.full(size, -7) for name in ("features", "left", "right")}
    free, leaves = list(rng.permutation(np.arange(1, size))), [0]
    for _ in range(splits):
        node = leaves.pop(rng.integers(len(leaves)))
        columns["left"][node], columns["right"][node] = children = free.pop(), free.pop()
        columns["features"][node] = rng.integers(inputs)
        leaves += children
    columns["features"][leaves] = LEAF
    return Nodes(
        **columns,
        thresholds=rng.normal(size=size),
        missing_left=rng.integers(0, 2, size).astype(np.uint8),
        values=rng.normal(size=(size, outputs)),
    )


def walked(tree, event):
    """One event's way through one tree, as a book would put it."""
    node = 0
    while tree.features[node] != LEAF:
        value = float(event[tree.features[node]])
        left = bool(tree.missing_left[node]) if np.isnan(value) else value <= tree.thresholds[node]
        node = tree.left[node] if left else tree.right[node]
    return tree.values[node]


def table(rng, events=300):
    features = rng.normal(size=(events, 3)).astype(np.float32)
    features[rng.random(features.shape) < 0.2] = np.nan
    return features


def tagger(forest, classes=("background", "signal"), link="logistic", **changes):
    stored = {**planted(forest), "baseline": np.zeros(1 if len(classes) == 2 else len(classes)), **changes}
    return TreesTagger(inputs=NAMES, classes=classes, arrays=stored, settings={"link": link})


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("splits", [0, 1, 40])
def test_every_event_ends_in_the_leaf_that_a_book_leads_it_to(outputs, splits):
    rng = np.random.default_rng(splits)
    forest, features = [grown(rng, splits, outputs=outputs) for _ in range(7)], table(rng)
    expected = [sum(walked(tree, event) for tree in forest) for event in features]
    assert Trees(planted(forest), 3).sums(features) == pytest.approx(np.array(expected), abs=1e-12)


def test_thresholds_in_float32_decide_as_those_in_float64():
    values = np.sort(np.random.default_rng(0).normal(size=500).astype(np.float32))
    stump = Nodes(
        features=np.array([0, LEAF, LEAF]),
        thresholds=np.zeros(3),
        missing_left=np.zeros(3),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        values=np.array([[0.0], [1.0], [0.0]]),
    )
    middles = (values[:-1].astype(float) + values[1:]) / 2
    above, below = (np.nextafter(values.astype(float), end) for end in (np.inf, -np.inf))
    for threshold in (*middles, *values, *above, *below, 1e300, np.inf, -1e300):
        found = Trees(planted([stump._replace(thresholds=np.full(3, threshold))]), 1).sums(values[:, None])[:, 0]
        assert np.array_equal(found == 1, values.astype(float) <= threshold), threshold


def test_scores_do_not_depend_on_blocks_or_threads(monkeypatch):
    rng = np.random.default_rng(1)
    made, features = Trees(planted([grown(rng) for _ in range(9)]), 3), table(rng)
    whole = made.sums(features)
    monkeypatch.setattr(trees, "BLOCK", 37)
    monkeypatch.setattr(trees, "CELLS", 100)
    before = torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        assert made.sums(features) == pytest.approx(whole, abs=1e-12)
    torch.set_num_threads(before)
    assert made.sums(features[:0]).shape == (0, 1)


def test_trees_that_were_planted_apart_are_joined():
    rng = np.random.default_rng(2)
    forest = [grown(rng, splits) for splits in (3, 0, 12)]
    apart = concatenated([planted(forest[:1]), planted(forest[1:])])
    assert all(np.array_equal(apart[name], array) for name, array in planted(forest).items())


def test_logits_become_probabilities_and_probabilities_are_averaged():
    rng = np.random.default_rng(3)
    forest, features = [grown(rng, outputs=3) for _ in range(4)], table(rng)
    events = Events(features=features, names=NAMES)
    sums = Trees(planted(forest), 3).sums(features) + np.array([0.5, 0, -1])
    softmax = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
    three = tagger(forest, ("u", "v", "w"), baseline=np.array([0.5, 0, -1]))
    assert three.scores(events) == pytest.approx(softmax, abs=1e-12)
    shares = [tree._replace(values=rng.dirichlet([1, 1, 1], len(tree.features))) for tree in forest]
    mean = tagger(shares, ("u", "v", "w"), "mean").scores(events)
    assert mean == pytest.approx(Trees(planted(shares), 3).sums(features) / 4, abs=1e-12)
    one = [tree._replace(values=share.values[:, :1]) for tree, share in zip(forest, shares, strict=True)]
    assert tagger(one, link="mean").scores(events) == pytest.approx(mean[:, 0], abs=1e-12)


def test_a_saved_tagger_scores_the_same():
    rng = np.random.default_rng(4)
    made = tagger([grown(rng) for _ in range(5)])
    made.save("tagger")
    events = Events(features=table(rng), names=NAMES)
    assert np.array_equal(load_tagger("tagger").scores(events), made.scores(events))


def of_size(features, **more):
    """The arrays of one tree with these features, and all else to match."""
    features = np.asarray(features, dtype=np.int32)
    return {
        "sizes": np.array([len(features)]),
        "features": features,
        "thresholds": np.zeros(len(features), np.float32),
        "missing_left": np.zeros(len(features), bool),
        "values": np.full(((features == LEAF).sum(), 1), 0.5),
        "baseline": np.zeros(1),
        **more,
    }


STUMP = of_size([0, LEAF, LEAF])
STRANGE = {
    "a tree without its second child": (of_size([0, LEAF]), "tree 0 must have 3 nodes for its 1 splits, not 2"),
    "a tree of nothing but splits": (of_size([0, 0, 0]), "tree 0 must have 7 nodes for its 3 splits, not 3"),
    "a node that is its own ancestor": (of_size([0, LEAF, LEAF, LEAF, 0]), "a node of a tree is its own ancestor"),
    "a feature beyond the inputs": (of_size([3, LEAF, LEAF]), "nodes must look at features 0..2, not -1..3"),
    "a feature below none": (of_size([-2, LEAF, LEAF]), "nodes must look at features 0..2, not -2..-1"),
    "no trees": ({**STUMP, "sizes": np.zeros(0, int)}, "must sum to the 3 nodes"),
    "a tree without nodes": ({**STUMP, "sizes": np.array([3, 0])}, "must sum to the 3 nodes"),
    "more nodes than there are": ({**STUMP, "sizes": np.array([1 << 62])}, "must sum to the 3 nodes"),
    "sizes that overflow": ({**STUMP, "sizes": np.array([1 << 62] * 4 + [3])}, "must sum to the 3 nodes"),
    "a bottomless tree": (of_size([*[0, LEAF] * 1025, LEAF]), "a tree has more than 1024 levels"),
    "too few thresholds": ({**STUMP, "thresholds": np.zeros(2, np.float32)}, "'thresholds' must have shape"),
    "thresholds in words": ({**STUMP, "thresholds": np.zeros(3, np.int64)}, "'thresholds' must have shape"),
    "too many values": ({**STUMP, "values": np.zeros((3, 1))}, r"'values' must have shape \(2, 1\)"),
    "values for more classes": ({**STUMP, "values": np.zeros((2, 3))}, r"'values' must have shape \(2, 1\)"),
    "values beyond all sums": ({**STUMP, "values": np.full((2, 1), 1e200)}, r"a leaf holds more than 1e\+100"),
    "values that are no numbers": ({**STUMP, "values": np.full((2, 1), np.nan)}, "'values' holds values that are not"),
    "no baseline": ({**STUMP, "baseline": None}, "'baseline'"),
}


def stored(contents, link="logistic"):
    """A tagger's folder with these arrays, its hashes right."""
    head = {"kind": "trees", "inputs": NAMES, "classes": ("background", "signal"), "settings": {"link": link}}
    kept = {name: array for name, array in contents.items() if array is not None}
    write_tagger(Path("tagger"), {arrays.FILE: save(kept)}, {**head, "summary": {}})


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_tree_is_refused(name):
    contents, says = STRANGE[name]
    stored(contents)
    with pytest.raises(ValueError, match=f"tagger.json and its arrays do not fit together: .*{says}"):
        load_tagger("tagger")


def test_a_plain_stump_is_not_refused():
    stored(STUMP)
    scores = load_tagger("tagger").scores(Events(features=np.zeros((2, 3)), names=NAMES))
    assert scores == pytest.approx(1 / (1 + np.exp(-0.5)))


@pytest.mark.parametrize(
    ("link", "changes", "says"),
    [
        ("mean", {"values": np.array([[0.5], [1.5]])}, "a leaf holds no probabilities"),
        ("mean", {"values": np.array([[0.5], [-0.1]])}, "a leaf holds no probabilities"),
        ("mean", {"baseline": np.ones(1)}, "a leaf holds no probabilities"),
        ("identity", {}, "link must be logistic or mean, not 'identity'"),
        (["mean"], {}, "link must be logistic or mean"),
    ],
)
def test_a_link_that_does_not_fit_is_refused(link, changes, says):
    stored({**STUMP, **changes}, link)
    with pytest.raises(ValueError, match=says):
        load_tagger("tagger")


def test_probabilities_of_several_classes_must_sum_to_one():
    rng = np.random.default_rng(5)
    tree = grown(rng, outputs=3)
    with pytest.raises(ValueError, match="a leaf holds no probabilities"):
        tagger([tree._replace(values=np.full(tree.values.shape, 0.4))], ("u", "v", "w"), "mean")
