"""From Python's syntax tree to functions of arrays: a kind of node that is not listed here is refused."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from hepclf.data.language import functions, jagged
from hepclf.data.language.functions import CONSTANTS, FUNCTIONS, Kind
from hepclf.data.language.jagged import Value
from hepclf.data.language.words import ExpressionText, python_spelling
from hepclf.nearest import nearest

DEPTH = 100
LARGEST_INDEX = 2**31

Step = Callable[[Mapping[str, Value]], Value]


class Built(NamedTuple):
    """A full expression: its step, the first positions of its columns and constants, and whether it is one column."""

    step: Step
    places: Mapping[str, int]
    constants: Mapping[str, int]
    is_column: bool


class Subexpression(NamedTuple):
    """A part of an expression: how to evaluate it, its kind if known without data, and its position in the text."""

    step: Step
    kind: Kind
    place: int


class Link(NamedTuple):
    """One further operation on the value to its left."""

    function: Callable[..., Value]
    operand: Subexpression


def build_expression(source: str) -> Built:
    """The expression as steps; a ValueError says what is wrong and where."""
    text = ExpressionText(source)
    python, quoted = python_spelling(text)
    builder = Builder(text, quoted)
    try:
        # Inside brackets blanks mean nothing; on a line of its own each character keeps its position.
        tree = ast.parse(f"(\n{python}\n)", mode="eval").body
        part = builder.build(tree, 0)
    except SyntaxError as error:
        end = len(source.rstrip())
        place = end - 1
        if error.lineno == 2:
            place = (error.offset or 1) - 1
        raise text.error(place, "cannot be read on from here; an operator, a value or a comma is missing") from None
    except (RecursionError, MemoryError):
        raise text.error(0, "is nested too deeply; write it as several expressions") from None
    return Built(part.step, builder.places, builder.constants, part.kind == "unknown" and isinstance(tree, ast.Name))


class Builder:
    """Translates one syntax tree, and collects its columns and constants."""

    def __init__(self, text: ExpressionText, quoted: Mapping[int, str]) -> None:
        self.text = text
        self.quoted = quoted
        self.places: dict[str, int] = {}
        self.constants: dict[str, int] = {}

    def build(self, node: ast.AST, depth: int) -> Subexpression:
        """The step for this node and everything below it."""
        if depth > DEPTH:
            raise self._error(node, f"is nested deeper than {DEPTH}; write it as several expressions")
        match node:
            case ast.Constant():
                return self._number(node, node.value)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp():
                return self._unary(node, depth + 1)
            case ast.BinOp():
                return self._binary(node, depth + 1)
            case ast.BoolOp():
                return self._logic(node, depth + 1)
            case ast.Compare():
                return self._comparison(node, depth + 1)
            case ast.Call():
                return self._call(node, depth + 1)
            case ast.Subscript():
                return self._subscript(node, depth + 1)
        raise self._foreign(node, node)

    def _number(self, node: ast.expr, value: Any) -> Subexpression:
        if type(value) not in (int, float):
            raise self._error(node, f"{value!r} is no number")
        number = _scalar(value)
        if not np.isfinite(number):
            raise self._error(node, "the number is too large; infinity is written inf")
        return Subexpression(lambda _: number, "number", node.col_offset)

    def _name(self, node: ast.Name) -> Subexpression:
        place = node.col_offset
        name = self.quoted.get(place, node.id)
        if place not in self.quoted and name in CONSTANTS:
            self.constants.setdefault(name, place)
            return Subexpression(lambda _: CONSTANTS[name], "number", place)
        if place not in self.quoted and name in FUNCTIONS:
            raise self._error(node, f"{name!r} is a function; write {_call_of(name)}, or `{name}` for a column")
        self.places.setdefault(name, place)
        return Subexpression(lambda table: table[name], "unknown", place)

    def _unary(self, node: ast.UnaryOp, depth: int) -> Subexpression:
        if (number := _integer_literal(node)) is not None:
            return self._number(node, number)
        operand = self.build(node.operand, depth)
        match node.op:
            case ast.Not() | ast.Invert():
                sign = "not" if isinstance(node.op, ast.Not) else "~"
                return self._apply(node, functions.logical_not, self._condition(operand, sign), kind="condition")
            case ast.USub():
                return self._apply(node, functions.negative, operand)
        return self._apply(node, functions.positive, operand)

    def _binary(self, node: ast.BinOp, depth: int) -> Subexpression:
        """All of a + b - c in one step: such a chain nests to the left as deeply as it is long."""
        nodes = [node]
        while isinstance(nodes[-1].left, ast.BinOp):
            nodes.append(nodes[-1].left)
        first = self.build(nodes[-1].left, depth)
        kind = first.kind
        links: list[Link] = []
        for binary in reversed(nodes):
            operand = self.build(binary.right, depth)
            if type(binary.op) not in functions.BINARY:
                raise self._foreign(binary, binary.op)
            if isinstance(binary.op, ast.BitAnd | ast.BitOr):
                sign = "&" if isinstance(binary.op, ast.BitAnd) else "|"
                condition = self._condition(Subexpression(first.step, kind, first.place), sign)
                operand = self._condition(operand, sign)
                if not links:
                    first = condition
            function, kind = functions.BINARY[type(binary.op)]
            links.append(Link(function, operand))
        return self._chain(first, links, kind)

    def _logic(self, node: ast.BoolOp, depth: int) -> Subexpression:
        word, function = "or", functions.logical_or
        if isinstance(node.op, ast.And):
            word, function = "and", functions.logical_and
        first, *operands = [self._condition(self.build(value, depth), word) for value in node.values]
        return self._chain(first, [Link(function, operand) for operand in operands], "condition")

    def _comparison(self, node: ast.Compare, depth: int) -> Subexpression:
        for operator in node.ops:
            if type(operator) not in functions.COMPARISONS:
                raise self._foreign(node, operator)
        terms = (node.left, *node.comparators)
        for term in terms:
            self._check_comparable(term)
        first, *operands = [self.build(term, depth) for term in terms]
        compares = [functions.COMPARISONS[type(operator)] for operator in node.ops]

        def step(table: Mapping[str, Value]) -> Value:
            value, result = first.step(table), None
            for compare, operand in zip(compares, operands, strict=True):
                next_value = operand.step(table)
                holds = self._evaluate(operand.place, compare, value, next_value)
                if result is not None:
                    holds = self._evaluate(operand.place, functions.logical_and, result, holds)
                value, result = next_value, holds
            return result

        return Subexpression(step, "condition", node.col_offset)

    def _check_comparable(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name) and node.id == "nan":  # a quoted name has another id here
            raise self._error(node, "nothing equals nan; write isnan(x)")
        mask = isinstance(node, ast.BinOp | ast.UnaryOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Invert)
        if mask and not self.text.bracketed(node.col_offset, node.end_col_offset or 0):
            raise self._error(node, f"&, | and ~ bind tighter than comparisons; {_BRACKETS}")

    def _call(self, node: ast.Call, depth: int) -> Subexpression:
        if not isinstance(node.func, ast.Name) or node.func.col_offset in self.quoted:
            raise self._error(node, "only functions of the language can be called; an operator is missing before '('")
        name = node.func.id
        if name not in FUNCTIONS:
            raise self._error(node, f"there is no function {name!r}{nearest(name, FUNCTIONS)}")
        function = FUNCTIONS[name]
        expected = len(function.parameters)
        if node.keywords or len(node.args) != expected:
            hints = {"max": "; the larger of two is maximum(x, y)", "min": "; the smaller of two is minimum(x, y)"}
            count, hint = len(node.args) + len(node.keywords), hints.get(name, "")
            raise self._error(node, f"{_call_of(name)} takes {expected} values in this order, not {count}{hint}")
        if name == "at":
            lists, fill = self.build(node.args[0], depth), self.build(node.args[2], depth)
            index = self._index(node.args[1])
            return self._apply(node, lambda x, fill: jagged.pick(x, index, fill), lists, fill)
        operands = [self.build(argument, depth) for argument in node.args]
        if function.parameters[0] == "condition":
            operands[0] = self._condition(operands[0], name)
        return self._apply(node, function.apply, *operands, kind=function.kind)

    def _subscript(self, node: ast.Subscript, depth: int) -> Subexpression:
        lists = self.build(node.value, depth)
        if _integer_literal(node.slice) is not None:
            index = self._index(node.slice)
            return self._apply(node, lambda x: jagged.pick(x, index, np.nan), lists)
        selected = self.build(node.slice, depth)
        if selected.kind == "number":
            raise self.text.error(selected.place, "[ ] takes a whole number that is written out, or a condition")
        return self._apply(node, jagged.select, lists, self._condition(selected, "[ ]"), kind=lists.kind)

    def _index(self, node: ast.expr) -> int:
        index = _integer_literal(node)
        if index is None or abs(index) >= LARGEST_INDEX:
            raise self._error(node, f"the index must be a whole number that is written out, below {LARGEST_INDEX}")
        return index

    def _condition(self, part: Subexpression, operator: str) -> Subexpression:
        """The condition; a number is refused, at once if its kind is known, otherwise when it is evaluated."""
        hint = _BRACKETS if operator in ("&", "|", "~") else "compare it, as in x != 0"
        error = self.text.error(part.place, f"{operator} takes conditions, not a number; {hint}")
        if part.kind == "number":
            raise error

        def step(table: Mapping[str, Value]) -> Value:
            value = part.step(table)
            if not jagged.is_condition(value):
                raise error
            return value

        if part.kind != "unknown":
            return part
        return Subexpression(step, "condition", part.place)

    def _apply(
        self, node: ast.expr, function: Callable[..., Value], *operands: Subexpression, kind: Kind = "number"
    ) -> Subexpression:
        def step(table: Mapping[str, Value]) -> Value:
            return self._evaluate(node.col_offset, function, *(operand.step(table) for operand in operands))

        return Subexpression(step, kind, node.col_offset)

    def _chain(self, first: Subexpression, links: list[Link], kind: Kind) -> Subexpression:
        def step(table: Mapping[str, Value]) -> Value:
            value = first.step(table)
            for function, operand in links:
                value = self._evaluate(operand.place, function, value, operand.step(table))
            return value

        return Subexpression(step, kind, first.place)

    def _evaluate(self, place: int, function: Callable[..., Value], *values: Value) -> Value:
        try:
            return function(*values)
        except ValueError as wrong:
            raise self.text.error(place, str(wrong)) from None

    def _foreign(self, node: ast.AST, construct: ast.AST) -> ValueError:
        return self._error(node, f"{type(construct).__name__} is no part of the language; see docs/expressions.md")

    def _error(self, node: ast.AST, message: str) -> ValueError:
        return self.text.error(getattr(node, "col_offset", 0), message)


_BRACKETS = "compare in brackets, as in (a > 1) & (b > 2), or write a > 1 and b > 2"


def _integer_literal(node: ast.expr) -> int | None:
    """The integer of this literal, with its sign; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        inner = _integer_literal(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def _scalar(value: float) -> Any:
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return np.int64(value)
    if isinstance(value, int) and 0 <= value < 2**64:
        return np.uint64(value)
    try:
        return np.float64(value)
    except OverflowError:
        return np.float64(np.inf)


def _call_of(name: str) -> str:
    return f"{name}({', '.join(FUNCTIONS[name].parameters)})"
