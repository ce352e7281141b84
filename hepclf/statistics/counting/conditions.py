"""Conditions on spectators, such as `n_fat >= 2 and mass < 140`: read, never run."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.nearest import nearest

Mask = NDArray[np.bool_]

COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
LONGEST = 2000


class Condition:
    """Comparisons of columns with numbers or text, joined by `and`, `or`, `not` (or `&`, `|`, `~`) and brackets.

    A name that is no plain word stands in backticks. nan compares as false, but for `!=`.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._names: dict[str, str] = {}
        if len(text) > LONGEST:
            raise ValueError(f"a condition must have at most {LONGEST} characters, not {len(text):,}")
        plain = re.sub(r"`([^`]*)`", self._stand_in, text)
        try:
            self._tree = ast.parse(plain.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise self._refused("it cannot be read") from error
        self._check(self._tree)

    def _stand_in(self, match: re.Match[str]) -> str:
        word = f"_column_{len(self._names)}"
        self._names[word] = match[1]
        return word

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns in it, in order."""
        names = [node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)]
        return tuple(dict.fromkeys(self._names.get(name, name) for name in names))

    def check(self, columns: tuple[str, ...]) -> None:
        """Refuse a name that is not a column."""
        for name in self.columns:
            if name not in columns:
                raise ValueError(
                    f"condition {self.text!r} names {name!r}, which is no spectator of the data"
                    f"{nearest(name, columns)}; name it in the data's spectators: [{name}] if it is a column, "
                    f"{{{name}: EXPRESSION}} if it is computed"
                )

    def holds(self, columns: Mapping[str, NDArray[Any]]) -> Mask:
        """The events for which the condition is true, [n]."""
        self.check(tuple(columns))
        return self._mask(self._tree, columns)

    def _refused(self, why: str) -> ValueError:
        example = "n_fat >= 2 and 100 < mass < 140"
        return ValueError(f"condition {self.text!r} is not understood: {why}; it must be like {example!r}")

    def _check(self, node: ast.AST) -> None:
        if isinstance(node, ast.BoolOp):
            inner = node.values
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            inner = [node.left, node.right]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
            inner = [node.operand]
        elif isinstance(node, ast.Compare) and all(type(operand) in COMPARISONS for operand in node.ops):
            sides = [node.left, *node.comparators]
            inner = []
            for side in sides:
                self._side(side, {})
            if not any(isinstance(side, ast.Name) for side in sides):
                raise self._refused("a comparison needs a column")
        else:
            raise self._refused(f"{ast.unparse(node)!r} is no comparison")
        for operand in inner:
            self._check(operand)

    def _side(self, node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> Any:
        """A column, a number or a text."""
        if isinstance(node, ast.Name):
            return columns.get(self._names.get(node.id, node.id))
        # Python parses -5 as the operator minus on the constant 5.
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and _is_number(node.operand):
            return -ast.literal_eval(node.operand)
        if isinstance(node, ast.Constant) and (_is_number(node) or isinstance(node.value, str)):
            return node.value
        raise self._refused(f"{ast.unparse(node)!r} is no column, number or text")

    def _mask(self, node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> Mask:
        if isinstance(node, ast.Compare):
            return self._compared(node, columns)
        if isinstance(node, ast.UnaryOp):
            return ~self._mask(node.operand, columns)
        if isinstance(node, ast.BoolOp):
            every, masks = isinstance(node.op, ast.And), [self._mask(operand, columns) for operand in node.values]
        else:
            binary: Any = node
            every = isinstance(binary.op, ast.BitAnd)
            masks = [self._mask(operand, columns) for operand in (binary.left, binary.right)]
        combined = np.all if every else np.any
        return np.asarray(combined(masks, axis=0))

    def _compared(self, node: ast.Compare, columns: Mapping[str, NDArray[Any]]) -> Mask:
        """Where each comparison of a chain such as `100 < mass < 140` holds."""
        sides = [self._side(side, columns) for side in (node.left, *node.comparators)]
        is_text = {np.asarray(side).dtype.kind in "UO" for side in sides}
        if len(is_text) > 1:
            raise self._refused("it compares a number with text")
        links = [COMPARISONS[type(op)](sides[i], sides[i + 1]) for i, op in enumerate(node.ops)]
        return np.asarray(np.all(np.broadcast_arrays(*links), axis=0))


def _is_number(node: ast.expr) -> bool:
    # True and False are integers to Python, but not numbers of a condition.
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)
