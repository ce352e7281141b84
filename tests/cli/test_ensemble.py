from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hepclf import Evaluation, Logistic, Mixture, Trainer, train
from hepclf.cli import configs
from hepclf.cli.ensemble import COMMAND_KEYS
from hepclf.models.fisher import Fisher
from hepclf.workflow.ensemble import Ensemble

SETTINGS = ("evaluation.plots=false", "evaluation.report=false")


@pytest.fixture
def runs():
    """Two runs on the same events, without studies: one/ and two/."""
    evaluation = Evaluation(plots=False, **dict.fromkeys(Evaluation().study_settings))
    for folder, model in (("one", Fisher()), ("two", Logistic())):
        train(Mixture(events=1000), model, Trainer(), evaluation, folder=folder)


def test_the_file_of_settings_has_a_line_of_help_for_each_of_them():
    keys = configs.keys(configs.folder() / "ensemble.yaml")
    assert set(keys) == {*COMMAND_KEYS, *(field.name for field in fields(Ensemble))} - {"evaluation"}
    assert all(comment for _, comment in keys.values())
    defaults = Ensemble()
    assert {name: keys[name][0] for name in ("rule", "rounds", "bags", "seed")} == {
        name: getattr(defaults, name) for name in ("rule", "rounds", "bags", "seed")
    }


@pytest.mark.usefixtures("runs")
def test_runs_become_one_with_a_page_that_no_training_repeats(hepclf):
    code, out, err = hepclf("ensemble", "one", "two", "rule=greedy")
    assert code == 0, err
    assert "each run alone and the ensemble (test set)" in out
    assert "of 2 candidate runs" in out
    folder = Path("runs/latest").resolve()
    assert folder.parent.name == "mixture-ensemble"
    assert "Members of the ensemble" in (folder / "report.html").read_text()
    assert "hepclf train again=" not in (folder / "card.md").read_text()
    assert "hepclf train again=" in Path("one/card.md").read_text()
    code, out, err = hepclf("train", "again=runs/latest")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "is an ensemble, which has no training of its own" in err


@pytest.mark.slow
@pytest.mark.usefixtures("runs")
def test_every_command_works_on_an_ensemble(hepclf):
    """Each command reads the folder as that of any run, which its own tests guard."""
    assert hepclf("ensemble", "one", "two", "folder=both")[0] == 0
    code, out, err = hepclf("compare", "one", "two", "both", "plots=false", "json=true")
    assert code == 0, err
    assert '"ensemble"' in out
    Path("new.csv").write_text("x\n0.1\n-2\n")
    for command, words in {
        "evaluate": SETTINGS,
        "export": ("format=onnx", "events=100"),
        "predict": ("files=new.csv", "out=scored"),
    }.items():
        code, _, err = hepclf(command, "run=both", *words)
        assert code == 0, err
    code, out, err = hepclf("train", "again=both", "model=fisher", "folder=anew")
    assert code == 0, err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 1, "an ensemble needs at least 2 runs, not 0; say hepclf ensemble RUN RUN..."),
        (["one"], 1, "an ensemble needs at least 2 runs, not 1"),
        (["nowhere", "one"], 1, "there is no run nowhere"),
        (["one", "two", "rule=median"], 2, "rule must be one of mean, greedy, not 'median'"),
        (["one", "two", "rul=greedy"], 2, "rul is not a setting of Ensemble; nearest: 'rule'"),
        (["one", "two", "name=latest"], 2, "name must be that of a folder below runs"),
        (["one", "two", "--bags=2"], 2, "--bags=2 is not a flag of hepclf"),
    ],
)
def test_a_wrong_command_says_what_to_do(words, code, says, hepclf):
    found, out, err = hepclf("ensemble", *words)
    assert (found, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert not Path("runs").exists()
