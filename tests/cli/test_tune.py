"""`hepclf tune` as a user types it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepclf.files import read_yaml
from hepclf.search.finish import ending
from hepclf.search.folder import StudyFolder
from hepclf.search.history import study_history

TINY = ["data=mixture", "data.events=600", "trainer.epochs=2", "trainer.device=cpu", "evaluation.plots=false"]
QUICK = [f"evaluation.{study}=null" for study in ("bands", "importance", "overtraining", "calibration", "binned")]
JOB = [*TINY, *QUICK, "evaluation.report=false", "model=logistic", "tune.repeats=2"]
VARIED = ["model.l2=interval(0,1)", "trainer.batch=64,128"]


@pytest.fixture
def told(hepclf):
    """A function running the command, which must succeed; what it prints."""

    def run(*words):
        code, out, errors = hepclf("tune", *words)
        assert code == 0, errors
        return " ".join(out.split())

    return run


def test_a_search_leaves_its_trials_the_best_settings_and_one_training_with_them(told, hepclf):
    out = told(*JOB, *VARIED, "tune.trials=4", "folder=study")
    study = StudyFolder.open(Path("study"))
    history = study_history(study)
    best = history.trial(history.best)
    assert best.objectives == min(trial.objectives for trial in history.trials)
    rows = list(csv.DictReader(study.table.read_text().splitlines()))
    assert [row["state"] for row in rows] == ["complete"] * 4
    assert float(rows[history.best]["log_loss"]) == best.objectives[0]
    assert float(rows[history.best]["model.l2"]) == best.values["model.l2"]
    stored = read_yaml(study.best)
    assert stored["model"]["l2"] == best.values["model.l2"]
    assert stored["trainer"]["batch"] == best.values["trainer.batch"]
    assert read_yaml(study.final.config) == stored
    assert json.loads(study.final.metrics.read_text())["test"]["auc"]["value"] > 0.5
    assert f"Best log-loss on validation: 0.{str(best.objectives[0])[2:5]}" in out
    assert f", trial {best.number}, chosen out of 4 trials." in out
    assert "The best of 4 noisy results looks better than it is, here by" in out
    assert "best study/best.yaml run study/best search study" in out
    assert not list(Path("study/trials").rglob("scores.root"))
    assert not list(Path("study/trials").rglob("tagger"))
    assert told("best", "study") == " ".join(study.best.read_text().split())
    status = told("status", "study")
    assert "4 trials have ended: 4 complete." in status
    assert "continue" not in status
    before = study.final.environment.read_bytes()
    told("resume", "study")
    assert study.final.environment.read_bytes() == before


def test_more_trials_can_be_asked_for_and_the_earlier_ones_stay(told):
    told(*JOB, *VARIED, "tune.trials=2", "folder=study")
    before = list(StudyFolder.open(Path("study")).trials())
    told("resume", "study", "tune.trials=5")
    after = StudyFolder.open(Path("study"))
    assert list(after.trials()[:2]) == before
    assert len(after.trials()) == after.tuning.trials == 5


@pytest.mark.parametrize("log", ["", "tag(log,"])
def test_an_interval_of_whole_numbers_that_does_not_say_so_is_refused_before_the_first_trial(hepclf, log):
    end = ")" if log else ""
    code, _, errors = hepclf("tune", *JOB, f"trainer.batch={log}interval(64,256){end}", "folder=study")
    text = " ".join(errors.split())
    assert code == 2
    assert "trainer.batch must be a whole number or auto, not 137." in text
    assert f"; say trainer.batch={log}int(interval(64,256)){end}" in text
    assert not Path("study").exists()


def test_a_folder_whose_name_looks_like_a_setting_is_a_folder(told):
    told(*JOB, *VARIED, "tune.trials=1", 'folder="a=1"')
    assert "1 trials have ended" in told("status", "a=1")
    assert told("resume", "a=1", "tune.trials=2")


def test_fewer_trials_than_have_begun_are_refused(told, hepclf):
    told(*JOB, *VARIED, "tune.trials=2", "folder=study")
    code, _, errors = hepclf("tune", "resume", "study", "tune.trials=1")
    expected = "tune.trials must be at least 2, as so many have begun, not 1; leave it out"
    assert (code, expected in " ".join(errors.split())) == (2, True)


@pytest.mark.parametrize(
    ("name", "content"), [("config.yaml", "a run"), ("sweep.json", "a sweep"), ("notes.txt", "other files")]
)
def test_a_folder_that_holds_something_else_is_called_what_it_is(hepclf, name, content):
    Path("study").mkdir()
    (Path("study") / name).write_text("{}")
    code, _, errors = hepclf("tune", *JOB, *VARIED, "folder=study")
    text = " ".join(errors.split())
    assert (code, f"study holds {content}; choose another folder" in text) == (1, True)
    assert "tune resume" not in text


def test_a_stored_study_runs_code_of_ones_own_only_where_it_is_typed_again(told, hepclf):
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text("defaults: [mixture]\n")
    named = "data._target_=hepclf.data.mixture.Mixture"
    words = [word for word in JOB if word != "data=mixture"]
    told("--config-dir", "lab", "data=mine", named, *words, *VARIED, "tune.trials=1", "folder=study")
    folder = f"--config-dir={Path('lab').resolve()}"
    for action in ("resume", "worker", "best"):
        for typed, missing in (((named,), folder), (("--config-dir", "lab"), named)):
            code, _, errors = hepclf("tune", action, "study", *typed)
            expected = f"the search says {missing}, and a stored search may not run code; say it again behind study"
            assert (code, expected in " ".join(errors.replace("\n", " ").split())) == (2, True), errors
    assert "1 trials have ended" in told("status", "study")
    assert "2 trials have ended" in told("resume", "study", "--config-dir=lab", named, "tune.trials=2")
    code, _, errors = hepclf("tune", "resume", "study", "--config-dir=lab", named, "model._target_=x.Y")
    assert (code, "model._target_=x.Y is not what the search was started with" in " ".join(errors.split())) == (2, True)


def test_the_same_command_with_resume_auto_goes_on_and_another_one_is_refused(told, hepclf):
    words = [*JOB, *VARIED, "folder=study", "resume=auto"]
    told(*words, "tune.trials=2")
    told(*words, "tune.trials=3")
    assert len(StudyFolder.open(Path("study")).trials()) == 3
    code, _, errors = hepclf("tune", *words, "data.seed=2")
    assert code == 1
    assert "study holds a search with other settings; restore that, or choose a new folder" in " ".join(errors.split())


def test_a_search_of_another_kind_is_not_mixed_with_the_first_one(told, hepclf):
    words = [*JOB, *VARIED, "folder=study", "resume=auto", "tune.trials=1"]
    told(*words)
    code, _, errors = hepclf("tune", *words, "tune.objective=auc")
    assert (code, "holds a search with another kind of search" in " ".join(errors.split())) == (1, True)


def test_a_grid_ends_with_its_last_point(told):
    told(*JOB, "trainer.batch=64,128", "tune.sampler=grid", "tune.repeats=1", "folder=study")
    told("resume", "study", "tune.trials=30")
    study = StudyFolder.open(Path("study"))
    assert [trial.values["trainer.batch"] for trial in study.trials()] == [64, 128]


def test_relative_paths_refer_to_the_folder_in_which_a_study_was_started(told, tmp_path, monkeypatch):
    told(*JOB, *VARIED, "tune.trials=1", "folder=study")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    told("resume", "../study", "tune.trials=2")
    assert Path.cwd() == tmp_path
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_ready_space_of_the_model_is_searched_where_nothing_is_typed(told):
    told(*JOB, "tune.trials=2", "tune.repeats=1", "folder=study")
    study = StudyFolder.open(Path("study"))
    assert set(study.trials()[1].values) == {
        "trainer.learning_rate",
        "trainer.batch",
        "model.l2",
        "model.preprocess.scaling",
    }


def test_two_objectives_have_a_front_and_no_best(told, hepclf):
    objective = "tune.objective=[auc,log_loss]"
    out = told(*JOB, *VARIED, objective, "tune.trials=3", "folder=study")
    assert "the front" in out
    assert not Path("study/best").exists()
    history = study_history(StudyFolder.open(Path("study")))
    files = [Path(f"study/front/{number:04d}.yaml") for number in history.front]
    assert sorted(Path("study/front").iterdir()) == sorted(files)
    assert all(f"hepclf train again={path} " in out for path in files)
    stored = read_yaml(files[0])
    assert stored["model"]["l2"] == history.trial(history.front[0]).values["model.l2"]
    assert hepclf("train", f"again={files[0]}", "folder=run")[0] == 0
    assert read_yaml(Path("run/config.yaml")) == stored
    code, _, errors = hepclf("tune", "best", "study")
    assert (code, "has no best trial; the front has the trials" in errors) == (1, True)
    assert "log_loss" in told("best", "study", "trial=1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model.l3=interval(0,1)"], "model.l3 is not a setting of Logistic; nearest: 'l2'"),
        (["model.l2=interval(0,-1)"], "model.l2 must lie between two numbers"),
        (["trainer.batch=int(interval(0,64))"], "trainer.batch must be at least 1"),
        (["model.preprocess.scaling=standard,sandard"], "model.preprocess.scaling must be one of"),
        (["space=null"], "nothing is searched; say which settings vary"),
        (["tune.trails=9"], "tune.trails is not a setting of Tuning; nearest: 'trials'"),
        (["tune.trials=0"], "tune.trials must be at least 1, not 0"),
        (["tune.objective=[auc,auc]"], "tune.objective must be one, or two that differ"),
        (["trainer=choice(default,other)"], "trainer cannot be searched as a whole"),
        (["model=choice(mlp,xgbost)"], "model=xgbost is not a choice; nearest: 'xgboost'"),
        (["-m"], "-m is a sweep"),
        (["resume=auto"], "resume=auto needs folder=DIR"),
        (["model.l2=interval(0,1)", "tune.sampler=grid"], "model.l2 must be a choice or a range in a grid"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(hepclf, words, message):
    code, _, errors = hepclf("tune", *JOB, *words)
    assert code == 2, errors
    assert message in " ".join(errors.split())
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resume"], "the folder of a search must be given"),
        (["resume", "nowhere"], "nowhere holds no search: it has no study.yaml"),
        (["wroker", "study"], "'wroker' is neither key=value nor an action on a search; nearest: 'worker'"),
        (["status", "study", "tune.trials=3"], "tune.trials cannot be set here"),
    ],
)
def test_a_mistake_about_a_study_is_told(hepclf, words, message):
    code, _, errors = hepclf("tune", *words)
    assert code in (1, 2)
    assert message in " ".join(errors.split())


def test_without_optuna_one_line_says_what_to_install(hepclf, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("optuna", "hepclf.search.ledger"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, _, errors = hepclf("tune", *JOB, *VARIED)
    assert (code, "hepclf tune needs optuna; pip install 'hepclf[tune]'" in errors) == (1, True)
    assert not Path("runs").exists()


def command(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "hepclf.cli.main", "tune", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def has_result():
    return any('"state": "complete"' in path.read_text() for path in Path("study/trials").glob("*/trial.json"))


def test_a_worker_leaves_the_end_of_a_study_to_another_one_that_makes_it(told, hepclf):
    told(*JOB, *VARIED, "tune.trials=1", "folder=study")
    study = StudyFolder.open(Path("study"))
    before = study.final.environment.read_bytes()
    with ending(study):
        code, out, errors = hepclf("tune", "worker", "study")
    assert (code, out) == (0, "")
    assert "another worker trains with the best settings" in errors
    assert "Best log-loss on validation" in told("worker", "study")
    assert study.final.environment.read_bytes() == before


def test_two_workers_stop_with_their_parent_which_says_how_to_go_on(told):
    words = [*JOB, *VARIED, "tune.trials=400", "tune.workers=2", "folder=study"]
    process = command(*words)
    until = time.monotonic() + 120
    while not has_result() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 85, errors
    assert "stopped by SIGTERM; continue with: hepclf tune resume" in " ".join(errors.split())
    study = StudyFolder.open(Path("study"))
    assert not [path for path in Path("study").rglob("lock") if path.is_dir()]
    made = sum(trial.is_final for trial in study.trials())
    assert 0 < made < 400
    begun = len(list(Path("study/trials").glob("[0-9]*")))
    told("resume", "study", f"tune.trials={begun + 1}", "tune.workers=1")
    assert [trial.state for trial in StudyFolder.open(Path("study")).trials()] == ["complete"] * (begun + 1)


def test_printing_the_configuration_searches_nothing(hepclf):
    code, out, errors = hepclf("tune", *JOB, *VARIED, "space=null", "tune.trials=2", "--cfg", "job")
    assert code == 0, errors
    assert "trials: 2" in out
    assert not Path("runs").exists()
