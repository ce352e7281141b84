"""Quantities of Lorentz vectors, against hand calculation and the formulas of ROOT's own classes.

uproot writes neither TLorentzVector nor ROOT::Math::LorentzVector. The files here have the branches and records into
which ROOT splits them, under the names that they have there; a branch that is stored whole is stood in for by the
records that uproot makes of it.
"""

from __future__ import annotations

from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf import Root, Sample
from hepclf.data.root import _lorentz_vectors
from hepclf.data.vectors import QUANTITIES, Vector, vector_columns, vectors

P4 = [[(3.0, 4.0, 0.0, 13.0), (0.0, 2.0, -1.5, 2.5)], [], [(1.0, 0.0, 10.0, 5.0)]]  # px, py, pz, e
EXPECTED = {
    "pt": [[5.0, 2.0], [], [1.0]],
    "phi": [[np.arctan2(4, 3), np.pi / 2], [], [0.0]],
    "eta": [[0.0, -np.log((2.5 + 1.5) / 2.0)], [], [-np.log(np.tan(np.arctan2(1, 10) / 2))]],
    "m": [[12.0, 0.0], [], [-np.sqrt(76)]],  # negative where e < p, as TLorentzVector::M
    "e": [[13.0, 2.5], [], [5.0]],
    "px": [[3.0, 0.0], [], [1.0]],
    "py": [[4.0, 2.0], [], [0.0]],
    "pz": [[0.0, -1.5], [], [10.0]],
}


def component(place):
    return ak.Array([[row[place] for row in event] for event in P4])


def records():
    inner = ak.zip({"fX": component(0), "fY": component(1), "fZ": component(2)})
    return ak.zip({"fP": inner, "fE": component(3)}, depth_limit=2)


def polar():
    made = {name: ak.values_astype(ak.Array(EXPECTED[key]), np.float32) for name, key in POLAR.items()}
    return ak.zip({"fCoordinates": ak.zip(made)}, depth_limit=2)


POLAR = {"fPt": "pt", "fEta": "eta", "fPhi": "phi", "fM": "m"}


def split(file):
    branches = {"jetp4.fP.fX": 0, "jetp4.fP.fY": 1, "jetp4.fP.fZ": 2, "jetp4.fE": 3}
    arrays = {name: component(place) for name, place in branches.items()}
    file.mktree("t", dict.fromkeys(branches, "var * float64")).extend(arrays)


def split_polar(file):
    arrays = {f"jetp4.fCoordinates.{name}": ak.Array(EXPECTED[key]) for name, key in POLAR.items()}
    file.mktree("t", dict.fromkeys(arrays, "var * float64")).extend(arrays)


def rntuple(file, made=records):
    array = made()
    file.mkrntuple("t", {"jetp4": array[:0]}).extend({"jetp4": array})


def rntuple_polar(file):
    rntuple(file, polar)


def load(**settings):
    return Root(samples=(Sample(name="s", class_="s", files="s.root"),), cache=False, **settings).load()


@pytest.mark.parametrize("write", [split, split_polar, rntuple, rntuple_polar])
@pytest.mark.parametrize("quantity", EXPECTED)
def test_each_quantity_is_a_column_of_lists(write, quantity):
    with uproot.recreate("s.root") as file:
        write(file)
    found = load(features=(f"count(jetp4.{quantity})",), leading={f"jetp4.{quantity}": 2}).features
    expected = [[len(event), *event, *[np.nan] * (2 - len(event))] for event in EXPECTED[quantity]]
    tolerance = 1e-5 if write is rntuple_polar else 1e-6
    assert found == pytest.approx(np.array(expected), abs=tolerance, rel=tolerance, nan_ok=True)


def test_they_are_columns_in_every_expression_and_are_read_once():
    with uproot.recreate("s.root") as file:
        split(file)
    events = load(
        features=("max(jetp4.pt[abs(jetp4.eta) < 1])", "sum(jetp4.fE)"),
        selection="count(jetp4.pt) > 0",
        weight="at(jetp4.pt, 0, 0)",
    )
    assert events.features == pytest.approx(np.array([[5.0, 15.5], [np.nan, 5.0]]), nan_ok=True)
    assert events.weights.tolist() == [5.0, 1.0]
    assert events.origins[0].selected == 2


def test_a_quantity_that_there_is_not_names_the_nearest():
    with uproot.recreate("s.root") as file:
        split(file)
    with pytest.raises(ValueError, match=r"column 'jetp4\.ptt' is not there; nearest: 'jetp4\.pt'"):
        load(features=("sum(jetp4.ptt)",))


def test_what_is_split_incompletely_is_no_vector():
    assert vectors(["a.fE", "a.fP.fX", "b.fCoordinates.fPt"], []) == {}
    assert vector_columns({}) == {}


def test_vectors_stored_whole_are_the_records_that_uproot_makes_of_them():
    """uproot: AsJagged(AsStridedObjects(Model_TLorentzVector_v4), header_bytes=10) -> {fP: {fX, fY, fZ}, fE}."""
    vector = Vector("jetp4", {})
    assert vector.branches == ("jetp4",)
    for name in QUANTITIES:
        found = vector.quantity(name, {"jetp4": records()})
        assert [pytest.approx(event, abs=1e-12) for event in EXPECTED[name]] == found.tolist()
    single = records()[[0, 2]][:, 0]  # one an entry, as a branch of class TLorentzVector
    assert vector.quantity("pt", {"jetp4": single}).tolist() == [5.0, 1.0]


def test_a_branch_that_is_stored_whole_is_known_by_its_class():
    def branch(name, kind, inner=()):
        members = {} if kind is None else {"fClassName": kind}
        return SimpleNamespace(name=name, branches=inner, has_member=members.__contains__, member=members.__getitem__)

    branches = [
        branch("jetp4", "vector<TLorentzVector>"),
        branch("lep", "TLorentzVector"),
        branch("tau", "vector<ROOT::Math::LorentzVector<ROOT::Math::PtEtaPhiM4D<float> > >"),
        branch("split", "vector<TLorentzVector>", inner=("split.fE",)),
        branch("other", "vector<float>"),
        branch("flat", None),
    ]
    tree = SimpleNamespace(values=lambda **_: branches)
    assert _lorentz_vectors(tree) == ["jetp4", "lep", "tau"]
    assert "tau.eta" in vector_columns(vectors([], ["tau"]))


def test_a_vector_along_the_beam_and_one_of_nothing():
    known = {"px": np.zeros(3), "py": np.zeros(3), "pz": np.array([0.0, 1.0, -2.0]), "e": np.array([0.0, 1.0, 2.0])}
    with np.errstate(divide="ignore"):
        assert QUANTITIES["eta"](known).tolist() == [0, np.inf, -np.inf]
    assert QUANTITIES["m"](known).tolist() == [0, 0, 0]
