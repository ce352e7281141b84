"""Roles: what each column of a table is used for, from the settings of a loader."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hepclf.data.expressions import Expression, check_columns, parse
from hepclf.data.language.grammar import Built
from hepclf.data.table import Quantities
from hepclf.nearest import nearest
from hepclf.words import first_repeated

ALL = "all"

logger = logging.getLogger(__name__)
FeatureSetting = str | tuple[str, ...] | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The role of each column of a table: a setting names a column exactly, or gives an expression of columns.

    columns  their names
    groups   name -> names and expressions that `features` can request together
    """

    path: Path
    columns: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    label: str | None
    features: FeatureSetting
    weight: str | None
    spectators: tuple[str, ...] | Mapping[str, str]
    selection: str | None
    ignore: tuple[str, ...]

    def quantities(self) -> Quantities:
        """The expressions of all roles; a plain column is an expression too."""
        for name in self.ignore:
            self.column(name)
        spectators = {name: self.expression(text) for name, text in _pairs(self.spectators, "spectators").items()}
        weight = None if self.weight is None else self.expression(self.weight)
        selections: tuple[Expression, ...] = ()
        if self.selection is not None:
            selections = (self.expression(self.selection),)
        claimed: dict[str, tuple[Expression, ...]] = {}
        if weight is not None:
            claimed["weight"] = (weight,)
        claimed["spectators"] = tuple(spectators.values())
        if self.features == ALL:
            features = self._unclaimed(claimed)
        else:
            features = self._listed_features(claimed)
        if not any(expression.columns for expression in features.values()):
            raise ValueError("features must name at least one column, not none")
        return Quantities(features=features, spectators=spectators, weight=weight, selections=selections)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.columns)

    def column(self, name: str, way: str = "") -> str:
        """The name, if a column has it."""
        if name not in self._names:
            raise self._unknown(name, way)
        return name

    def is_column(self, expression: Expression) -> bool:
        """Whether it is a plain column, named exactly."""
        return expression.text in self._names

    def expression(self, text: str) -> Expression:
        """The column of this name, or else the parsed text."""
        if text in self._names:
            # Not parsed: the name of a column may contain any character.
            return Expression(text, (text,), Built(lambda table: table[text], {text: 0}, {}, True))
        try:
            expression = parse(text)
        except ValueError as error:
            raise ValueError(f"{self._unknown(text)}; nor can it be read: {error}") from None
        if expression.columns == (text,):
            raise self._unknown(text)
        try:
            check_columns(expression, self.columns)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        return expression

    def _unclaimed(self, claimed: Mapping[str, tuple[Expression, ...]]) -> dict[str, Expression]:
        """Each column that no other setting names."""
        claims = [expression for expressions in claimed.values() for expression in expressions]
        used = {name for expression in claims for name in expression.columns}
        features = [name for name in self.columns if name not in used and name not in (self.label, *self.ignore)]
        if derived := [name for claim in claims if not self.is_column(claim) for name in claim.columns]:
            logger.info("no features, as the weight or spectators name them: %s", ", ".join(dict.fromkeys(derived)))
        return {name: self.expression(name) for name in features}

    def _listed_features(self, claimed: Mapping[str, tuple[Expression, ...]]) -> dict[str, Expression]:
        setting = (self.features,) if isinstance(self.features, str) else self.features
        if not isinstance(setting, Mapping):
            setting = tuple(text for name in setting for text in self.groups.get(name, (name,)))
        features = {name: self.expression(text) for name, text in _pairs(setting, "features").items()}
        roles = {expression.text: role for role, expressions in claimed.items() for expression in expressions}
        roles |= dict.fromkeys(self.ignore, "ignore")
        if self.label is not None:
            roles[self.label] = "label"
        for name, expression in features.items():
            self._check_feature(name, expression, roles)
        return features

    def _check_feature(self, name: str, expression: Expression, roles: Mapping[str, str]) -> None:
        """Refuse a feature that is, or is computed from, a column that reveals the class of an event."""
        if self.is_column(expression) and (role := roles.get(expression.text)):
            raise ValueError(
                f"column {expression.text!r} cannot be a feature, as data.{role} names it; drop one of the two"
            )
        for column in expression.columns:
            if (role := roles.get(column)) in ("label", "weight"):
                raise ValueError(f"feature {name!r} cannot be made of column {column!r}, which data.{role} names")

    def _unknown(self, name: str, way: str = "") -> ValueError:
        kind = "column or group" if self.groups else "column"
        return ValueError(f"{kind} {name!r} is not in {self.path}{nearest(name, (*self.groups, *self.columns))}{way}")


def _pairs(texts: tuple[str, ...] | Mapping[str, str], setting: str) -> dict[str, str]:
    if isinstance(texts, Mapping):
        return dict(texts)
    if repeated := first_repeated(texts):
        raise ValueError(f"{setting} must be different names, not {repeated!r} twice")
    return {text: text for text in texts}
