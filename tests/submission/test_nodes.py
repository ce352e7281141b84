"""A training on several nodes: its job script, and two tasks of a real srun that stop and go on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hepclf.cli.main import main
from hepclf.run import Run
from hepclf.submission.htcondor import HTCondor
from hepclf.submission.local import Local
from hepclf.workflow.history import read_history

JOB = (
    "train",
    "data=mixture",
    "data.events=20000",
    "model=mlp_plain",
    "model.dropout=0.2",
    "trainer.batch=32",
    "trainer.patience=null",
    "trainer.checkpoint_s=null",
    "evaluation.plots=false",
    "evaluation.report=false",
)
TWO_TASKS = ("cluster.nodes=2", "cluster.extra=['--nodes=1','--ntasks-per-node=2']", "cluster.cpus=1")  # of one node


def test_the_script_of_two_nodes_starts_a_process_for_each_gpu(hepclf):
    words = ("cluster=slurm", "cluster.nodes=2", "cluster.gpus=4", "cluster.cpus=32", "cluster.dry=true")
    text = hepclf("submit", *JOB, *words)
    for line in ("--nodes=2", "--ntasks-per-node=4", "--cpus-per-task=8", "--gres=gpu:4"):
        assert f"#SBATCH {line}\n" in text
    assert "launch='srun --kill-on-bad-exit=1 --cpus-per-task=8'\n" in text
    assert 'eval "exec $launch \\"\\$python\\" -m hepclf.cli.main $1" &\n' in text


def test_the_script_of_one_node_has_no_srun(hepclf):
    text = hepclf("submit", *JOB, "cluster=slurm", "cluster.gpus=4", "cluster.dry=true")
    assert "launch=''\n" in text
    assert "--nodes" not in text
    assert "#SBATCH --cpus-per-task=4\n" in text


@pytest.mark.parametrize("recipe", [HTCondor, Local])
def test_other_batch_systems_have_one_node(recipe):
    with pytest.raises(ValueError, match=rf"nodes must be 1 with {recipe.__name__}, not 2; use cluster=slurm"):
        recipe(nodes=2)


@pytest.mark.parametrize(
    "words", [("train", "-m", "seed=1,2"), ("tune", "worker", "study"), ("predict", "run=r", "files=f")]
)
def test_what_is_no_single_training_has_one_node(words, capsys):
    assert main(["submit", *words, "cluster=slurm", "cluster.nodes=2"]) == 2
    assert "cluster.nodes must be 1, not 2; only a training that is no sweep" in " ".join(
        capsys.readouterr().err.split()
    )


def submitted(hepclf, folder, *words):
    small = ("cluster=slurm", "cluster.memory_gb=2", "cluster.time_h=0.2")
    return hepclf("submit", *JOB, f"folder={folder}", *small, *TWO_TASKS, *words).split()[1].rstrip(":")


def rows(folder):
    path = Run(Path(folder)).history
    return [epoch[:4] for epoch in read_history(path)] if path.is_file() else []


@pytest.mark.slurm
@pytest.mark.slow
@pytest.mark.parametrize("signal", ["USR1", "TERM"])
def test_two_tasks_of_srun_stop_at_a_signal_and_go_on(signal, slurm, hepclf, until, logs):
    hours = "trainer.epochs=8"
    number = submitted(hepclf, "run", hours)
    until(lambda: len(rows("run")) > 1, 120)
    target = ["--batch"] if signal == "USR1" else []
    subprocess.run(["scancel", *target, f"--signal={signal}", f"{number}_0"], check=True)
    until(lambda: "exit code 85" in logs("run"), 60)
    if signal == "TERM":  # of a job that is not requeued by SLURM the script waits for its end
        subprocess.run(["scancel", number], check=True)
        slurm.wait()
        assert Run(Path("run")).status().name == "stopped"
        hepclf("submit", "again=run")
    slurm.wait(180)
    text = logs("run")
    assert text.count("stopped by SIG") == 1, text
    assert Run(Path("run")).status().name == "finished", text
    submitted(hepclf, "undisturbed", hours)
    slurm.wait(180)
    assert rows("run") == rows("undisturbed")
    assert Path("run/metrics.json").read_bytes() == Path("undisturbed/metrics.json").read_bytes()


@pytest.mark.slurm
@pytest.mark.slow
def test_a_task_of_srun_that_is_killed_ends_the_job(slurm, hepclf, until, logs):
    number = submitted(hepclf, "run", "trainer.epochs=1000")
    until(lambda: len(rows("run")) > 1, 120)
    ranks = subprocess.run(
        ["pgrep", "-f", f"folder={Path('run').resolve()}"], capture_output=True, text=True, check=True
    )
    environments = {rank: Path("/proc", rank, "environ").read_bytes() for rank in ranks.stdout.split()}
    (second,) = [rank for rank, text in environments.items() if b"SLURM_PROCID=1\0" in text]
    subprocess.run(["kill", "-KILL", second], check=True)
    slurm.wait(60)
    assert slurm.state(f"{number}_0") == "FAILED"
    assert "exit code" in logs("run")
    assert Run(Path("run")).status().name in ("failed", "lost")


@pytest.mark.slurm
@pytest.mark.slow
def test_a_batch_script_of_two_tasks_without_srun_trains_alone(slurm, hepclf, logs):
    small = ("cluster=slurm", "cluster.cpus=1", "cluster.memory_gb=2", "cluster.time_h=0.2")
    two = "cluster.extra=['--ntasks=2']"
    hepclf("submit", *JOB, "folder=run", "data.events=500", "trainer.epochs=1", *small, two)
    slurm.wait(100)
    assert Run(Path("run")).status().name == "finished", logs("run")
