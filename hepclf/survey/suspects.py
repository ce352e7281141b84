"""Suspicious names and values of features."""

from __future__ import annotations

import re

# Words of a name, such as those of `Jet_genJetIdx`: jet, gen, jet, idx.
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
TRUTH = {
    *("truth", "true", "gen", "generator", "mc", "lhe", "parton", "pdg", "pdgid", "mother"),
    *("label", "target", "weight", "weights", "wgt", "xsec", "dsid"),
}
TRUTH_NAMES = {
    *("class", "type", "process", "sample", "category", "signal", "background"),
    *("is signal", "is sig", "is background", "is bkg", "issignal", "issig", "isbackground", "isbkg"),
}
NUMBERS = {
    *("event", "evt", "run", "lumi", "entry", "row", "index", "id", "eventnumber", "runnumber"),
    *("event number", "event id", "run number", "luminosity block", "lumi block", "lumi section"),
}
# Numbers that files often have in place of a missing value.
STAND_INS = {9, 99, 999, 9999, 99999, 999999}


def words(name: str) -> list[str]:
    """The words of a name in lower case, split at underscores, capitals and signs."""
    return [word.lower() for word in WORD.findall(name)]


def looks_like_truth(name: str) -> bool:
    """Whether the name is that of simulated truth or of a weight."""
    parts = words(name)
    return bool(TRUTH & set(parts)) or " ".join(parts) in TRUTH_NAMES


def looks_like_a_number(name: str) -> bool:
    """Whether the name is that of an event number or another counter, which has no physics in it."""
    return " ".join(words(name)) in NUMBERS


def is_stand_in(value: float) -> bool:
    """Whether a value may stand for a missing one: -9, -99, ±999 and more nines, or nearly the largest float."""
    return -value in STAND_INS or (value > 99 and value in STAND_INS) or abs(value) > 1e37
