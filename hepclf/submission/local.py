"""Processes on this machine, which outlive the command that starts them: the batch system of a single node."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Collection, Sequence

from hepclf.recipe import recipe
from hepclf.submission.cluster import Cluster
from hepclf.submission.programs import answer
from hepclf.submission.script import job_script
from hepclf.submission.submission import SCRIPT, Chunk, Submission

LEAVE = """
# There is no queue here: after its own checkpoint a task is started again at once.
leave() {
    if [ -n "$signal" ] || [ "$restarts" -ge "$max_requeues" ]; then exit 85; fi
    restarts=$((restarts + 1))
}
"""


@recipe
class Local(Cluster):
    """`at_once` processes on this machine; memory_gb, time_h and extra are not used."""

    at_once: int = 1

    def files(self, submission: Submission) -> dict[str, str]:
        """The job script."""
        log = f"{shlex.quote(str(submission.folder))}/$(hostname)-${{PPID}}_${{2:-0}}.log"
        script = job_script(
            submission,
            self,
            directives=[f'[ "${{1:-}}" = check ] || exec >>{log} 2>&1'],
            index="${2:-0}",
            leave=LEAVE,
            threads=str(self.cpus),
        )
        return {SCRIPT: script}

    def check_there(self, submission: Submission) -> str:
        """Run the checks of the script; returns their message."""
        return answer(["bash", str(submission.folder / SCRIPT), "check"], timeout_s=600.0).strip().splitlines()[-1]

    def submit(self, submission: Submission, after: Collection[str] = (), *, is_closing: bool = False) -> Submission:  # noqa: ARG002
        """Start a process that starts all others; it waits until the jobs in `after` have ended in any way."""
        script = shlex.quote(str(submission.folder / SCRIPT))
        waits = [f"while kill -0 {_process(number)} 2>/dev/null; do sleep 1; done" for number in after]
        numbers = f"seq 0 {submission.elements - 1}"
        start = f"exec xargs -P {self.at_once} -n 1 bash {script} 0 < <({numbers})"
        leader = shlex.quote("; ".join([*waits, start]))
        number = answer(["bash", "-c", f"setsid bash -c {leader} </dev/null >/dev/null 2>&1 & echo $!"]).strip()
        return submission.with_chunk(Chunk(f"{socket.gethostname()}-{number}", 0, submission.elements))

    def queued(self, submissions: Sequence[Submission]) -> list[set[int]]:
        """For each submission, the elements that wait or run: all, while the process that starts them lives."""
        return [_elements(submission) for submission in submissions]


def _process(number: str) -> int:
    """The number of a process of this machine."""
    host, _, process = number.rpartition("-")
    if host != socket.gethostname() or not process.isdecimal():
        raise OSError(f"{number} is not a process of this machine; ask on {host or 'the machine that started it'}")
    return int(process)


def _command(process: int) -> str:
    """The command line of a process; empty if there is none."""
    try:
        return answer(["ps", "-o", "args=", "-ww", "-p", str(process)])
    except OSError:
        return ""


def _elements(submission: Submission) -> set[int]:
    elements: set[int] = set()
    for chunk in submission.chunks:
        if str(submission.folder / SCRIPT) in _command(_process(chunk.id)):
            elements |= set(chunk.numbers)
    return elements
