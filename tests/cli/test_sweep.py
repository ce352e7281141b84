"""`hepclf train -m`: what a sweep leaves, and that it can be stopped, joined and continued at any moment."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from hepclf.cli import sweep_worker
from hepclf.cli.config import composing
from hepclf.data.gw import GW
from hepclf.lock import FolderInUseError
from hepclf.run import Run
from hepclf.training.epoch import Quiet
from hepclf.workflow.stop import Stop
from hepclf.workflow.sweep import Sweep

HEPCLF = [sys.executable, "-m", "hepclf.cli.main"]
LEAN = ["evaluation.bands=null", "evaluation.importance=null", "evaluation.effective_cuts=null"]
DATA = ["data.signals=200", "data.noise=600", "data.check=false"]
QUICK = [*DATA, *LEAN, "trainer.epochs=1", "model=logistic"]
SWEEP = ["train", "-m", *QUICK, "evaluation.plots=false"]


@pytest.fixture
def drawings(monkeypatch):
    """Hollow pictures and pages, for tests that only ask where they are."""

    def draw(run, *_, **__):
        run.plots.mkdir()
        run.report.touch()
        return (run.plots / "roc.png",)

    monkeypatch.setattr("hepclf.workflow.redraw.draw_results", draw)
    monkeypatch.setattr("hepclf.workflow.record._pictures", lambda plots, *_: plots.mkdir() or ())
    monkeypatch.setattr("hepclf.workflow.compare._draw", lambda _, plots: plots.mkdir() or ())


def folder():
    (found,) = Path("runs/sweeps").iterdir()
    return found


def statuses(path):
    return [job["status"] for job in json.loads((Path(path) / "sweep.json").read_text())["jobs"]]


def outcome(path):
    tagger = {file.name: file.read_bytes() for file in (Path(path) / "tagger").iterdir()}
    return (Path(path) / "metrics.json").read_bytes(), tagger


def resumed(path):
    return json.loads((Path(path) / "environment.json").read_text())["resumed"]


def test_a_job_leaves_the_tagger_and_the_results_of_the_same_single_command(hepclf):
    hepclf(*SWEEP, "data.split.fold=0,1", "trainer.batch=64,128")
    hepclf("train", *QUICK, "evaluation.plots=false", "data.split.fold=1", "trainer.batch=64", "folder=alone")
    assert outcome(folder() / "002") == outcome("alone")


def test_data_are_read_once_for_all_jobs_that_share_them(hepclf, monkeypatch):
    reads, load = [], GW.load
    monkeypatch.setattr(GW, "load", lambda data: (reads.append(data.noise), load(data))[1])
    undrawn = (
        "evaluation.plots=false",
        "evaluation.report=false",
    )  # the best run would be scored again for its pictures
    hepclf(*SWEEP, *undrawn, "trainer.batch=64,128", "data.noise=500,600", "data.split.fold=0,1")
    assert reads == [500, 600]
    assert statuses(folder()) == ["finished"] * 8


def test_the_best_run_alone_is_drawn_and_keeps_its_numbers(hepclf, drawings):
    code, out, err = hepclf("train", "-m", *QUICK, "trainer.batch=64,200")
    assert code == 0, err
    table = json.loads((folder() / "sweep.json").read_text())
    best = min(table["jobs"], key=lambda job: job["valid"]["log_loss"]["value"])
    assert f"best on validation: trainer.batch={best['varied']['trainer.batch']}  (log-loss " in out
    drawn = folder() / best["folder"]
    assert [path.parent for path in folder().glob("*/plots")] == [drawn]
    assert [path.parent for path in folder().glob("*/report.html")] == [drawn]
    assert Path("runs/latest").resolve() == drawn.resolve()
    assert list(Path("comparisons").glob("*/plots")), "the comparison has pictures, though most of its runs have none"
    hepclf(
        "train", *QUICK, f"trainer.batch={best['varied']['trainer.batch']}", "folder=alone", "evaluation.plots=false"
    )
    assert outcome(drawn) == outcome("alone")


def test_a_warning_of_every_job_is_printed_once(hepclf):
    code, _, err = hepclf(*SWEEP, "model=fisher", "trainer.momentum=0.5", "data.split.fold=0,1")
    assert code == 0, err
    assert err.count("trainer.momentum=0.5 have no effect with model=fisher") == 1


def test_every_run_is_drawn_where_it_is_said(hepclf, drawings):
    hepclf("train", "-m", *QUICK, "trainer.batch=64,200", "evaluation.plots=true")
    assert len(list(folder().glob("*/plots"))) == 2
    assert len(list(folder().glob("*/report.html"))) == 2


def test_the_best_configuration_trains_the_best_run_again(hepclf):
    hepclf(*SWEEP, "trainer.batch=64,200", "sweep.by=auc", "jobs=1", "folder=mine")
    table = json.loads(Path("mine/sweep.json").read_text())
    best = max(table["jobs"], key=lambda job: job["valid"]["auc"]["value"])
    text = Path("mine/best.yaml").read_text()
    assert text.splitlines()[0].endswith(f"run {best['folder']}")
    assert (
        text.splitlines()[1] == "# to train it again, with changes: hepclf train again=mine/best.yaml trainer.epochs=50"
    )
    code, _, err = hepclf("train", "again=mine/best.yaml", "folder=alone")
    assert code == 0, err
    assert outcome("alone") == outcome(Path("mine") / best["folder"])
    stored = yaml.safe_load(Path("mine", best["folder"], "config.yaml").read_text())
    stored["evaluation"]["report"] = True  # of the jobs it was switched off
    assert yaml.safe_load(text) == stored


def test_a_best_configuration_may_not_choose_code(hepclf):
    targets = {"data": "hepclf.data.gw.GW", "model": "strange.Model", "trainer": "x", "evaluation": "x"}
    settings = {group: {"_target_": target} for group, target in targets.items()}
    Path("best.yaml").write_text(yaml.safe_dump({**settings, "names": {"data": "gw", "model": "strange"}}))
    code, _, err = hepclf("train", "again=best.yaml")
    assert code == 2
    assert "a stored configuration may not run it" in err


def test_a_failed_job_is_tried_again_and_a_finished_one_is_not(hepclf):
    Path("data.csv").write_text("x,type\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(300)))
    words = ["train", "-m", "data=csv", "data.label=type", "model=logistic", "trainer.epochs=1", *LEAN]
    words += ["evaluation.plots=false", "data.files=data.csv,later.csv", "resume=auto"]
    code, out, _ = hepclf(*words)
    assert code == 1
    assert "1 of 2 jobs failed" in out
    assert "later.csv" in json.loads((folder() / "001.error.json").read_text())["error"]
    before = (folder() / "000/environment.json").read_bytes()
    Path("later.csv").write_bytes(Path("data.csv").read_bytes())
    code, out, err = hepclf(*words)
    assert code == 0, err
    assert statuses(folder()) == ["finished", "finished"]
    assert (folder() / "000/environment.json").read_bytes() == before
    assert "2 jobs, 1 finished already" in err
    assert "failed" not in out


def test_a_finished_sweep_prints_its_tables_again(hepclf):
    words = [*SWEEP, "trainer.batch=64,200", "folder=mine", "resume=auto"]
    _, first, _ = hepclf(*words)
    before = {path: path.read_bytes() for path in Path("mine").rglob("*.json") if path.parent != Path("mine")}
    code, second, _ = hepclf(*words)
    assert code == 0
    assert (
        second.split("the sweep")[1].split("comparison in")[0] == first.split("the sweep")[1].split("comparison in")[0]
    )
    assert {path: path.read_bytes() for path in before} == before


def test_a_finished_sweep_that_nobody_may_write_prints_its_tables(hepclf, monkeypatch):
    _, first, _ = hepclf(*SWEEP, "trainer.batch=64,200", "folder=mine")
    before = {path: path.read_bytes() for path in Path("mine").rglob("*") if path.is_file()}

    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    for place in ("hepclf.workflow.sweep.write_json", "hepclf.cli.sweep_best.write_yaml"):
        monkeypatch.setattr(place, refuse)
    for name in ("mkdir", "unlink"):
        monkeypatch.setattr(Path, name, refuse)
    for words in ([], ["jobs=2"]):
        code, second, err = hepclf("train", "resume=mine", *words)
        assert code == 0, err
        assert "the file system is read-only" in " ".join(err.split())
        assert (
            second.split("the sweep")[1].split("sweep  mine")[0]
            == first.split("the sweep")[1].split("comparison in")[0]
        )
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_with_another_sweep_is_refused(hepclf):
    hepclf(*SWEEP, "trainer.batch=64", "folder=mine")
    for words in (["folder=mine", "resume=auto"], ["resume=mine"]):
        code, _, err = hepclf(*SWEEP, "trainer.batch=128", *words)
        assert code == 2
        assert "mine is a sweep with other jobs; choose another folder, or continue it as it is with resume=mine" in err
    code, _, err = hepclf(*SWEEP, "trainer.batch=64", "folder=mine")
    assert code == 1
    assert "resume=auto continues a sweep" in err


class StopAfter(Stop):
    """Asks for a stop once so many runs have finished."""

    def __init__(self, runs):
        super().__init__()
        self._runs = runs

    @property
    def reason(self):
        records = Path().rglob("environment.json")
        return "SIGTERM" if sum('"status": "finished"' in path.read_text() for path in records) >= self._runs else None


def test_a_stopped_sweep_is_continued_and_no_job_is_trained_twice(hepclf, monkeypatch):
    monkeypatch.setattr("hepclf.cli.train.Stop", lambda: StopAfter(2))
    words = [*SWEEP, "trainer.batch=64,100,128,200", "folder=mine", "name=x"]
    code, _, err = hepclf(*words)
    assert code == 85
    assert err.splitlines()[-1] == "hepclf: stopped by SIGTERM; continue with: hepclf train resume=mine"
    assert statuses("mine") == ["finished", "finished", "waiting", "waiting"]
    before = Path("mine/001/environment.json").read_bytes()
    monkeypatch.setattr("hepclf.cli.train.Stop", Stop)
    code, out, err = hepclf("train", "resume=mine", "trainer.checkpoint_s=30")
    assert code == 0, err
    assert statuses("mine") == ["finished"] * 4
    assert Path("mine/001/environment.json").read_bytes() == before
    assert out.count(": AUC 0.") == 2
    config = yaml.safe_load(Path("mine/003/config.yaml").read_text())
    assert (config["trainer"]["checkpoint_s"], config["trainer"]["batch"]) == (30.0, 200)


def test_a_stored_sweep_is_continued_as_it_is(hepclf):
    hepclf(*SWEEP, "trainer.batch=64", "folder=mine")
    code, _, err = hepclf("train", "resume=mine", "trainer.epochs=7")
    assert code == 2
    assert "trainer.epochs=7 cannot be changed in a stored sweep; leave it out, or start another sweep" in err


def test_a_stored_sweep_runs_no_code_that_its_table_alone_names(hepclf):
    Path("lab/model").mkdir(parents=True)
    Path("lab/model/mine.yaml").write_text("_target_: hepclf.models.logistic.Logistic\n")
    words = [word for word in SWEEP if not word.startswith("model=")]
    hepclf(*words, "--config-dir", "lab", "model=mine", "trainer.batch=64", "folder=mine")
    assert statuses("mine") == ["finished"]
    code, _, err = hepclf("train", "resume=mine")
    assert code == 2
    assert f"a stored table may not run code; say --config-dir {Path('lab').resolve()} beside resume" in err
    assert hepclf("train", "resume=mine", "--config-dir", "lab")[0] == 0
    Path("strange.py").write_text("raise RuntimeError('code of a stranger')")
    table = json.loads(Path("mine/sweep.json").read_text())
    table["jobs"][0]["overrides"].append("++model._target_=strange.Model")
    Path("mine/sweep.json").write_text(json.dumps(table | {"config_dirs": []}))
    code, _, err = hepclf("train", "resume=mine")
    assert code == 2
    assert "the sweep says model._target_=strange.Model, and a stored table may not choose code" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "jobs=2"], "jobs belongs to a sweep; say -m, or leave it out"),
        (["train", "sweep.by=auc"], "sweep.by belongs to a sweep; say -m, or leave it out"),
        (["train", "-m", "jobs=-1"], "jobs must be a whole number of at least 0, not -1"),
        (["train", "-m", "jobs=1,2"], "jobs=1,2 must be one value for the whole sweep, not a list"),
        (["train", "-m", "folder=a,b"], "folder=a,b must be one value for the whole sweep, not a list"),
        (["train", "-m", "sweep.by=test_auc"], "sweep.by must be one of log_loss, auc, not 'test_auc'"),
        (
            ["train", "-m", "trainer.balance=none,classes"],
            "trainer.balance decides the weights in the log-loss, so sweep.by must not be log_loss where it varies; "
            "choose sweep.by=auc",
        ),
        (["train", "-m", "sweep.buy=auc"], "sweep.buy is not a setting of SweepSettings; nearest: 'by'"),
        (["train", "-m", "name=../up"], "name must be that of a folder below runs"),
        (["train", "-m", "runs=[a]"], "runs must be a folder, not "),
    ],
)
def test_settings_of_a_sweep_that_are_wrong_are_refused(words, message, hepclf):
    code, _, err = hepclf(*words)
    assert code == 2
    assert err.startswith(f"hepclf: {message}")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trainer.batch=64,banana,128"], "trainer.batch must be a whole number or auto, not 'banana'"),
        (["model.nope=1,2"], "model.nope is not a setting of Logistic"),
        (["seed=0,1", "trainer.batch=64,0"], "trainer.batch must be at least 1, not 0"),
    ],
)
def test_a_wrong_value_in_a_list_is_refused_before_anything_is_trained(words, message, hepclf):
    code, out, err = hepclf(*SWEEP, *words, "folder=mine")
    assert code == 2
    assert err.startswith(f"hepclf: {message}")
    assert out == ""
    assert not Path("mine").exists()


def test_a_wrong_combination_of_values_fails_as_its_own_job(hepclf):
    code, _, err = hepclf(*SWEEP, "data.split.test=0.2,0.6", "data.split.valid=0.2,0.5", "folder=mine")
    assert code == 1, err
    assert statuses("mine") == ["finished", "finished", "finished", "failed"]


@pytest.fixture
def stored():
    """A sweep of two jobs that nobody has begun."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hepclf.cli.sweep._train", lambda *_: 0)
        from hepclf.cli.main import main

        main([*SWEEP, "trainer.batch=64,200", "folder=mine", "sweep.by=auc"])
    return Sweep.open("mine")


