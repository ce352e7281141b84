"""Small tables that many tests train on."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hepclf.events import Events


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Every test writes into a folder of its own, whatever it writes, and has a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.with_name(f"{tmp_path.name}-cache")))


@pytest.fixture
def gaussians():
    """A function making two Gaussian classes a distance apart; their best AUC is Phi(separation / sqrt 2)."""

    def make(events=4000, features=3, separation=1.5, classes=2, seed=0, **columns):
        rng = np.random.default_rng(seed)
        labels = np.arange(events) % classes
        values = rng.normal(size=(events, features))
        values[:, 0] += separation * labels
        names = tuple(f"x{i}" for i in range(features))
        kinds = ("background", "signal") if classes == 2 else tuple(f"class{i}" for i in range(classes))
        return Events(features=values, labels=labels, names=names, classes=kinds, **columns)

    return make


@pytest.fixture
def tiny():
    """A file system that a run, or a cache of 50,000 events, does not fit into."""
    folder = Path("tiny")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def interruptible():
    """A shell ignores SIGINT in what it starts in the background, and children inherit it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
