"""A DAG of HTCondor with one node, whose jobs are submitted when other jobs have left the queue."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from hepclf.files import write_bytes
from hepclf.submission.programs import answer

DAG, WAIT = "job.dag", "wait.sh"
NOT_YET, PAUSE_S = 4, 60
IDS = "ClusterId == {id} || DAGManJobId == {id}"
SCRIPT = """#!/bin/bash
# DAGMan calls this script until the jobs of these ids have left the queue; exit code {not_yet} says that they have not.
# With `well` as the first word, all of them must have exited with 0, else the node fails.
set -uo pipefail
condition=$1
shift
for id in "$@"; do
    rows=$(condor_q -constraint "ClusterId == $id || DAGManJobId == $id" -autoformat ClusterId) || exit {not_yet}
    [ -z "$rows" ] || exit {not_yet}
done
[ "$condition" = well ] || exit 0
for id in "$@"; do
    codes=$(condor_history -constraint "ClusterId == $id" -autoformat ExitCode) || exit {not_yet}
    [ -n "$codes" ] || exit 1
    for code in $codes; do [ "$code" = 0 ] || exit 1; done
done
"""


def submit_dag(folder: Path, description: str, after: Collection[str], *, must_end_well: bool) -> str:
    """Submit a file of jobs that wait for others; returns the id of the DAG."""
    if wrong := [number for number in after if not number.isdecimal()]:
        raise ValueError(f"after must be ids of HTCondor's jobs, such as 123, not {wrong[0]}")
    condition = "well" if must_end_well else "ended"
    lines = [
        f"JOB work {folder / description}",
        f"SCRIPT DEFER {NOT_YET} {PAUSE_S} PRE work {folder / WAIT} {condition} {' '.join(after)}",
    ]
    write_bytes(folder / WAIT, SCRIPT.replace("{not_yet}", str(NOT_YET)).encode())
    (folder / WAIT).chmod(0o755)
    write_bytes(folder / DAG, ("\n".join(lines) + "\n").encode())
    text = answer(["condor_submit_dag", str(folder / DAG)])
    match = re.search(r"submitted to cluster (\d+)", text)
    if match is None:
        raise OSError(f"condor_submit_dag gave no id: {' '.join(text.split())}")
    return match[1]


def queued_processes(number: str, folder: Path, elements: int) -> set[int]:
    """The jobs of a cluster or a DAG that wait, run or are held; all jobs of a DAG whose node is not yet submitted."""
    lines = answer(
        ["condor_q", "-constraint", IDS.format(id=number), "-autoformat", "ClusterId", "ProcId"]
    ).splitlines()
    rows = [(words[0], int(words[1])) for line in lines if len(words := line.split()) == 2 and words[1].isdecimal()]
    if not (folder / DAG).is_file():
        return {process for _, process in rows}
    processes = {process for cluster, process in rows if cluster != number}
    if rows and not processes:
        return set(range(elements))
    return processes