def test_what_was_typed_is_stored_before_the_first_job_begins(stored):
    assert stored.by == "auc"
    assert stored.command[-2:] == ("evaluation.plots=false", "trainer.batch=64,200")
    assert [job.varied for job in stored.jobs] == [{"trainer.batch": "64"}, {"trainer.batch": "200"}]
    assert stored.jobs[0].words[-1] == "++trainer.batch=64"
    assert yaml.safe_load(Path("mine/multirun.yaml").read_text())["trainer"]["epochs"] == 1


def test_a_job_that_another_process_has_just_taken_is_left_to_it(stored, monkeypatch):
    monkeypatch.setattr(sweep_worker, "START_S", 0.0)
    taken = Run.create(stored.run(stored.jobs[0]).folder)
    with composing("train", []) as hydra, taken.recorded():
        once, told = iter(stored.jobs[:1]), []  # it was still free when the list was looked at
        monkeypatch.setattr(Sweep, "open_jobs", lambda _: once)
        sweep_worker.work(sweep_worker.SweepTask(stored, hydra, Stop()), Quiet(), told.append)
    assert told == []
    assert not stored.error_file(stored.jobs[0]).exists()


def test_a_lost_job_that_another_process_takes_over_at_this_moment_has_not_failed(stored, monkeypatch):
    run = stored.run(stored.jobs[0])
    with composing("train", []) as hydra:
        task = sweep_worker.SweepTask(stored, hydra, Stop())

        def train(*_, **__):  # the record is still that of the lost process when the lock is taken
            raise FolderInUseError(f"{run.folder} is in use by process 8215")

        monkeypatch.setattr("hepclf.workflow.train.train", train)
        told = []
        sweep_worker.work(task, Quiet(), told.append)
    assert told == []
    assert not stored.error_file(stored.jobs[0]).exists()


