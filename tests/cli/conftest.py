from __future__ import annotations

import pytest

from hepclf.cli.main import main

QUICK = ["data.signals=200", "data.noise=600", "trainer.epochs=2", "evaluation.plots=false"]


@pytest.fixture
def hepclf(capsys):
    """The command line in this process: exit code, standard output, standard error."""

    def call(*words):
        code = main(list(words))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def trained(hepclf):
    """A run of a few hundred triggers, at runs/latest."""
    code, out, _ = hepclf("train", *QUICK)
    assert code == 0, out
