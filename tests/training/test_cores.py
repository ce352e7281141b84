from __future__ import annotations

import os

import pytest

from hepclf.training import cores as module
from hepclf.training.cores import affinity, cores, granted


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A function that lays down the files of /proc and /sys of a machine with 16 cores."""
    monkeypatch.setattr(module, "affinity", lambda: 16)

    def make(cgroup, **files):
        for name, text in {"proc/self/cgroup": cgroup, **files.get("files", {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def v1(folder, quota, period=100_000):
    return {f"{folder}/cpu.cfs_quota_us": f"{quota}\n", f"{folder}/cpu.cfs_period_us": f"{period}\n"}


SLURM = "0::/system.slice/job_7/step_0\n"
DOCKER = "5:cpu,cpuacct:/docker/0123\n2:cpuset:/docker/0123\n1:name=systemd:/\n"
CGROUPS = {
    "v2, one and a half cores": (SLURM, {"sys/fs/cgroup/system.slice/job_7/step_0/cpu.max": "150000 100000\n"}, 2),
    "v2, exactly three": (SLURM, {"sys/fs/cgroup/system.slice/job_7/step_0/cpu.max": "300000 100000\n"}, 3),
    "v2, a tenth of a core": (SLURM, {"sys/fs/cgroup/system.slice/job_7/step_0/cpu.max": "10000 100000\n"}, 1),
    "v2, no quota": (SLURM, {"sys/fs/cgroup/system.slice/job_7/step_0/cpu.max": "max 100000\n"}, 16),
    "v2, more than the mask": (SLURM, {"sys/fs/cgroup/system.slice/job_7/step_0/cpu.max": "6400000 100000\n"}, 16),
    "v2, the job's below the step's": (
        SLURM,
        {
            "sys/fs/cgroup/system.slice/job_7/step_0/cpu.max": "800000 100000\n",
            "sys/fs/cgroup/system.slice/job_7/cpu.max": "400000 100000\n",
        },
        4,
    ),
    "v2, a container's own root": ("0::/\n", {"sys/fs/cgroup/cpu.max": "50000 10000\n"}, 5),
    "v2, outside of a container's view": ("0::/../../x\n", {"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
    "v1, the path of the host in a container": (DOCKER, v1("sys/fs/cgroup/cpu,cpuacct", 250_000), 3),
    "v1, a group of its own": (DOCKER, v1("sys/fs/cgroup/cpu/docker/0123", 600_000), 6),
    "v1, no quota": (DOCKER, v1("sys/fs/cgroup/cpu", -1), 16),
    "v1 beside v2": (
        "4:cpu:/a\n0::/\n",
        {**v1("sys/fs/cgroup/cpu/a", 700_000), "sys/fs/cgroup/unified/cpu.max": "max 100000"},
        7,
    ),
    "another controller's files are not the cpu's": ("3:cpuset:/\n", v1("sys/fs/cgroup/cpu", 100_000), 16),
    "words that are no numbers": ("0::/\n", {"sys/fs/cgroup/cpu.max": "many few\n"}, 16),
    "an empty file": ("0::/\n", {"sys/fs/cgroup/cpu.max": ""}, 16),
    "a period of zero": ("0::/\n", {"sys/fs/cgroup/cpu.max": "100000 0\n"}, 16),
    "nonsense": ("nonsense\n\n", {}, 16),
}


@pytest.mark.parametrize("case", CGROUPS)
def test_the_quota_of_every_cgroup_around_the_process_counts_rounded_up(system, case):
    cgroup, files, expected = CGROUPS[case]
    assert granted(system(cgroup, files=files)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2", 2), (" 3 ", 3), ("2,4", 2), ("64", 4), ("", 4), ("0", 4), ("-1", 4), ("many", 4)],
)
def test_the_users_number_counts_where_it_is_one(system, text, expected):
    machine = system("0::/\n", files={"sys/fs/cgroup/cpu.max": "400000 100000"})
    assert cores(machine, {"OMP_NUM_THREADS": text}) == expected
    assert cores(machine, {}) == 4


def test_a_machine_without_cgroups_has_its_mask(tmp_path):
    assert granted(tmp_path) == affinity()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity mask")
def test_the_mask_counts_and_not_the_machine():
    mask = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mask)})
        assert affinity() == granted() == 1
    finally:
        os.sched_setaffinity(0, mask)


def test_a_system_without_masks_has_all_cores(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert affinity() == 12