def test_a_folder_that_is_no_run_fails_its_job_alone(stored, hepclf, monkeypatch):
    monkeypatch.setattr(sweep_worker, "START_S", 0.0)
    Path("mine/000").mkdir()
    Path("mine/000/notes.txt").write_text("mine")
    code, out, _ = hepclf("train", "resume=mine")
    assert code == 1
    assert statuses("mine") == ["failed", "finished"]
    assert "trainer.batch=64: failed  mine/000 is not an empty folder; a run needs one of its own" in out


TWO = ["train", "-m", *DATA, *LEAN, "evaluation.plots=false", "jobs=2", "folder=mine"]


def started(*words):
    """The command with two processes, once both train."""
    words = [*HEPCLF, *TWO, *words]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: len(trained_by()) == 2)
    return process


def trained_by():
    """The processes that train now."""
    pids = []
    for path in Path("mine").glob("*/lock/*"):
        try:
            pids.append(json.loads(path.read_text())["pid"])
        except (OSError, ValueError):
            continue
    return pids


def until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"


LONG = ["model=mlp_plain", "trainer.epochs=100000", "trainer.patience=null"]


def kill_one():
    """Kill one of two processes as soon as both train."""
    until(lambda: len(trained_by()) == 2)
    os.kill(trained_by()[0], signal.SIGKILL)


