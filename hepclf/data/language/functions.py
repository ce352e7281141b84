"""The closed list of the functions in an expression, and the meaning of its operators."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from hepclf.data.language import jagged, kinematics
from hepclf.data.language.jagged import Value, lift

Kind = Literal["number", "condition", "unknown"]

CONSTANTS = {"pi": np.float64(np.pi), "inf": np.float64(np.inf), "nan": np.float64(np.nan)}


class Function(NamedTuple):
    """A function of the language: its arguments, its implementation, and the kind of its result."""

    parameters: tuple[str, ...]  # the first is a condition where it is called so
    apply: Callable[..., Value]
    kind: Kind = "number"


def as_float64(value: Any) -> Any:
    """As float64, in which arithmetic is done."""
    return value if value.dtype == np.float64 else value.astype(np.float64)


logical_not = partial(lift, np.logical_not)
logical_and = partial(lift, np.logical_and)
logical_or = partial(lift, np.logical_or)


def _numbers(function: Callable[..., Any]) -> Callable[..., Value]:
    return partial(lift, lambda *contents: function(*map(as_float64, contents)))


def _integer_division(function: Callable[..., Any]) -> Callable[..., Value]:
    """Division of integers by an integer literal stays exact: event numbers need it."""

    def divide(first: Any, second: Any) -> Any:
        if first.dtype.kind in "iu" and second.ndim == 0 and second.dtype.kind in "iu" and second != 0:
            # uint64 with int64 becomes float64 in numpy, which would round event numbers.
            if first.dtype == np.uint64 and second > 0:
                second = second.astype(np.uint64)
            return function(first, second)
        return function(as_float64(first), as_float64(second))

    return partial(lift, divide)


def _choose(chosen: Any, first: Any, second: Any) -> Any:
    if first.dtype == np.bool_ and second.dtype == np.bool_:
        return np.where(chosen, first, second)
    return np.where(chosen, as_float64(first), as_float64(second))


def _clip(x: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


negative = _numbers(operator.neg)
positive = _numbers(operator.pos)
BINARY: dict[type[ast.operator], tuple[Callable[..., Value], Kind]] = {
    ast.Add: (_numbers(operator.add), "number"),
    ast.Sub: (_numbers(operator.sub), "number"),
    ast.Mult: (_numbers(operator.mul), "number"),
    ast.Div: (_numbers(operator.truediv), "number"),
    ast.Pow: (_numbers(operator.pow), "number"),
    ast.FloorDiv: (_integer_division(operator.floordiv), "number"),
    ast.Mod: (_integer_division(operator.mod), "number"),
    ast.BitAnd: (logical_and, "condition"),
    ast.BitOr: (logical_or, "condition"),
}
COMPARISONS: dict[type[ast.cmpop], Callable[..., Value]] = {
    ast.Lt: partial(lift, np.less),
    ast.LtE: partial(lift, np.less_equal),
    ast.Gt: partial(lift, np.greater),
    ast.GtE: partial(lift, np.greater_equal),
    ast.Eq: partial(lift, np.equal),
    ast.NotEq: partial(lift, np.not_equal),
}
_OF_ONE: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "log10": np.log10, "log2": np.log2, "log1p": np.log1p,
    "expm1": np.expm1, "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
}  # fmt: skip
FUNCTIONS: dict[str, Function] = {
    **{name: Function(("x",), _numbers(function)) for name, function in _OF_ONE.items()},
    "arctan2": Function(("y", "x"), _numbers(np.arctan2)),
    "hypot": Function(("x", "y"), _numbers(np.hypot)),
    "minimum": Function(("x", "y"), _numbers(np.minimum)),
    "maximum": Function(("x", "y"), _numbers(np.maximum)),
    "clip": Function(("x", "low", "high"), _numbers(_clip)),
    "where": Function(("condition", "x", "y"), partial(lift, _choose), "unknown"),
    "isnan": Function(("x",), _numbers(np.isnan), "condition"),
    "isfinite": Function(("x",), _numbers(np.isfinite), "condition"),
    "deltaphi": Function(("phi1", "phi2"), _numbers(kinematics.deltaphi)),
    "deltar": Function(("eta1", "phi1", "eta2", "phi2"), _numbers(kinematics.deltar)),
    "invariant_mass": Function(
        ("pt1", "eta1", "phi1", "m1", "pt2", "eta2", "phi2", "m2"), _numbers(kinematics.invariant_mass)
    ),
    "count": Function(("x",), jagged.element_count),
    "sum": Function(("x",), jagged.total),
    "max": Function(("x",), jagged.largest),
    "min": Function(("x",), jagged.smallest),
    "mean": Function(("x",), jagged.mean),
    "any": Function(("condition",), jagged.holds_for_any, "condition"),
    "all": Function(("condition",), jagged.holds_for_all, "condition"),
    "first": Function(("x",), lambda x: jagged.pick(x, 0, np.nan)),
    "last": Function(("x",), lambda x: jagged.pick(x, -1, np.nan)),
    "at": Function(("x", "index", "fill"), jagged.pick),
    "sort": Function(("x",), jagged.descending),
}
