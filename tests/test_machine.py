from __future__ import annotations

from pathlib import Path

import pytest

from hepclf import machine
from hepclf.machine import boot_id, pid_namespace


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs Linux")
def test_the_boot_and_the_container_have_a_name_that_stays():
    assert boot_id() == boot_id() != ""
    assert pid_namespace().startswith("pid:[")


def test_a_system_without_them_says_nothing(monkeypatch):
    monkeypatch.setattr(machine, "PROC", Path("no-proc"))
    assert (boot_id(), pid_namespace()) == ("", "")
