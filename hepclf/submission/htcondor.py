"""HTCondor on a shared file system: jobs that exit with 85 are started again where they left their checkpoint."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from hepclf.recipe import recipe
from hepclf.submission.cluster import Cluster
from hepclf.submission.programs import answer
from hepclf.submission.script import job_script
from hepclf.submission.submission import SCRIPT, Chunk, Submission

DESCRIPTION, ELEMENTS, CHECK = "job.sub", "elements.txt", "check.sub"
ENVIRONMENT = "HOME, PATH, LD_LIBRARY_PATH, XDG_CACHE_HOME"  # what a job sees of the submitting shell
LEAVE = """
# HTCondor starts a job again that exits with its checkpoint_exit_code.
leave() {
    if [ "$(grep -c "^hepclf: task $task begins" "$log")" -gt "$max_requeues" ]; then
        echo "hepclf: no restart, as max_requeues=$max_requeues is reached"
        exit 1
    fi
    exit 85
}
"""


@recipe
class HTCondor(Cluster):
    """Jobs of HTCondor, which decides by itself how many run at the same time.

    universe     vanilla, container or docker
    max_retries  how often HTCondor starts a job again that failed
    """

    can_wait: ClassVar[bool] = False
    universe: str = "vanilla"
    max_retries: int = 0

    def files(self, submission: Submission) -> dict[str, str]:
        """The job script, the submit file, and the file that it queues from."""
        log = f"log={shlex.quote(str(submission.folder))}/${{1:-0}}_${{2:-0}}.log"
        script = job_script(
            submission,
            self,
            directives=[log, '[ "${1:-}" = check ] || exec >>"$log" 2>&1'],
            index="${2:-0}",
            leave=LEAVE,
            threads=str(self.cpus),
            offset="0",
        )
        queue = [
            "arguments = $(ClusterId) $(element)",
            f"log = {submission.folder}/htcondor.log",
            f"queue element from {submission.folder / ELEMENTS}",
        ]
        checks = [
            "arguments = check",
            *(f"{name} = {submission.folder}/check.{name}" for name in ("log", "output", "error")),
            "queue",
        ]
        head = list(self._lines(submission))
        return {
            SCRIPT: script,
            DESCRIPTION: "\n".join([*head, *queue]) + "\n",
            ELEMENTS: "".join(f"{element}\n" for element in range(submission.elements)),
            **({CHECK: "\n".join([*head, *checks]) + "\n"} if self.check else {}),
        }

    def check_there(self, submission: Submission) -> str:
        """Run the checks of the script as a job of their own and wait for it; gives what it says."""
        answer(["condor_submit", "-terse", str(submission.folder / CHECK)])
        answer(["condor_wait", str(submission.folder / "check.log")], timeout_s=3600.0)
        output = submission.folder / "check.output"
        lines = output.read_text(errors="replace").strip().splitlines() if output.is_file() else []
        last = lines[-1] if lines else "it printed nothing"
        if "all is there" not in last:
            raise OSError(f"the test job failed: {last.removeprefix('hepclf: ')}; see {submission.folder}")
        return last

    def submit(self, submission: Submission, after: Collection[str] = (), *, is_closing: bool = False) -> Submission:  # noqa: ARG002
        """Hand the jobs to HTCondor; gives the submission with their id."""
        if after:
            raise ValueError("after must be null with cluster=htcondor, which makes jobs wait in a DAG; write one")
        text = answer(["condor_submit", "-terse", str(submission.folder / DESCRIPTION)])
        match = re.match(r"\s*(\d+)\.", text)
        if match is None:
            raise OSError(f"condor_submit gave no id: {' '.join(text.split())}")
        return submission.with_chunk(Chunk(match[1], 0, submission.elements))

    def queued(self, submissions: Sequence[Submission]) -> list[set[int]]:
        """Of each submission the elements that wait, run or are held."""
        return [_elements(submission) for submission in submissions]

    def _lines(self, submission: Submission) -> Iterator[str]:
        yield "# Submit file of hepclf: job N of the cluster runs element N of the tasks."
        yield f"universe = {self.universe}"
        yield f"executable = {submission.folder / SCRIPT}"
        yield f"initialdir = {submission.directory}"
        yield f"getenv = {ENVIRONMENT}"
        yield "should_transfer_files = NO"
        yield f"request_cpus = {self.cpus}"
        yield f"request_memory = {math.ceil(1000 * self.memory_gb)}"
        if self.gpus:
            yield f"request_gpus = {self.gpus}"
        yield f"+MaxRuntime = {math.ceil(3600 * self.time_h)}"
        yield "# A checkpoint was written: start the job again, in its time."
        yield "checkpoint_exit_code = 85"
        yield f"max_retries = {self.max_retries}"
        yield from self.extra


def _elements(submission: Submission) -> set[int]:
    elements: set[int] = set()
    for number in submission.ids:
        lines = answer(["condor_q", number, "-autoformat", "ProcId"]).split()
        elements |= {int(process) for process in lines if process.isdecimal()}
    return elements
