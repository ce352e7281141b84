"""A copy has all that its tree had, and the scores."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf import Evaluation, Logistic, Prediction, Trainer, predict, train


@pytest.fixture(autouse=True)
def _run(gaussians):
    events = gaussians(features=1, events=400)
    train(events, Logistic(), Trainer(epochs=1), Evaluation(plots=False), folder="run")


def write(name, types, columns, form="mktree", **names):
    with uproot.recreate(name) as file:
        getattr(file, form)("sub/t" if form == "mktree" else "t", types, **names).extend(columns)


def copied(**settings):
    (outcome,) = predict("run", Prediction(files="a.root", output="copy", out="out", **settings))
    with uproot.open(outcome.output) as file:
        tree = file["sub/t"] if "sub/t" in file else file["t"]
        assert "TTree" in tree.classname
        return tree, tree.arrays()


def test_every_branch_is_copied_as_it_is_and_the_score_is_added(friend):
    lists = ak.Array([[1.5, 2.5], [], [3.5]])
    records = ak.zip({"pt": lists, "id": ak.values_astype(lists, np.int8)})
    columns = {
        "x0": np.array([0.5, np.nan, 2], dtype=np.float32),
        "n": np.array([2**60, 2**60 + 1, 3], dtype=np.uint64),
        "flag": np.array([True, False, True]),
        "vector": np.arange(9, dtype=np.float64).reshape(3, 3),
        "Jet": records,
        "alone": lists,
    }
    types = {
        name: c.type.content if isinstance(c, ak.Array) else np.dtype((c.dtype, c.shape[1:]))
        for name, c in columns.items()
    }
    write("a.root", types, columns)
    tree, found = copied()
    with uproot.open("a.root") as file:
        before, expected = file["sub/t"], file["sub/t"].arrays()
        assert set(tree.keys()) == {*before.keys(), "score"}
        for name in before.keys():  # noqa: SIM118  # a tree is no mapping
            assert tree[name].typename == before[name].typename, name
            assert ak.array_equal(found[name], expected[name], equal_nan=True), name
            counters = [branches[name].count_branch for branches in (tree, before)]
            assert [counter and counter.name for counter in counters] == [counters[1] and counters[1].name] * 2
    assert tree["Jet_pt"].count_branch.name == tree["Jet_id"].count_branch.name == "nJet"
    (beside,) = predict("run", Prediction(files="a.root"))
    assert found["score"].tolist() == friend(beside.output)["score"].tolist()


def test_an_rntuple_becomes_a_tree_whose_counters_take_no_name_of_a_field():
    lists = ak.Array([[1.5, 2.5], [], [3.5]])
    columns = {"x0": ak.Array([0.5, 1, 2]), "nPt": ak.Array([7, 8, 9]), "Pt": lists}
    write("a.root", {name: column[:0] for name, column in columns.items()}, columns, form="mkrntuple")
    tree, found = copied()
    assert set(tree.keys()) == {"x0", "nPt", "nPt_", "Pt", "score"}
    assert found["nPt"].tolist() == [7, 8, 9]
    assert found["Pt"].tolist() == lists.tolist()
    assert found["nPt_"].tolist() == [2, 0, 1]


def test_a_branch_that_cannot_be_copied_is_refused_unless_it_is_dropped():
    texts = ak.Array(["a", "bc"])
    columns = {"x0": ak.Array([0.5, 1]), "text": texts, "HLT_mu": ak.Array([1, 2])}
    write("a.root", {name: column[:0] for name, column in columns.items()}, columns, form="mkrntuple")
    with pytest.raises(ValueError, match=r"a\.root, tree 't': branch 'text' \(1 in all\) .* drop=\['text'\]"):
        copied()
    assert list(Path("out").rglob("*")) == []
    assert set(copied(drop=("text", "HLT_*"))[0].keys()) == {"x0", "score"}


def test_a_score_does_not_take_the_name_of_a_branch():
    columns = {"x0": np.zeros(2), "score": np.ones(2)}
    write("a.root", dict.fromkeys(columns, np.float64), columns)
    with pytest.raises(ValueError, match=r"a\.root, tree 'sub/t': branch 'score' is there already; .* branch=mva"):
        copied()
    assert set(copied(branch="mva")[0].keys()) == {"x0", "score", "mva"}


def test_only_trees_can_be_copied():
    np.savez("a.npz", x0=np.zeros(3))
    with pytest.raises(ValueError, match=r"output=copy copies a tree of a ROOT file, which this is not"):
        predict("run", Prediction(files="a.npz", output="copy"))
