"""The command line: `hepclf COMMAND [group=choice] [key=value]...`."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from hepclf.cli.commands import COMMANDS
from hepclf.cli.streams import open_streams, visible
from hepclf.cli.threads import share_machine

# Imports create hundreds of thousands of objects that stay. With Python's default threshold of 700, the garbage
# collector walks through them again and again, which takes a tenth of the time of a small run.
NEW_OBJECTS = 200_000  # between two passes of the garbage collector


class Terminated(KeyboardInterrupt):
    """The system requested the end of the process, by SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 the run failed or lacks what it needs, 2 the command was wrong."""
    share_machine()
    if arguments is not None:
        return _flushed(arguments)
    return own_process(lambda: _flushed(sys.argv[1:]))


def own_process(task: Callable[[], int]) -> int:
    """Run the task of a process that hepclf started; a caller in Python keeps its own garbage collection."""
    gc.set_threshold(NEW_OBJECTS)
    open_streams()
    code = task()
    gc.freeze()  # a process that ends need not look for garbage once more
    return code


def _flushed(words: Sequence[str]) -> int:
    """The exit code of one command, after its output has reached its reader."""
    try:
        code = _exit_code(list(words))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it
        sys.stderr.close()
        return 1
    return code


def _exit_code(words: list[str]) -> int:
    if alien := [word for word in words if not _is_unicode(word)]:
        way_out = "rename the file or folder, or name it by a pattern (*)"
        return _complain(f"{alien[0]!r} is not UTF-8, so that no report could name it; {way_out}", 2)
    if not words or words[0] in ("-h", "--help", "help"):
        from hepclf.cli.help import overview

        print(overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"hepclf {version('hepclf')}")
        return 0
    command, arguments = words[0], words[1:]
    if command.startswith("-"):
        return _complain(f"{command} comes after the command: hepclf train {command} ...", 2)
    if command not in COMMANDS:
        from hepclf.nearest import nearest

        return _complain(f"{command!r} is not a command{nearest(command, COMMANDS)}", 2)
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"]
    return guarded(lambda: _run(command, words), debug=debug)


def _run(command: str, arguments: list[str]) -> int:
    if {"-h", "--help"} & set(arguments):
        from hepclf.cli import configs
        from hepclf.cli.help import command_help

        print(visible(command_help(command, configs.user_folders(arguments))))
        return 0
    run: Callable[[list[str]], int] = import_module(f"hepclf.cli.{command}").run
    return run(arguments)


def _is_unicode(word: str) -> bool:
    """Whether a word can be written as UTF-8; Python keeps bytes that are not as lone surrogates."""
    return not any("\ud800" <= sign <= "\udfff" for sign in word)


def guarded(task: Callable[[], int], *, debug: bool = False) -> int:
    """Do a task and return its exit code; an exception becomes one line on standard error."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return task()
    except BrokenPipeError:
        raise
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else 2
    except BaseException as error:
        if debug:
            raise
        from hepclf.cli.errors import explain

        return _complain(*explain(error))


def _terminated(*_: object) -> None:
    raise Terminated("terminated by the system (SIGTERM); what was written so far is whole")


def _complain(line: str, code: int) -> int:
    print(f"hepclf: {visible(line)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
