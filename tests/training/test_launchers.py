from __future__ import annotations

import pytest

from hepclf.training.launchers import check_gpus, first_host, placed

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}
SRUN = {
    "SLURM_JOB_ID": "1234",
    "SLURM_STEP_ID": "0",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "0",
    "SLURM_STEP_NODELIST": "gpu[03-04]",
}


def test_a_rank_is_placed_by_torchrun_or_srun():
    assert placed(None, TORCHRUN)[:4] == (1, 4, 1, "env://")
    assert placed(2, SRUN)[:4] == (1, 2, 0, "tcp://gpu03:29872")
    assert placed(None, SRUN | {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "5"}).address == "tcp://10.0.0.1:5"
    assert placed(None, TORCHRUN | SRUN).launcher == "torchrun"
    assert placed(1, TORCHRUN) is None


@pytest.mark.parametrize(
    "variables", [{}, {"SLURM_NTASKS": "2", "SLURM_PROCID": "0"}, SRUN | {"SLURM_STEP_NUM_TASKS": "1"}]
)
def test_a_process_without_others_is_alone(variables):
    assert placed(None, variables) is None
    assert placed(2, variables) is None


def test_another_number_than_that_of_the_launcher_is_refused():
    with pytest.raises(ValueError, match=r"trainer\.devices must be .* torchrun started, 4, not 2; leave it out"):
        placed(2, TORCHRUN)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("gpu1", "gpu1"), ("gpu[03-07,9],cpu1", "gpu03"), ("a-1,a-2", "a-1"), ("r[1-2]n[05,06]-ib,x", "r1n05-ib")],
)
def test_the_first_machine_of_a_list(nodes, first):
    assert first_host(nodes) == first


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    check_gpus(2, "auto")
    check_gpus(3, "cpu")
    with pytest.raises(
        ValueError, match=r"trainer\.devices must be at most the number of GPUs of this machine, 2, not 3"
    ):
        check_gpus(3, "auto")
