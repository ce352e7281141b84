"""Vectors: quantities of Lorentz vectors in ROOT files, as columns of their own, such as jetp4.pt.

TLorentzVector and ROOT::Math::LorentzVector, or a std::vector of them, stored whole or split into branches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

CLASS = "LorentzVector"
# ROOT's names of the components, as they are called below the vector.
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
    """A Lorentz vector of a tree: its branch, and the branches of its components if it is split."""

    name: str
    components: Mapping[str, str]

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches to read."""
        return tuple(self.components.values()) or (self.name,)

    def quantity(self, name: str, columns: Mapping[str, Any]) -> Any:
        """One of QUANTITIES, in double precision unless it is stored as such."""
        if self.components:
            components = {component: columns[branch] for component, branch in self.components.items()}
        else:
            components = _stored_components(columns[self.name])
        if name in components:
            return components[name]
        return QUANTITIES[name](components)


def vectors(names: Iterable[str], unsplit: Iterable[str]) -> dict[str, Vector]:
    """The vectors by name: those that are split into branches of these `names`, and the `unsplit` ones."""
    split: dict[str, dict[str, str]] = {}
    for name in names:
        if match := SPLIT.fullmatch(name):
            component = COMPONENTS[match["component"].rpartition(".")[2]]
            split.setdefault(match["vector"], {})[component] = name
    complete = {name: Vector(name, parts) for name, parts in split.items() if frozenset(parts) in COMPLETE}
    return {name: Vector(name, {}) for name in unsplit} | complete


def vector_columns(by_name: Mapping[str, Vector]) -> dict[str, tuple[Vector, str]]:
    """The vector and quantity of each column, such as jetp4.pt."""
    return {f"{name}.{quantity}": (vector, quantity) for name, vector in by_name.items() for quantity in QUANTITIES}


def _stored_components(array: Any) -> dict[str, Any]:
    """The components of vectors that are stored as whole objects."""
    import awkward as ak

    components: dict[str, Any] = {}
    for field in ak.fields(array):
        inner = array[field]
        if ak.fields(inner):
            components |= _stored_components(inner)
        elif field in COMPONENTS:
            components[COMPONENTS[field]] = inner
    return components


def _double(components: Mapping[str, Any], name: str) -> Any:
    return components[name] * np.float64(1)


def _pt(components: Mapping[str, Any]) -> Any:
    return np.hypot(_double(components, "px"), _double(components, "py"))


def _phi(components: Mapping[str, Any]) -> Any:
    return np.arctan2(_double(components, "py"), _double(components, "px"))


def _eta(components: Mapping[str, Any]) -> Any:
    """Pseudorapidity, arsinh(pz / pt): infinite along the beam, 0 for a vector without momentum, as in ROOT."""
    pt, pz = _pt(components), _double(components, "pz")
    return np.arcsinh(pz / (pt + ((pt == 0) & (pz == 0))))


def _px(components: Mapping[str, Any]) -> Any:
    return _double(components, "pt") * np.cos(components["phi"])


def _py(components: Mapping[str, Any]) -> Any:
    return _double(components, "pt") * np.sin(components["phi"])


def _pz(components: Mapping[str, Any]) -> Any:
    return _double(components, "pt") * np.sinh(_double(components, "eta"))


def _momentum2(components: Mapping[str, Any]) -> Any:
    if "pt" in components:
        return (_double(components, "pt") * np.cosh(_double(components, "eta"))) ** 2
    return _double(components, "px") ** 2 + _double(components, "py") ** 2 + _double(components, "pz") ** 2


def _e(components: Mapping[str, Any]) -> Any:
    """sqrt(p^2 + m^2); a negative mass stands for a space-like vector, as in ROOT."""
    m = _double(components, "m")
    return np.sqrt(np.maximum(_momentum2(components) + m * np.abs(m), 0))


def _m(components: Mapping[str, Any]) -> Any:
    """sqrt(e^2 - p^2), negative for a space-like vector, as in ROOT."""
    square = _double(components, "e") ** 2 - _momentum2(components)
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
