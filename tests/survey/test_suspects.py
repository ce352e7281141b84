from __future__ import annotations

import pytest

from hepclf.survey.suspects import is_stand_in, looks_like_a_number, looks_like_truth, words


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Jet_genJetIdx", ["jet", "gen", "jet", "idx"]),
        ("GenMET_pt", ["gen", "met", "pt"]),
        ("mcChannelNumber", ["mc", "channel", "number"]),
        ("sum(Jet_pt[abs(Jet_eta) < 2.5])", ["sum", "jet", "pt", "abs", "jet", "eta", "2", "5"]),
        ("HT", ["ht"]),
    ],
)
def test_a_name_is_read_word_by_word(name, found):
    assert words(name) == found


@pytest.mark.parametrize(
    "name",
    ["genWeight", "GenMET_pt", "Pileup_nTrueInt", "is_signal", "isSignal", "Type", "label", "truth_pt", "LHE_HT"],
)
def test_names_of_truth_and_weights_are_known(name):
    assert looks_like_truth(name)


@pytest.mark.parametrize(
    "name", ["MET_pt", "signal_jet_pt", "energy", "generic", "m_class", "structure", "process_time", "weighted_eta"]
)
def test_names_of_physics_are_not_truth(name):
    assert not looks_like_truth(name)


def test_names_of_counters_are_known():
    assert all(map(looks_like_a_number, ["event", "eventNumber", "event_number", "run", "luminosityBlock", "index"]))
    assert not any(map(looks_like_a_number, ["event_shape", "run_2_pt", "Jet_id_pt"]))


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        (-999, True),
        (-9, True),
        (-99, True),
        (999, True),
        (99, False),
        (9, False),
        (-1, False),
        (3.4e38, True),
        (0, False),
    ],
)
def test_nines_stand_for_missing_values(value, stands):
    assert is_stand_in(value) is stands
