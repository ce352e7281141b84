"""A real SLURM of one node, by hand and without systemd, where its Debian packages are installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from hepclf.cli.main import main

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
CONFIGURATION = """
ClusterName=hepclf-test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
MailProg=/bin/true
KillWait=5
MaxArraySize=3
FirstJobId={first_job}
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=normal Nodes={host} Default=YES MaxTime=60 PriorityTier=1 State=UP
PartitionName=urgent Nodes={host} MaxTime=60 PriorityTier=2 PreemptMode=OFF State=UP
"""


def free_ports():
    sockets = [socket.socket() for _ in range(2)]
    for server in sockets:
        server.bind(("127.0.0.1", 0))
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def stop(pid_file):
    """Ask a server to end, and wait for it."""
    try:
        process = int(pid_file.read_text())
        os.kill(process, signal.SIGTERM)
        for _ in range(100):
            os.kill(process, 0)
            time.sleep(0.1)
        os.kill(process, signal.SIGKILL)
    except (OSError, ValueError):
        return


@pytest.fixture(scope="session")
def slurm_server(tmp_path_factory):
    """The configuration file of a running SLURM."""
    if missing := [name for name in PROGRAMS if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]:
        pytest.skip(f"SLURM is not installed here: there is no {missing[0]}")
    if os.geteuid():
        pytest.skip("a SLURM of one's own needs root")
    folder = tmp_path_factory.mktemp("slurm")
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o755)
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(mode=0o755 if name == "spool" else 0o700)
    key = folder / "munge/key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    configuration = folder / "slurm.conf"
    # Tasks of srun meet at a port that follows from the job's number: several SLURMs on this machine must differ there.
    first_job = 1 + 100 * (os.getpid() % 1000)
    values = {"host": host, "folder": folder, "ports": free_ports(), "first_job": first_job}
    configuration.write_text(CONFIGURATION.format(**values))
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null,/dev/zero\n")  # no GPU is behind them
    files = {"key-file": key, "socket": folder / "munge/socket", "pid-file": folder / "munge/munged.pid"}
    files |= {"log-file": folder / "munge/log", "seed-file": folder / "munge/seed"}
    try:
        subprocess.run(["munged", "--force", *(f"--{name}={path}" for name, path in files.items())], check=True)
        (folder / "munge").chmod(0o755)
        subprocess.run(["/usr/sbin/slurmctld", "-f", configuration], check=True)
        subprocess.run(["/usr/sbin/slurmd", "-f", configuration, "-N", host], check=True)
        wait_for(lambda: "idle" in output("sinfo", "-h", "-o", "%T", SLURM_CONF=str(configuration)), 30)
        yield configuration
    finally:
        for name in ("slurmd.pid", "slurmctld.pid", "munge/munged.pid"):
            stop(folder / name)


ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}


class Queue:
    """What a test asks of the SLURM."""

    def __init__(self):
        self.hurried = set()

    def ids(self):
        """The elements that wait or run."""
        return output("squeue", "-h", "-r", "-o", "%i").split()

    def jobs(self):
        """All elements, ended ones too, each with what SLURM's own record says of it."""
        lines = output("scontrol", "--oneliner", "show", "job").splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines if "JobId=" in line]

    def wait(self, seconds=180):
        """Wait until all have ended by SLURM's own record, which never counts a requeued job as ended."""
        wait_for(self.has_ended, seconds)

    def has_ended(self):
        """Whether all have ended; those that were requeued begin soon."""
        jobs = self.jobs()
        for job in jobs:
            self.hurry(job)
        return bool(jobs) and all(job["JobState"] in ENDED for job in jobs)

    def hurry(self, job):
        """Let a requeued job begin in two seconds, not in two minutes.

        SLURM's node takes a start in the second of the requeue for a job that was killed, and the job fails.
        """
        requeue = (job["JobId"], job["Restarts"])
        if job["Reason"] != "BeginTime" or requeue in self.hurried:
            return
        if not output("scontrol", "update", f"JobId={job['JobId']}", "StartTime=now+2"):
            self.hurried.add(requeue)

    def limit(self, number, minutes):
        """Change the time limit of a job."""
        assert output("scontrol", "update", f"JobId={number}", f"TimeLimit={minutes}") == ""

    def state(self, number):
        """How a job ended, in SLURM's words."""
        line = output("scontrol", "show", "job", number)
        return line.partition("JobState=")[2].split()[0]


@pytest.fixture
def slurm(slurm_server, monkeypatch):
    """SLURM for one test; its jobs are cancelled afterwards."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_server))
    queue = Queue()
    yield queue
    subprocess.run(["scancel", "--user=root"], check=False)
    wait_for(lambda: not queue.ids(), 30)


def output(*words, **variables):
    """What a program prints; the name of its error where SLURM does not answer at this moment."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    return done.stdout.strip() if done.returncode == 0 else f"error:{done.returncode}"


def wait_for(condition, seconds):
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.2)
    return value


@pytest.fixture
def until():
    """A function that waits until a condition holds."""
    return wait_for


@pytest.fixture
def logs():
    """A function that gives all logs of the submissions of a folder."""

    def text(folder):
        return "".join(path.read_text() for path in sorted(Path(folder).glob("batch/**/*.log")))

    return text


@pytest.fixture
def hepclf(capsys):
    """The command line in this process: its standard output, where it ends well."""

    def call(*words):
        code = main(list(words))
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return captured.out

    return call


STUB = """#!/bin/bash
# Stands in for `python -m hepclf.cli.main`: appends its words to `calls`, then does what the next line of `plan` says.
[ "$1" = -c ] && exit 0
shift 2
echo "$*" >> calls
count=$(wc -l < calls)
step=$(sed -n "${count}p" plan)
case "$step" in
    wait)
        trap 'trap "" USR1 TERM; touch asked; sleep 0.5; exit 85' USR1 TERM
        touch waiting
        for _ in $(seq 100); do sleep 0.1; done
        exit 3 ;;
    line*) echo "hepclf: it went wrong"; exit 1 ;;
    *) exit "${step:-0}" ;;
esac
"""


@pytest.fixture
def stub():
    """A function that makes a stand-in for hepclf, which does one step of a plan a call; gives its path."""

    def make(*steps):
        path = Path("stub").resolve()
        path.write_text(STUB)
        path.chmod(0o755)
        Path("plan").write_text("".join(f"{step}\n" for step in steps))
        return str(path)

    return make