def test_the_jobs_of_a_killed_process_are_trained_by_the_others_once(hepclf):
    short = ["model=mlp_plain", "trainer.epochs=25", "trainer.patience=null", "trainer.batch=16,17,18"]
    killer = threading.Thread(target=kill_one)
    killer.start()
    code, out, err = hepclf(*TWO, *short)
    killer.join()
    assert "ended with code -9" in " ".join(err.split())
    assert code == 0, err
    assert statuses("mine") == ["finished"] * 3
    lines = [line for line in out.splitlines() if line[:2] in ("1/", "2/", "3/")]
    assert len({line.split()[1] for line in lines}) == len(lines) == 3
    assert sum(resumed(path.parent) is not None for path in Path("mine").glob("*/environment.json")) <= 1
    code, out, err = hepclf("train", "resume=mine", "jobs=2")
    assert code == 0, err
    assert out.count(": AUC 0.") == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_command_stops_its_processes_at_a_checkpoint(number, interruptible):
    process = started(*LONG, "seed=1,2,3")
    pids = trained_by()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGTERM: 85, signal.SIGINT: 130}[number]
    assert err.strip().splitlines()[-1].endswith("continue with: hepclf train resume=mine")
    assert all(map(ended, pids))
    assert statuses("mine").count("stopped") == 2
    assert statuses("mine").count("waiting") == 1
    reasons = [job["error"] for job in json.loads(Path("mine/sweep.json").read_text())["jobs"] if job["error"]]
    assert [reason.startswith(f"stopped by {number.name}") for reason in reasons] == [True, True]


@pytest.mark.slow
def test_processes_stop_when_the_command_is_killed():
    process = started(*LONG, "seed=1,2,3")
    pids = trained_by()
    process.kill()
    process.communicate()
    until(lambda: all(map(ended, pids)))
    assert [row.status for row in Sweep.open("mine").rows()].count("stopped") == 2
