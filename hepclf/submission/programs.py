"""The programs of a batch system, called without a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


def answer(words: Sequence[str], folder: Path | None = None, *, timeout_s: float = 60.0) -> str:
    """The standard output of a program; an OSError with its last line if it fails or does not exist."""
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout_s)
    except FileNotFoundError as error:
        raise OSError(f"there is no {words[0]} on this machine; choose another cluster= or log in elsewhere") from error
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{words[0]} did not answer for {timeout_s:g} s; try again later") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise OSError(f"{words[0]} failed: {lines[-1]}")
    return done.stdout
