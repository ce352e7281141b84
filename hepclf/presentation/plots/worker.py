"""The processes that draw: `python -m hepclf.presentation.plots.worker LINE...`, a file descriptor for each.

This process imports matplotlib, draws a trial picture, and forks one process for each line. It has one thread.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from hepclf.presentation.plots.drawing import write_pictures
from hepclf.presentation.plots.index import Part, Written
from hepclf.presentation.plots.picture import Picture, panel
from hepclf.presentation.plots.style import style


def main(numbers: Sequence[str]) -> int:
    """Fork a process for each line, and wait until all have ended."""
    lines = [Connection(int(number)) for number in numbers]
    _draw_trial_picture()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever started this process decides, and closes the lines
    children = [_forked(line, lines) for line in lines]
    for line in lines:
        line.close()
    for child in children:
        os.waitpid(child, 0)
    return 0


def _draw_trial_picture() -> None:
    """Draw a picture that nobody sees, so that fonts and the parser of formulas are ready in each process."""

    def curve(ax: Axes) -> None:
        ax.plot([0, 1], [1, 1000], label="$x^2$")
        ax.set(xlabel="x", ylabel="y", yscale="log")
        ax.legend()

    with tempfile.TemporaryDirectory() as folder, style():
        write_pictures([Picture("trial", panel(curve, "trial"))], Path(folder))


def _forked(line: Connection, lines: Sequence[Connection]) -> int:
    """The number of a new process that serves a line and holds no other."""
    if child := os.fork():
        return child
    code = 1
    try:
        for other in lines:
            if other is not line:
                other.close()
        serve(line)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def serve(line: Connection) -> None:
    """Draw the parts that come over the line until its other end is closed; None answers for a part that failed."""
    drawing: Any = None
    with suppress(EOFError, OSError):
        while True:
            message = line.recv()
            if isinstance(message, Part):
                line.send(_written(drawing, message))
            else:
                drawing = message


def _written(drawing: Any, part: Part) -> Written | None:
    try:
        written: Written = drawing.draw(part)
    except Exception:
        return None
    return written


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
