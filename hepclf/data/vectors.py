"""Vectors: the quantities of Lorentz vectors that ROOT files hold, as columns of their own, such as jetp4.pt.

TLorentzVector and ROOT::Math::LorentzVector, or a std::vector of them, stored whole or split into branches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

CLASS = "LorentzVector"
# ROOT's names of the components, as they stand below the vector.
SPLIT = re.compile(r"(?P<vector>.+)\.(?P<component>fP\.f[XYZ]|fE|fCoordinates\.f(?:X|Y|Z|T|Pt|Eta|Phi|M|E))")
COMPONENTS = {
    "fX": "px",
    "fY": "py",
    "fZ": "pz",
    "fT": "e",
    "fE": "e",
    "fM": "m",
    "fPt": "pt",
    "fEta": "eta",
    "fPhi": "phi",
}
COMPLETE = tuple(frozenset((*place, fourth)) for place in (("px", "py", "pz"), ("pt", "eta", "phi")) for fourth in "em")


class Vector(NamedTuple):
    """A Lorentz vector of a tree: where it is, and the branches of its components where it is split."""

    name: str
    components: Mapping[str, str]

    @property
    def branches(self) -> tuple[str, ...]:
        """What is read of it."""
        return tuple(self.components.values()) or (self.name,)

    def quantity(self, name: str, columns: Mapping[str, Any]) -> Any:
        """One of QUANTITIES, in double precision unless it is stored."""
        if self.components:
            known = {component: columns[branch] for component, branch in self.components.items()}
        else:
            known = _inside(columns[self.name])
        return known[name] if name in known else QUANTITIES[name](known)


def vectors(names: Iterable[str], whole: Iterable[str]) -> dict[str, Vector]:
    """The vectors by name: those split into branches of these names, and those that are stored whole."""
    split: dict[str, dict[str, str]] = {}
    for name in names:
        if found := SPLIT.fullmatch(name):
            component = COMPONENTS[found["component"].rpartition(".")[2]]
            split.setdefault(found["vector"], {})[component] = name
    complete = {name: Vector(name, parts) for name, parts in split.items() if frozenset(parts) in COMPLETE}
    return {name: Vector(name, {}) for name in whole} | complete


def members(known: Mapping[str, Vector]) -> dict[str, tuple[Vector, str]]:
    """The vector and quantity of each column, such as jetp4.pt."""
    return {f"{name}.{quantity}": (vector, quantity) for name, vector in known.items() for quantity in QUANTITIES}


def _inside(array: Any) -> dict[str, Any]:
    """The components of vectors that were stored whole."""
    import awkward as ak

    found: dict[str, Any] = {}
    for field in ak.fields(array):
        inner = array[field]
        if ak.fields(inner):
            found |= _inside(inner)
        elif field in COMPONENTS:
            found[COMPONENTS[field]] = inner
    return found


def _double(known: Mapping[str, Any], name: str) -> Any:
    return known[name] * np.float64(1)


def _pt(known: Mapping[str, Any]) -> Any:
    return np.hypot(_double(known, "px"), _double(known, "py"))


def _phi(known: Mapping[str, Any]) -> Any:
    return np.arctan2(_double(known, "py"), _double(known, "px"))


def _eta(known: Mapping[str, Any]) -> Any:
    """Pseudorapidity, arsinh(pz / pt): infinite along the beam, 0 of a vector without momentum, as ROOT has it."""
    pt, pz = _pt(known), _double(known, "pz")
    return np.arcsinh(pz / (pt + ((pt == 0) & (pz == 0))))


def _px(known: Mapping[str, Any]) -> Any:
    return _double(known, "pt") * np.cos(known["phi"])


def _py(known: Mapping[str, Any]) -> Any:
    return _double(known, "pt") * np.sin(known["phi"])


def _pz(known: Mapping[str, Any]) -> Any:
    return _double(known, "pt") * np.sinh(_double(known, "eta"))


def _momentum2(known: Mapping[str, Any]) -> Any:
    if "pt" in known:
        return (_double(known, "pt") * np.cosh(_double(known, "eta"))) ** 2
    return _double(known, "px") ** 2 + _double(known, "py") ** 2 + _double(known, "pz") ** 2


def _e(known: Mapping[str, Any]) -> Any:
    """sqrt(p^2 + m^2); a negative mass stands for a space-like vector, as in ROOT."""
    m = _double(known, "m")
    return np.sqrt(np.maximum(_momentum2(known) + m * np.abs(m), 0))


def _m(known: Mapping[str, Any]) -> Any:
    """sqrt(e^2 - p^2), negative for a space-like vector, as in ROOT."""
    square = _double(known, "e") ** 2 - _momentum2(known)
    return np.sign(square) * np.sqrt(np.abs(square))


QUANTITIES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "pt": _pt,
    "eta": _eta,
    "phi": _phi,
    "m": _m,
    "e": _e,
    "px": _px,
    "py": _py,
    "pz": _pz,
}
