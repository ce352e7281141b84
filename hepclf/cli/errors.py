"""Errors as one line each, with the exit code."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path

from hepclf.files import is_temporary
from hepclf.training.memory import DeviceMemoryError, is_out_of_memory
from hepclf.words import LONGEST_MESSAGE, shortened

FAILED, WRONG = 1, 2
STOPPED, INTERRUPTED, QUIT = 85, 130, 131  # a checkpoint was written, run me again; Ctrl-C; SIGQUIT

NO_ACCESS = (errno.EROFS, errno.EACCES, errno.EPERM)  # what no retry and no free space changes
REFUSALS = {
    errno.EROFS: "cannot be written: the file system is read-only; choose another place",
    errno.EACCES: "cannot be used: permission denied; choose another place, or ask its owner",
    errno.EPERM: "cannot be used: its owner alone may do so; choose another place, or ask its owner",
    errno.EEXIST: "cannot be made: there is a file of this name; choose another place",
    errno.ENOTDIR: "cannot be made or read: a part of its path is a file and no folder; choose another place",
}


def explain(error: BaseException) -> tuple[str, int]:
    """One line with rule, value and way out, and the exit code: 1 if the run failed, 2 if the command was wrong."""
    line, code = _explained(error)
    return shortened(line, LONGEST_MESSAGE), code


def _explained(error: BaseException) -> tuple[str, int]:
    kind = type(error).__name__
    text = " ".join(" ".join([str(error), *getattr(error, "__notes__", ())]).split())
    if (reason := _unreadable(error, kind, text)) is not None:
        return reason, WRONG
    untrusted = next((cause for cause in _causes(error) if type(cause).__name__ == "UntrustedError"), None)
    if untrusted is not None:
        target = getattr(untrusted, "target", "")
        way_out = f"say trust=[{target}] if you trust it"
        return f"the tagger is made of {target}, which is not part of hepclf; {way_out}", FAILED
    if isinstance(error, RecursionError):
        return "a file is nested too deeply, or a configuration names itself; --debug shows where", FAILED
    if kind == "Stopped":
        is_interrupt = getattr(error, "is_interrupt", False)
        return text, INTERRUPTED if is_interrupt else STOPPED
    if kind == "Quit":
        return text, QUIT
    if isinstance(error, KeyboardInterrupt):
        code = FAILED if kind == "Terminated" else INTERRUPTED
        return text or "interrupted; what was written so far is whole", code
    if is_out_of_memory(error) and not isinstance(error, DeviceMemoryError):
        reason = text[:200] or kind
        return f"out of memory ({reason}); use fewer events or features, or a machine with more memory", FAILED
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        location = f" at {error.filename}" if error.filename else ""
        way_out = "what was finished is whole: free some space and run it again"
        return f"no space left on device{location}; {way_out}", FAILED
    if isinstance(error, (ValueError, OSError, DeviceMemoryError)):
        return _refusal(error) or text, FAILED
    return f"unexpected {kind}: {text}; --debug shows where", FAILED


def _unreadable(error: BaseException, kind: str, text: str) -> str | None:
    """What is wrong with a command or a configuration that cannot be read; None for other errors."""
    module = type(error).__module__
    if kind == "RecipeError":
        return text
    if kind == "MissingConfigException" and getattr(error, "options", None):
        group, _, choice = str(getattr(error, "missing_cfg_file", "")).rpartition("/")
        options = ", ".join(str(option) for option in getattr(error, "options", []))
        return f"{group}={choice} is not a choice; there are: {options}"
    if module.startswith(("hydra", "omegaconf")):
        summary = re.split(r"See https?://|full_key:|\s+object_type=", text)[0].strip().replace("++", "")
        if "Parse" in kind or "Lexer" in text:
            summary += "; quote what is not plain, as in 'name=\"a b\"' or 'model.hidden=[100,50]'"
        return f"the command cannot be read: {summary}"
    if module.startswith("yaml"):
        return f"a configuration cannot be read: {text}"
    return None


def _refusal(error: Exception) -> str | None:
    """What the system refused, if a retry cannot help; a temporary file is reported by its folder."""
    if not isinstance(error, OSError) or not error.filename or error.errno not in REFUSALS:
        return None
    path = Path(str(error.filename))
    if is_temporary(path.name):
        path = path.parent
    return f"{path} {REFUSALS[error.errno]}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__
