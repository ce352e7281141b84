"""HTCondor: jobs that exit with 85 are started again from their checkpoint, with and without shared folders."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from hepclf.files import write_bytes
from hepclf.recipe import recipe
from hepclf.submission.cluster import Cluster
from hepclf.submission.dag import queued_processes, submit_dag
from hepclf.submission.programs import answer
from hepclf.submission.script import job_script
from hepclf.submission.submission import SCRIPT, TASKS, Chunk, Submission
from hepclf.submission.transfer import LOG, TABLE, Transfer

DESCRIPTION, ELEMENTS, CHECK = "job.sub", "elements.txt", "check.sub"
ENVIRONMENT = "HOME, PATH, LD_LIBRARY_PATH, XDG_CACHE_HOME"  # what a job sees of the submitting shell
ID = "id = $(ClusterId)"  # logs are named by it
ID_IN_DAG = "id = $(DAGManJobId)"  # that of the cluster is not known when the DAG is submitted
IN_SCRATCH = (
    'export HOME="$PWD" XDG_CACHE_HOME="$PWD/.cache"',
    "# Job files that came with the folder of a run are not brought back.",
    r"find . -type d -path '*/batch/[0-9]*_*-*' -prune -exec rm -rf {} +",
)
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
    """Jobs of HTCondor, which itself decides how many run at the same time.

    universe     vanilla, container or docker
    max_retries  how often HTCondor starts a failed job again
    shared       whether the nodes see the folders of this machine; otherwise files are transferred
    inputs       files and folders to transfer then, in addition to those that the command names
    python       the interpreter on the nodes; null: the one that submits
    """

    universe: str = "vanilla"
    max_retries: int = 0
    shared: bool = True
    inputs: tuple[str, ...] = ()
    python: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_retries < 0:
            raise ValueError(f"max_retries must be at least 0, not {self.max_retries}")

    def files(self, submission: Submission) -> dict[str, str]:
        """The job script, the submit files, and the files that they read."""
        transfer = self._transfer(submission)
        texts = {
            SCRIPT: self._script(submission, transfer),
            DESCRIPTION: "\n".join(self._jobs(submission, transfer)) + "\n",
        }
        outputs = transfer.outputs if transfer else [()] * submission.elements
        texts[ELEMENTS] = "".join(
            f"{element} {', '.join(paths)}".rstrip() + "\n" for element, paths in enumerate(outputs)
        )
        if transfer:
            texts[TABLE] = transfer.table
        if self.check:
            texts[CHECK] = "\n".join(self._check_job(submission, transfer)) + "\n"
        return texts

    def check_there(self, submission: Submission) -> str:
        """Run the checks of the script as a separate job, wait for it, and return its message."""
        answer(["condor_submit", "-terse", str(submission.folder / CHECK)])
        answer(["condor_wait", str(submission.folder / "check.log")], timeout_s=3600.0)
        output = submission.folder / "check.output"
        last = "it printed nothing"
        if output.is_file() and (text := output.read_text(errors="replace").strip()):
            last = text.splitlines()[-1]
        if "all is there" not in last:
            raise OSError(f"the test job failed: {last.removeprefix('hepclf: ')}; see {submission.folder}")
        return last

    def submit(self, submission: Submission, after: Collection[str] = (), *, is_closing: bool = False) -> Submission:
        """Submit the jobs to HTCondor; returns the submission with their id, that of a DAG if they wait for others."""
        if transfer := self._transfer(submission):
            transfer.make_folders(submission.directory)
        description = submission.folder / DESCRIPTION
        if after:
            write_bytes(description, description.read_bytes().replace(ID.encode(), ID_IN_DAG.encode()))
            number = submit_dag(submission.folder, DESCRIPTION, after, must_end_well=not is_closing)
            return submission.with_chunk(Chunk(number, 0, submission.elements))
        text = answer(["condor_submit", "-terse", str(description)])
        match = re.match(r"\s*(\d+)\.", text)
        if match is None:
            raise OSError(f"condor_submit gave no id: {' '.join(text.split())}")
        return submission.with_chunk(Chunk(match[1], 0, submission.elements))

    def queued(self, submissions: Sequence[Submission]) -> list[set[int]]:
        """For each submission, the elements that wait, run or are held."""
        return [
            set().union(*(queued_processes(number, job.folder, job.elements) for number in job.ids))
            for job in submissions
        ]

    def _transfer(self, submission: Submission) -> Transfer | None:
        """The files that the jobs need; None if they see the folders, as the job that writes the table always does."""
        if self.shared or submission.is_closing:
            return None
        return Transfer.planned(submission, self.inputs)

    def _script(self, submission: Submission, transfer: Transfer | None) -> str:
        log = f"{shlex.quote(str(submission.folder))}/${{1:-0}}_${{2:-0}}.log"
        view, table = submission, None
        steps: tuple[str, ...] = ()
        if transfer:  # everything is in the directory in which the job starts
            log, table, steps = LOG, TASKS, IN_SCRATCH
            view = replace(submission, directory=".", paths=transfer.inputs)
        head = [f"log={log}", '[ "${1:-}" = check ] || exec >>"$log" 2>&1', *steps]
        return job_script(
            replace(view, python=self.python or submission.python),
            self,
            directives=head,
            index="${2:-0}",
            leave=LEAVE,
            threads=str(self.cpus),
            offset="0",
            table=table,
        )

    def _jobs(self, submission: Submission, transfer: Transfer | None) -> Iterator[str]:
        yield from self._head(submission, transfer)
        yield ID
        yield "arguments = $(id) $(element)"
        yield f"log = {submission.folder}/htcondor.log"
        variables = "element"
        if transfer:
            variables = "element, outputs"
            yield f"transfer_input_files = {_input_list(submission, transfer)}, $(outputs)"
            yield "# The folders come back at the end, and with each checkpoint."
            yield f"transfer_output_files = $(outputs), {LOG}"
            yield f"transfer_checkpoint_files = $(outputs), {LOG}"
            yield f'transfer_output_remaps = "{LOG} = {submission.folder}/$(id)_$(element).log"'
        yield f"queue {variables} from {submission.folder / ELEMENTS}"

    def _check_job(self, submission: Submission, transfer: Transfer | None) -> Iterator[str]:
        yield from self._head(submission, transfer)
        yield "arguments = check"
        if transfer:
            yield f"transfer_input_files = {_input_list(submission, transfer)}"
            yield 'transfer_output_files = ""'
        yield from (f"{name} = {submission.folder}/check.{name}" for name in ("log", "output", "error"))
        yield "queue"

    def _head(self, submission: Submission, transfer: Transfer | None) -> Iterator[str]:
        # The job of the table needs the folders of this machine, so it runs here if the nodes do not share them.
        on_this_machine = submission.is_closing and not self.shared
        universe = "local" if on_this_machine else self.universe
        yield "# Submit file of hepclf: job N of the cluster runs element N of the tasks."
        yield f"universe = {universe}"
        yield f"executable = {submission.folder / SCRIPT}"
        yield f"initialdir = {submission.directory}"
        if transfer:
            yield "should_transfer_files = YES"
            yield "when_to_transfer_output = ON_EXIT"
            yield "preserve_relative_paths = true"
            if "root://" in submission.table:
                yield "use_x509userproxy = true"
        else:
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


def _input_list(submission: Submission, transfer: Transfer) -> str:
    return ", ".join([str(submission.folder / TABLE), *transfer.inputs])
