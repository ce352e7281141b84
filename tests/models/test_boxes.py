"""Boxes of cuts are as good as the best of all of them, where all can be tried."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hepclf.models.boxes import CodedSample, Search

PLACES = 12


def samples(edges, seed, weighted=False):
    """Signal with larger codes than the background."""
    rng = np.random.default_rng(seed)
    codes = [rng.binomial(PLACES - 1, share, size=(edges, 400)).astype(np.uint8) for share in (0.6, 0.45)]
    weights = [rng.random(400) + 0.1 if weighted else np.ones(400) for _ in codes]
    return [CodedSample(*each) for each in zip(codes, weights, strict=True)]


def efficiency(sample, box):
    return sample.weights[(sample.codes >= np.asarray(box)[:, None]).all(axis=0)].sum()


def brute_force(signal, background, target):
    """The least background of all boxes that keep so much signal."""
    boxes = list(product(range(PLACES), repeat=len(signal.codes)))
    return min(efficiency(background, box) for box in boxes if efficiency(signal, box) >= target - 1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_two_edges_have_the_least_background_of_all_boxes(seed, weighted):
    signal, background = samples(2, seed, weighted)
    targets = [0.9, 0.5, 0.1]
    boxes = Search(signal, background, 0).best(targets, 1)
    for target, box in zip(targets, boxes, strict=True):
        assert efficiency(signal, box) >= target - 1e-9
        assert efficiency(background, box) == pytest.approx(brute_force(signal, background, target), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_three_edges_find_the_best_of_all_boxes(seed):
    signal, background = samples(3, seed)
    (box,) = Search(signal, background, 0).best([0.5], 3)
    best = brute_force(signal, background, 0.5)
    assert efficiency(background, box) == pytest.approx(best, abs=1e-12)  # not certain; so for ten of ten seeds


def test_shares_are_those_of_every_pair_of_places():
    _, background = samples(3, 0, weighted=True)
    background.apply(np.array([3, 4, 5]))
    shares = background.shares(0, 2, PLACES)
    for first, second in product(range(PLACES), repeat=2):
        assert shares[first, second] == pytest.approx(efficiency(background, (first, 4, second)))
    assert background.share == pytest.approx(efficiency(background, (3, 4, 5)))


@pytest.mark.parametrize("anchor", [0, 3, 6])
def test_nested_boxes_lie_inside_each_other_and_keep_their_signal(anchor):
    signal, background = samples(4, 1)
    search = Search(signal, background, 0)
    targets = [0.95, 0.8, 0.65, 0.5, 0.35, 0.2, 0.05]
    boxes = search.best(targets, 2)
    nested = search.nested(targets, boxes, anchor)
    assert (np.diff(nested, axis=0) >= 0).all()
    assert all(efficiency(signal, box) >= target - 1e-9 for target, box in zip(targets, nested, strict=True))
    assert np.array_equal(nested[anchor], boxes[anchor])


def test_the_same_seed_finds_the_same_boxes():
    first, second = (Search(*samples(4, 1), 7).best([0.8, 0.5], 2) for _ in range(2))
    assert np.array_equal(first, second)
