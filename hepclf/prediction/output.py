"""Output: the file that the scores of one input go to, whatever its format; whole under its name, or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol


class Output(Protocol):
    """A file that takes columns, block by block, and at the end the notes by which it is recognised later."""

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries; the first block says which columns there are, and of which types."""
        ...

    def finish(self, notes: str) -> None:
        """Write the notes; nothing is added after them."""
        ...

    def close(self) -> None:
        """Close the file, finished or not."""
        ...


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """An OSError in this block is reported as an error of writing this file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"{path} cannot be written: {reason}; what was finished stays, choose another out=DIR") from error
