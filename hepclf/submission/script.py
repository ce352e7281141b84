"""The job script: a short text in bash, the same for all batch systems except its first and its last lines."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from hepclf.submission.cluster import Cluster
from hepclf.submission.submission import TASKS, Submission

SIGNALS = """
# Signals are passed on to hepclf, which writes a checkpoint and exits with 85.
signal=
child=
pass_on() { signal=$1; [ -z "$child" ] || kill -s "$1" "$child" 2>/dev/null || true; }
trap 'pass_on USR1' USR1
trap 'pass_on TERM' TERM
"""

CHECK = """
# The first lines say what is missing here, before any work is done.
check() {
    "$python" -c 'import hepclf' || missing "$python cannot import hepclf"
    for path in "${paths[@]}"; do [ -e "$path" ] || missing "there is no $path"; done
    if [ "$gpus" -gt 0 ]; then
        "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || missing "PyTorch finds no GPU"
    fi
}
missing() { echo "hepclf: $1 on $(hostname)"; exit 2; }
check
if [ "${1:-}" = check ]; then echo "hepclf: all is there on $(hostname)"; exit 0; fi
"""

LOOP = """
# Run one line of the table and wait for its end; a signal interrupts `wait`, so it is called until the end.
run() {
    eval "exec $launch \\"\\$python\\" -m hepclf.cli.main $1" &
    child=$!
    [ -z "$signal" ] || kill -s "$signal" "$child"
    while kill -0 "$child" 2>/dev/null; do wait "$child" || true; done
    code=0
    wait "$child" || code=$?
    child=
}

element=$((offset + index))
failed=0
last=$((element * pack + pack < count ? element * pack + pack : count))
for ((task = element * pack; task < last; task++)); do
    line=$(sed -n "$((task + 1))p" "$tasks")
    restarts=0
    while true; do
        [ -z "$signal" ] || leave
        echo "hepclf: task $task begins: $line"
        run "$line"
        echo "hepclf: task $task ended with exit code $code"
        if [ "$code" -eq 85 ] || { [ -n "$signal" ] && [ "$code" -ne 0 ]; }; then leave; else break; fi
    done
    [ "$code" -eq 0 ] || failed=1
done
exit "$failed"
"""


def job_script(
    submission: Submission,
    cluster: Cluster,
    *,
    directives: Sequence[str],
    index: str,
    leave: str,
    threads: str,
    offset: str = "${1:-0}",
    table: str | None = None,
    launch: str = "",
) -> str:
    """The script of an array.

    directives  lines for the batch system
    index       of the element in its array, as the shell writes it
    offset      number of the array's first element
    leave       the shell function `leave`, called after a checkpoint; it decides how the element continues
    threads     number of granted threads
    table       the file of the tasks, if it is not that of the submission
    launch      words before the interpreter that start it on several machines
    """
    variables = {**_variables(submission, cluster), "offset": offset, "index": index, "launch": shlex.quote(launch)}
    variables["tasks"] = shlex.quote(table or str(submission.folder / TASKS))
    head = [
        "#!/bin/bash",
        *directives,
        "# Job script of hepclf: element N of the array runs its lines of tasks.txt, one after another.",
        "set -euo pipefail",
        f"cd {shlex.quote(submission.directory)}",
        *(f"{name}={value}" for name, value in variables.items()),
        f"export OMP_NUM_THREADS={threads}  # as many as were granted",
        *_proxy(submission),
        *cluster.setup,
    ]
    return "\n".join(head) + "\n" + SIGNALS + CHECK + leave + LOOP


def _variables(submission: Submission, cluster: Cluster) -> dict[str, str | int]:
    return {
        "python": shlex.quote(submission.python),
        "paths": f"({' '.join(map(shlex.quote, submission.paths))})",
        "count": len(submission.tasks),
        "pack": submission.pack,
        "gpus": cluster.gpus,
        "max_requeues": cluster.max_requeues,
    }


def _proxy(submission: Submission) -> list[str]:
    """If tasks read remote files: the copy of the grid proxy beside the table."""
    proxy = submission.folder / "proxy"
    if not any("root://" in word for task in submission.tasks for word in task):
        return []
    return [f"[ ! -e {shlex.quote(str(proxy))} ] || export X509_USER_PROXY={shlex.quote(str(proxy))}"]
