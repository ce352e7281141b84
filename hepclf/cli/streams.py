"""Standard streams of a process: always open, with every sign written somehow, and without control characters."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys

ASCII = {"⊕": "(+)", "±": "+-", "≥": ">=", "√": "sqrt", "ε": "e", "Σ": "sum ", "→": "->", "…": "...", "¹": "^1"}
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)  # with those that reverse text


def open_streams() -> None:
    """Open streams that the caller closed (`>&-`) to nowhere, and spell out signs that the others lack.

    The system gives the number of a closed stream to the next file that is opened, so that a print could damage it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            spell_out(stream)


def spell_out(stream: io.TextIOWrapper) -> None:
    """Write signs that the encoding of the stream lacks in ASCII, where they would end the command."""
    codecs.register_error("spell_out", _spelt)
    stream.reconfigure(errors="spell_out")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(ASCII.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def visible(text: str) -> str:
    """Text of a file or a server, with `?` for each character that would act on a terminal."""
    return CONTROL.sub("?", text)
