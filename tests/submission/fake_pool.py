"""Stands in for the programs of HTCondor: runs jobs at once, each in a scratch folder where files are transferred.

A job that exits with its checkpoint_exit_code begins again, with nothing but its inputs and its checkpoint files.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLUSTER, DAG = "77", "88"


def read_description(path):
    """The settings of a submit file, and what it queues from."""
    lines = [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    settings = dict(line.split(" = ", 1) for line in lines if " = " in line)
    return settings, next(line for line in lines if line.startswith("queue"))


def rows_of(queue):
    """The variables of each job: the last one of `queue NAMES from FILE` is the rest of its line."""
    names = queue.removeprefix("queue ").partition(" from ")[0].split(", ")
    for line in Path(queue.partition(" from ")[2]).read_text().splitlines():
        yield dict(zip(names, line.split(None, len(names) - 1), strict=True))


def listed(text):
    return [name.strip() for name in text.strip('"').split(",") if name.strip()]


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def bring(names, source, target):
    """Copy what is named from one folder to another; relative paths are kept, others become a name alone."""
    for name in names:
        copy(source / name, target / (Path(name).name if Path(name).is_absolute() else name))


def start(job, scratch):
    """Run a job; its exit code. Where there is a file `interrupt`, a training gets USR1 once, after its first epoch."""
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([job["executable"], *job["arguments"].split()], cwd=scratch, env=environment)
    while Path("interrupt").exists() and process.poll() is None:
        if list(Path(scratch).glob("**/history.csv")):
            process.send_signal(signal.SIGUSR1)
            Path("interrupt").unlink()
        time.sleep(0.05)
    code = process.wait()
    with Path("codes").open("a") as file:
        file.write(f"{code}\n")
    return code


def run_transferred(job):
    """Run a job that sees nothing but what it takes along; its exit code."""
    home = Path(job["initialdir"])
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, attempt = Path(folder, "checkpoint"), 0
        checkpoint.mkdir()
        while True:
            attempt += 1
            scratch = Path(folder, f"scratch{attempt}")
            scratch.mkdir()
            bring(listed(job["transfer_input_files"]), home, scratch)
            shutil.copytree(checkpoint, scratch, dirs_exist_ok=True)
            code = start(job, scratch)
            if code != int(job["checkpoint_exit_code"]):
                break
            bring(listed(job["transfer_checkpoint_files"]), scratch, checkpoint)
        remaps = dict(pair.split(" = ") for pair in job["transfer_output_remaps"].strip('"').split("; "))
        for name in listed(job["transfer_output_files"]):
            copy(scratch / name, home / remaps.get(name, name))
    return code


def run_here(job):
    code = int(job["checkpoint_exit_code"])
    while code == int(job["checkpoint_exit_code"]):
        code = start(job, job["initialdir"])
    return code


def expanded(text, macros):
    """A text with the values of $(NAME), which may hold such names too."""
    while match := re.search(r"\$\((\w+)\)", text):
        text = text.replace(match[0], macros[match[1]])
    return text


def condor_submit(path, dag=None):
    settings, queue = read_description(path)
    if not queue.startswith("queue element"):
        raise SystemExit("only jobs with elements are run")
    cluster = "89" if dag else CLUSTER
    macros = {"ClusterId": cluster, "DAGManJobId": dag or "", "id": settings["id"]}
    jobs = list(rows_of(queue))
    for variables in jobs:
        job = {key: expanded(value, {**macros, **variables}) for key, value in settings.items()}
        (run_transferred if job["should_transfer_files"] == "YES" else run_here)(job)
    print(f"{cluster}.0 - {cluster}.{len(jobs) - 1}")


def condor_submit_dag(path):
    lines = [line.split() for line in Path(path).read_text().splitlines()]
    (description,) = (line[2] for line in lines if line[0] == "JOB")
    (script,) = (line for line in lines if line[0] == "SCRIPT")
    assert script[1] == "DEFER"
    assert script[4:6] == ["PRE", "work"]
    while (code := subprocess.run(script[6:], check=False).returncode) == int(script[2]):
        queue = Path("queue").read_text().splitlines(keepends=True)
        Path("queue").write_text("".join(queue[1:]))  # time passes
    if code == 0:
        condor_submit(description, DAG)
    print(f"1 job(s) submitted to cluster {DAG}.")


def matching(path, words):
    """The lines of a file that a constraint on ids selects."""
    ids = re.findall(r"== (\d+)", words[words.index("-constraint") + 1])
    text = Path(path).read_text() if Path(path).exists() else ""
    return [line for line in text.splitlines() if line.split()[0] in ids]


program, *words = sys.argv[1:]
if program == "condor_submit":
    condor_submit(words[-1])
elif program == "condor_submit_dag":
    condor_submit_dag(words[-1])
elif program == "condor_q":
    print("\n".join(matching("queue", words)))
elif program == "condor_history":
    print("\n".join(line.split()[1] for line in matching("history", words)))
