"""SLURM: job arrays, requeued by the job itself after a checkpoint."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from hepclf.recipe import recipe
from hepclf.submission.cluster import Cluster
from hepclf.submission.programs import answer
from hepclf.submission.script import job_script
from hepclf.submission.submission import SCRIPT, Chunk, Submission

LEAVE = """
# After a checkpoint the job requests its own requeue. After TERM, SLURM ends the job: a preempted one is requeued, a
# cancelled one is not. USR1, sent some time before the time limit, ends this waiting.
leave() {
    while [ "$signal" = TERM ]; do sleep 5 & wait $! || true; done
    if [ "${SLURM_RESTART_COUNT:-0}" -lt "$max_requeues" ]; then
        echo "hepclf: requeue after restart ${SLURM_RESTART_COUNT:-0}"
        scontrol requeue "$SLURM_JOB_ID"
    else
        echo "hepclf: no requeue, as max_requeues=$max_requeues is reached"
    fi
    exit 85
}
"""


@recipe
class Slurm(Cluster):
    """Arrays of SLURM.

    warn_s  seconds before the time limit at which a training is told to write its checkpoint
    """

    can_spread: ClassVar[bool] = True
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    warn_s: int = 120

    def files(self, submission: Submission) -> dict[str, str]:
        """The job script."""
        script = job_script(
            submission,
            self,
            directives=[f"#SBATCH {line}" for line in self._directives(submission)],
            index="${SLURM_ARRAY_TASK_ID:-0}",
            leave=LEAVE,
            threads=f"${{SLURM_CPUS_PER_TASK:-{self._cpus_per_process}}}",
            launch=self._launch,
        )
        return {SCRIPT: script}

    def check_there(self, submission: Submission) -> str:
        """Run the checks of the script as a separate job, wait for it, and return its message."""
        log = submission.folder / "check.log"
        words = ["sbatch", "--wait", f"--output={log}", "--job-name=hepclf-check", "--time=5"]
        try:
            answer([*words, str(submission.folder / SCRIPT), "check"], timeout_s=3600.0)
        except OSError as error:
            text = log.read_text(errors="replace") if log.is_file() else ""
            reasons = [line.removeprefix("hepclf: ") for line in text.splitlines() if line.startswith("hepclf: ")]
            reason = reasons[-1] if reasons else error
            raise OSError(f"the test job failed: {reason}; see {submission.folder}") from error
        return log.read_text(errors="replace").strip().splitlines()[-1]

    def submit(self, submission: Submission, after: Collection[str] = (), *, is_closing: bool = False) -> Submission:
        """Submit the arrays to SLURM, in chunks of the size that it accepts; returns the submission with their ids.

        after       ids of jobs that must have succeeded before; with is_closing, that must have ended
        """
        most = self._most_elements()
        for first in range(0, submission.elements, most):
            count = min(most, submission.elements - first)
            words = ["sbatch", "--parsable", f"--array=0-{count - 1}%{self.at_once}"]
            if after:
                condition = "afterany" if is_closing else "afterok"
                words += [f"--dependency={condition}:{':'.join(after)}", "--kill-on-invalid-dep=yes"]
            number = answer([*words, str(submission.folder / SCRIPT), str(first)]).strip().split(";")[0]
            submission = submission.with_chunk(Chunk(number, first, count))
        return submission

    def queued(self, submissions: Sequence[Submission]) -> list[set[int]]:
        """For each submission, the elements that wait or run; one call of SLURM for all of them."""
        queues = {user: _queue(user) for user in {submission.folder.owner() for submission in submissions}}
        return [_elements(submission, queues[submission.folder.owner()]) for submission in submissions]

    @property
    def _processes(self) -> int:
        """Processes on each node, one per GPU; on a single node hepclf itself starts its processes."""
        if self.nodes == 1:
            return 1
        return max(1, self.gpus)

    @property
    def _cpus_per_process(self) -> int:
        return max(1, self.cpus // self._processes)

    @property
    def _launch(self) -> str:
        """The words that start a process for each task on each node; if one of them fails, SLURM ends the others."""
        if self.nodes == 1:
            return ""
        return f"srun --kill-on-bad-exit=1 --cpus-per-task={self._cpus_per_process}"  # which srun does not inherit

    def _directives(self, submission: Submission) -> Iterator[str]:
        minutes = max(1, math.ceil(60 * self.time_h))
        yield "--job-name=hepclf"
        yield f'--output="{submission.folder}/%A_%a.log"'
        yield "--open-mode=append"
        yield "--requeue"
        yield f"--signal=B:USR1@{self.warn_s}"
        yield f"--time={minutes}"
        if self.nodes > 1:
            yield f"--nodes={self.nodes}"
            yield f"--ntasks-per-node={self._processes}"
        yield f"--cpus-per-task={self._cpus_per_process}"
        yield f"--mem={math.ceil(1000 * self.memory_gb)}M"
        if self.gpus:
            yield f"--gres=gpu:{self.gpus}"
        for name in ("partition", "account", "qos", "constraint"):
            if (value := getattr(self, name)) is not None:
                yield f"--{name}={value}"
        yield from self.extra

    def _most_elements(self) -> int:
        """The site's limit on the size of an array."""
        match = re.search(r"^MaxArraySize\s*=\s*(\d+)", answer(["scontrol", "show", "config"]), re.MULTILINE)
        if match is None:
            return 1000
        return max(1, int(match[1]))


def _queue(user: str) -> list[tuple[str, str]]:
    """Array and index of each element of a user that waits or runs."""
    lines = answer(["squeue", "--noheader", "--array", "--format=%F %K", f"--user={user}"]).splitlines()
    return [(words[0], words[1]) for line in lines if len(words := line.split()) == 2]


def _elements(submission: Submission, queue: list[tuple[str, str]]) -> set[int]:
    """The elements of a submission that are in a queue."""
    starts = {chunk.id: chunk.first for chunk in submission.chunks}
    return {starts[array] + int(index) for array, index in queue if array in starts and index.isdecimal()}
