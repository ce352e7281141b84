"""Roles: what the columns of a table are for, as the settings of a loader name them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hepclf.data.expressions import Expression, check, parse
from hepclf.data.language.grammar import Built
from hepclf.data.table import Wanted
from hepclf.nearest import nearest

ALL = "all"

logger = logging.getLogger(__name__)
Asked = str | tuple[str, ...] | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What is asked of the columns of a table: by name, whatever its characters, or else as an expression of them.

    known   the names of the columns
    groups  name -> names and expressions that features may ask for together
    """

    path: Path
    known: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    label: str | None
    features: Asked
    weight: str | None
    spectators: tuple[str, ...] | Mapping[str, str]
    selection: str | None
    ignore: tuple[str, ...]

    def wanted(self) -> Wanted:
        """The expressions of it all, in which a plain column is one too."""
        for name in self.ignore:
            self.column(name)
        spectators = {name: self.expression(text) for name, text in _pairs(self.spectators, "spectators").items()}
        weight = None if self.weight is None else self.expression(self.weight)
        selections = () if self.selection is None else (self.expression(self.selection),)
        others = {"weight": (weight,) if weight else (), "spectators": tuple(spectators.values())}
        features = self._all(others) if self.features == ALL else self._chosen(others)
        if not any(each.columns for each in features.values()):
            raise ValueError("features must name at least one column, however they name none")
        return Wanted(features=features, spectators=spectators, weight=weight, selections=selections)

    def column(self, name: str, way: str = "") -> str:
        """The name, where a column is called so."""
        if name not in self.known:
            raise self._unknown(name, way)
        return name

    def is_column(self, expression: Expression) -> bool:
        """Whether it is a plain column, by its very name."""
        return expression.text in self.known

    def expression(self, text: str) -> Expression:
        """The column of this name, or else what the text says of columns."""
        if text in self.known:
            # Not parsed: the name of a column may hold any character.
            return Expression(text, (text,), Built(lambda table: table[text], {text: 0}, {}, True))
        try:
            found = parse(text)
        except ValueError as error:
            raise ValueError(f"{self._unknown(text)}; nor can it be read: {error}") from None
        if found.columns == (text,):
            raise self._unknown(text)
        try:
            check(found, self.known)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        return found

    def _all(self, others: Mapping[str, tuple[Expression, ...]]) -> dict[str, Expression]:
        """Each column that nothing else names."""
        used = {name for expressions in others.values() for each in expressions for name in each.columns}
        features = [name for name in self.known if name not in used and name not in (self.label, *self.ignore)]
        if derived := [name for each in others.values() for e in each if not self.is_column(e) for name in e.columns]:
            logger.info("no features, as the weight or spectators name them: %s", ", ".join(dict.fromkeys(derived)))
        return {name: self.expression(name) for name in features}

    def _chosen(self, others: Mapping[str, tuple[Expression, ...]]) -> dict[str, Expression]:
        asked = (self.features,) if isinstance(self.features, str) else self.features
        if not isinstance(asked, Mapping):
            asked = tuple(text for each in asked for text in self.groups.get(each, (each,)))
        features = {name: self.expression(text) for name, text in _pairs(asked, "features").items()}
        roles = {each.text: role for role, expressions in others.items() for each in expressions}
        roles |= dict.fromkeys(self.ignore, "ignore") | ({} if self.label is None else {self.label: "label"})
        for name, expression in features.items():
            self._check_feature(name, expression, roles)
        return features

    def _check_feature(self, name: str, expression: Expression, roles: Mapping[str, str]) -> None:
        """That no feature is, or is made of, what says which class an event is of."""
        if self.is_column(expression) and (role := roles.get(expression.text)):
            raise ValueError(
                f"column {expression.text!r} cannot be a feature, as data.{role} names it; drop one of the two"
            )
        for column in expression.columns:
            if (role := roles.get(column)) in ("label", "weight"):
                raise ValueError(f"feature {name!r} cannot be made of column {column!r}, which data.{role} names")

    def _unknown(self, name: str, way: str = "") -> ValueError:
        return ValueError(f"column {name!r} is not in {self.path}{nearest(name, (*self.groups, *self.known))}{way}")


def _pairs(asked: tuple[str, ...] | Mapping[str, str], setting: str) -> dict[str, str]:
    if isinstance(asked, Mapping):
        return dict(asked)
    if repeated := next((text for text in asked if asked.count(text) > 1), None):
        raise ValueError(f"{setting} must differ, however {repeated!r} is named twice")
    return {text: text for text in asked}
