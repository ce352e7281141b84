"""The words and signs of an expression, and errors that point to a place in it."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

CHARACTERS = 10_000
WORDS = 2_000
BRACKETS = 100

_SHORTER = "write it as several expressions"

_WORD = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<dotted>[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z][A-Za-z_0-9]*)+)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<quoted>`[^`]+`)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<foreign>&&|\|\||<<|>>|:=)|(?P<sign>\*\*|//|[<>=!]=|[-+*/%<>&|~()\[\],])"
)
_SPELLED = {
    "&&": "write 'and'",
    "||": "write 'or'",
    "!": "write 'not'",
    "=": "write '==' to compare",
    "?": "write where(condition, x, y)",
    "if": "write where(condition, x, y)",
    "else": "write where(condition, x, y)",
    "^": "write ** for a power, != for an exclusive or",
    ":": "a list takes one whole number or a condition, as in x[0] or x[x > 30]",
    "`": "a name in backticks needs both of them, and a character between",
    "True": "a boolean column is a condition by itself",
    "False": "write not before a condition",
    "'": "text cannot be used",
    '"': "text cannot be used",
}


@dataclass(frozen=True)
class ExpressionText:
    """An expression as the user wrote it."""

    text: str

    def error(self, place: int, message: str) -> ValueError:
        """An error that shows the expression and the faulty column, counted from 1."""
        # Of a long expression, 100 characters about the place are shown.
        start = max(place - 40, 0) if len(self.text) > 100 else 0
        shown = self.text[start : start + 100]
        if start:
            shown = f"...{shown}"
        if start + 100 < len(self.text):
            shown += "..."
        return ValueError(f"expression {shown!r}, column {place + 1}: {message}")

    def bracketed(self, start: int, end: int) -> bool:
        """Whether the text from start to end stands between brackets of its own."""
        return self.text[:start].rstrip().endswith("(") and self.text[end:].lstrip().startswith(")")


def python_spelling(text: ExpressionText) -> tuple[str, dict[int, str]]:
    """The text in Python's spelling, each character at its old place, and the names in backticks by their places."""
    if len(text.text) > CHARACTERS:
        raise text.error(CHARACTERS, f"{len(text.text)} characters are more than {CHARACTERS}; {_SHORTER}")
    python: list[str] = []
    quoted: dict[int, str] = {}
    opened: list[int] = []
    place = 0
    while place < len(text.text):
        kind, word = _word(text, place)
        if kind == "quoted":
            quoted[place] = word[1:-1]
        elif kind == "dotted":
            quoted[place] = word
        elif word in ("(", "["):
            opened.append(place)
        elif word in (")", "]") and not opened:
            raise text.error(place, f"{word!r} closes a bracket that was not opened")
        elif word in (")", "]"):
            opened.pop()
        if len(opened) > BRACKETS:
            raise text.error(place, f"more than {BRACKETS} brackets in one another; {_SHORTER}")
        python.append({"space": " " * len(word), "quoted": "_" * len(word), "dotted": "_" * len(word)}.get(kind, word))
        place += len(word)
    words = sum(not word.isspace() for word in python)
    if words > WORDS:
        raise text.error(0, f"{words} names, numbers and signs are more than {WORDS}; {_SHORTER}")
    if words == 0:
        raise text.error(0, "there is nothing in it; write a column, or 1 for every event")
    if opened:
        raise text.error(opened[-1], f"{text.text[opened[-1]]!r} is not closed")
    return "".join(python), quoted


def _word(text: ExpressionText, place: int) -> tuple[str, str]:
    """The next word and its kind; a word that is not in the language is refused."""
    match = _WORD.match(text.text, place)
    word, kind = text.text[place], "foreign"
    if match:
        word, kind = match.group(), str(match.lastgroup)
    if kind == "foreign" or (kind == "name" and keyword.iskeyword(word) and word not in ("and", "or", "not")):
        raise text.error(place, _refusal(word))
    after = text.text[place + len(word) : place + len(word) + 1]
    if kind in ("number", "name", "dotted") and (after.isidentifier() or after.isdigit() or after == "`"):
        raise text.error(
            place, f"{word!r} runs into {after!r}; a name of such characters needs backticks, as in `1st jet`"
        )
    return kind, word


def _refusal(word: str) -> str:
    named = "write a column of such a name in backticks, as in `Muon.pt`"
    is_name = word.isidentifier() or word in "#@$."
    message = f"{word!r} is no part of the language"
    if hint := _SPELLED.get(word, named if is_name else ""):
        message += f"; {hint}"
    return message
