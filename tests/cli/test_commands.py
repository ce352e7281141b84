from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from hepclf.cli.commands import COMMANDS
from hepclf.cli.completion import candidates

LEAN = ["evaluation.plots=false", "evaluation.report=false", "evaluation.bands=null", "evaluation.importance=null"]
QUICK = ["data.signals=200", "data.noise=600", "trainer.epochs=2", *LEAN]

HEPCLF = [sys.executable, "-m", "hepclf.cli.main"]


def metrics(folder="runs/latest"):
    return json.loads((Path(folder) / "metrics.json").read_text())


def test_help_lists_commands_and_every_choice_with_its_line(hepclf):
    code, out, _ = hepclf("--help")
    assert code == 0
    for name in ("train", "evaluate", "inspect", "gw", "mixture", "csv", "susy", "logistic", "mlp", "gw_blog"):
        assert any(line.strip().startswith(f"{name} ") for line in out.splitlines()), name
    assert max(len(line) for line in out.splitlines()) <= 110
    assert hepclf()[0] == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(hepclf, command):
    code, out, _ = hepclf(command, "--help")
    assert code == 0
    assert out.startswith(f"hepclf {command}: {COMMANDS[command]}\n")
    assert f"  hepclf {command} " in out or command == "completion"


def test_help_imports_nothing_heavy():
    code = "import sys; from hepclf.cli.main import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"'torch'", "'numpy'", "'hydra'", "'omegaconf'", "'rich'"} & set(answer.stderr.strip("[]\n").split(", "))


def test_help_of_a_command_lists_settings_and_the_choices_of_ones_own(hepclf):
    Path("lab/model").mkdir(parents=True)
    Path("lab/model/mine.yaml").write_text("# my very own network\n_target_: mine.Mine\n")
    _, out, _ = hepclf("train", "--help", "--config-dir", "lab")
    assert re.search(r"^  mine +my very own network$", out, re.MULTILINE)
    assert "model.hidden=[128,128,128]" in out
    assert "width of each hidden layer" in out
    assert "trainer.epochs=null" in out


def test_version(hepclf):
    assert hepclf("--version")[1].startswith("hepclf 0.")


def test_training_prints_a_verdict_and_leaves_a_whole_run(hepclf, trained):
    run = Path("runs/latest").resolve()
    assert run.parent == Path("runs/gw-mlp").resolve()
    assert sorted(path.name for path in run.iterdir()) == [
        "card.md",
        "config.yaml",
        "environment.json",
        "history.csv",
        "metrics.json",
        "report.html",
        "scores.root",
        "tagger",
    ]
    found = metrics()
    assert found["data"]["events"] == {"train": 480, "valid": 160, "test": 160}
    environment = json.loads((run / "environment.json").read_text())
    assert (environment["status"], environment["error"]) == ("finished", None)
    assert environment["versions"]["torch"]
    assert len((run / "history.csv").read_text().splitlines()) == 3


def test_the_table_fits_80_columns(hepclf):
    _, out, _ = hepclf("train", *QUICK)
    assert "AUC of likelihood ratio" in out
    assert f"\nepoch  {metrics()['model']['kept_epoch']} of 2 made the tagger\n" in out
    assert max(len(line) for line in out.splitlines() if not line.startswith("run ")) <= 80


def test_cfg_prints_the_configuration_and_trains_nothing(hepclf):
    code, out, _ = hepclf("train", "trainer.epochs=7", "--cfg", "job")
    assert code == 0
    assert yaml.safe_load(out)["trainer"]["epochs"] == 7
    assert not Path("runs").exists()


def test_flags_may_stand_anywhere(hepclf):
    code, out, _ = hepclf("train", "model=logistic", "--cfg", "job", "seed=4")
    assert code == 0
    assert (yaml.safe_load(out)["seed"], yaml.safe_load(out)["model"]["solver"]) == (4, "gradient")


def test_one_seed_reaches_every_part(hepclf):
    hepclf("train", *QUICK, "seed=11")
    config = yaml.safe_load(Path("runs/latest/config.yaml").read_text())
    assert config["data"]["seed"] == config["data"]["split"]["seed"] == config["trainer"]["seed"] == 11


def test_a_run_trains_again_to_the_same_bytes(hepclf, trained):
    first, before = Path("runs/latest").resolve(), Path("runs/latest/metrics.json").read_text()
    code, _, err = hepclf("train", f"again={first}")
    assert code == 0, err
    assert Path("runs/latest").resolve() != first
    assert Path("runs/latest").resolve().parent == first.parent
    assert Path("runs/latest/metrics.json").read_text() == before


def test_training_again_changes_what_is_said_and_keeps_the_rest(hepclf):
    hepclf("train", *QUICK, "model=logistic", "seed=3", "name=mine")
    code, _, err = hepclf("train", "again=runs/latest", "trainer.epochs=1", "model=mlp", "model.hidden=[3]", "seed=4")
    assert code == 0, err
    config = yaml.safe_load(Path("runs/latest/config.yaml").read_text())
    assert (config["trainer"]["epochs"], config["trainer"]["seed"], config["data"]["signals"]) == (1, 4, 200)
    assert (config["data"]["seed"], config["data"]["split"]["seed"], config["model"]["hidden"]) == (4, 4, [3])
    assert config["names"] == {"data": "gw", "model": "mlp"}


@pytest.mark.parametrize("group", ["data", "model", "trainer", "evaluation"])
def test_a_strangers_run_trained_again_runs_none_of_their_code(hepclf, trained, group):
    Path("strange.py").write_text("raise RuntimeError('a stranger's code ran')")
    path = Path("runs/latest/config.yaml")
    config = yaml.safe_load(path.read_text())
    config[group]["_target_"] = "strange.Recipe"
    config["hydra"] = {"callbacks": {"x": {"_target_": "pandas.read_pickle", "filepath_or_buffer": "x.pkl"}}}
    path.write_text(yaml.safe_dump(config))
    code, _, err = hepclf("train", "again=runs/latest")
    assert code == 2
    assert "a stored configuration may not run it" in err
    code, _, err = hepclf("train", "--config-dir", "runs/latest", "--config-name", "config")
    assert code == 2
    assert "--config-name is not a flag of hepclf" in err


def test_a_sweep_goes_on_after_a_failed_job_and_says_so(hepclf):
    code, out, _ = hepclf("train", "-m", *QUICK, "model=logistic", "data.signals=200,1,100")
    assert code == 1
    assert out.startswith("data.signals=200: AUC 0.")
    assert "validation AUC" in out
    assert "1 of 3 jobs failed" in out
    assert sorted(path.name for path in Path("runs/sweeps").glob("*/*/")) == ["000", "001", "002"]
    states = [json.loads(p.read_text())["status"] for p in Path("runs/sweeps").glob("*/*/environment.json")]
    assert sorted(states) == ["failed", "finished", "finished"]
    assert "data.signals=1: failed" in out


def test_a_value_given_twice_in_a_sweep_is_trained_once_and_said(hepclf):
    code, out, _ = hepclf("train", "-m", *QUICK, "model=logistic", "data.split.fold=0,1,0,0")
    assert code == 0
    assert out.count("data.split.fold=0: AUC 0.") == 1
    assert out.count("data.split.fold=0: left out, as the list names it twice\n") == 1
    assert ["all", "2"] in [line.split()[:2] for line in out.splitlines()]
    assert sorted(path.name for path in Path("runs/sweeps").glob("*/*/")) == ["000", "001"]


def test_a_model_of_ones_own_needs_no_fork(hepclf):
    Path("lab/model").mkdir(parents=True)
    Path("lab/model/mine.yaml").write_text("# mine\n_target_: mine_in_test.Mine\nwidth: 5\n")
    Path("lab/model/mine_in_test.py").write_text(
        "from dataclasses import dataclass\n"
        "from torch import nn\n"
        "from hepclf.models.network import Network\n\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Mine(Network):\n"
        "    width: int = 3\n"
        "    def network(self, inputs, outputs):\n"
        "        return nn.Sequential(nn.Linear(inputs, self.width), nn.ReLU(), nn.Linear(self.width, outputs))\n"
    )
    code, _, err = hepclf("train", "--config-dir", "lab", "model=mine", *QUICK)
    assert code == 0, err
    assert metrics()["model"]["name"] == "mine"
    assert metrics()["model"]["parameters"] == 8 * 5 + 5 + 5 + 1
    code, _, err = hepclf("evaluate", "run=runs/latest", "data=gw", "evaluation.plots=false")
    assert code == 1
    assert "is not part of hepclf; say trust=[mine_in_test.Mine] if you trust it" in err
    assert "recipes" not in err
    code, _, err = hepclf(
        "evaluate", "run=runs/latest", "data=gw", "seed=5", "evaluation.plots=false", "trust=[mine_in_test.Mine]"
    )
    assert code == 0, err


def test_evaluating_again_starts_from_the_runs_own_choices(hepclf):
    hepclf("train", *QUICK, "evaluation.systematic=0.3", "evaluation.minimum_background=2")
    before = Path("runs/latest/metrics.json").read_text()
    assert hepclf("evaluate", "run=runs/latest", "evaluation.threshold=0.8", "out=again")[0] == 0
    again = metrics("again")
    assert again["test"]["threshold"] == 0.8
    assert again["test"]["auc"] == metrics()["test"]["auc"]
    config = yaml.safe_load(Path("again/config.yaml").read_text())["evaluation"]
    assert (config["systematic"], config["threshold"], config["plots"]) == (0.3, 0.8, False)
    assert Path("runs/latest/metrics.json").read_text() == before
    hepclf("evaluate", "run=runs/latest", "evaluation=default", "evaluation.plots=false", "out=afresh")
    assert yaml.safe_load(Path("afresh/config.yaml").read_text())["evaluation"]["systematic"] == 0.1


def test_an_occupied_folder_is_not_evaluated_into(hepclf, trained):
    before = {path: path.read_bytes() for path in Path("runs/latest").resolve().rglob("*") if path.is_file()}
    code, _, err = hepclf("evaluate", "run=runs/latest", "out=runs/latest")
    assert code == 1
    assert "is not an empty folder" in err
    assert before == {path: path.read_bytes() for path in before}


def test_training_events_are_told_from_a_test(hepclf, trained):
    few = ["evaluation.plots=false", "evaluation.bands=null", "evaluation.importance=null"]
    small = ["data=gw", "data.signals=200", "data.noise=600", *few]
    _, out, _ = hepclf("evaluate", "run=runs/latest", *small, "out=again")
    assert "480 of 800 events have exactly the score of a training event" in " ".join(out.split())
    assert [row["kind"] for row in metrics("again")["warnings"]] == ["training_events"]
    assert "480 of 800 events" in Path("again/report.html").read_text()
    _, out, _ = hepclf("evaluate", "run=runs/latest", *small, "seed=1")
    assert "training event" not in out


def test_a_run_whose_evaluation_failed_is_evaluated_without_training_again(hepclf, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hepclf.workflow.evaluated.evaluate", broken)
        assert hepclf("train", *QUICK)[0] == 1
    (folder,) = Path("runs/gw-mlp").iterdir()
    code, out, err = hepclf("evaluate", f"run={folder}")
    assert code == 0, err
    assert "AUC" in out


def test_classes_given_whole_replace_those_before(hepclf):
    Path("a.csv").write_text("label,x\n" + "".join(f"{'gh'[i % 2]},{i * 37 % 101}\n" for i in range(100)))
    given = ["data=csv", "data.files=a.csv", "data.classes={hadron: h, gamma: g}"]
    code, out, err = hepclf("inspect", *given)
    assert code == 0, err
    assert "hadron" in out
    assert "background" not in out


def test_the_seed_reaches_the_split_of_a_file_that_names_none(hepclf):
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text("# mine\n_target_: hepclf.data.gw.GW\nsignals: 100\nnoise: 300\n")
    code, _, err = hepclf("train", "--config-dir", "lab", "data=mine", "trainer.epochs=1", "seed=7", *LEAN)
    assert code == 0, err
    config = yaml.safe_load(Path("runs/latest/config.yaml").read_text())
    assert config["data"]["split"]["seed"] == config["data"]["seed"] == 7


def test_evaluating_with_the_same_choices_gives_the_same_numbers(hepclf, trained):
    _, out, _ = hepclf("evaluate", "run=runs/latest", "out=again")
    first, again = metrics(), metrics("again")
    unseen = {name for name in first["studies"] if name not in again["studies"]}
    assert unseen == {"importance", "effective_cuts", "correlations"}
    assert "left out   studies that need features: importance, effective cuts, correlations" in out
    for name in unseen:
        del first["studies"][name]
    for found in (first, again):
        for event in found["studies"]["triggers"]["loudest"]:
            del event["features"]
    del first["valid"]["log_loss_as_trained"]  # of the training's weights, which stored scores do not have
    assert again == first


def test_a_tagger_is_judged_on_other_data(hepclf, trained):
    code, _, err = hepclf(
        "evaluate", "run=runs/latest", "data=gw", "data.signals=500", "data.noise=500", "seed=9", "out=o"
    )
    assert code == 0, err
    assert metrics("o")["data"]["events"] == {"train": 0, "valid": 160, "test": 1000}
    # Noise and glitches have the same shares in both samples, to which validation is scaled: the same but for rounding.
    assert metrics("o")["valid"]["auc"] == pytest.approx(metrics()["valid"]["auc"], rel=1e-12)
    code, _, err = hepclf("evaluate", "run=runs/latest", "data=mixture")
    assert code == 1
    assert "the tagger knows the classes ['noise', 'signal']" in err


def test_a_strangers_configuration_runs_none_of_their_code(hepclf, trained):
    Path("strange.py").write_text("raise RuntimeError('a stranger's code ran')")
    path = Path("runs/latest/config.yaml")
    path.write_text(path.read_text().replace("hepclf.evaluation.evaluation.Evaluation", "strange.Evaluation"))
    code, _, err = hepclf("evaluate", "run=runs/latest")
    assert code == 2
    assert "strange" not in sys.modules
    assert "a stored configuration may not run it" in err


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("hepclf tr", ["train"]),
        ("hepclf train data=c", ["data=csv"]),
        ("hepclf train -m data=gw,mi", ["data=gw,mixture"]),
        ("hepclf train model=logistic model.so", ["model.solver="]),
        ("hepclf inspect trainer.", []),
        ("hepclf nothing x", []),
    ],
)
def test_completion(line, found):
    assert candidates(line) == found


def test_the_completion_script_is_bash_that_works():
    script = subprocess.run([*HEPCLF, "completion"], capture_output=True, text=True, check=True).stdout
    probe = f'{script}\nhepclf() {{ {" ".join(HEPCLF)} "$@"; }}\nCOMP_LINE="hepclf train mod"; COMP_POINT=16\n'
    probe += '_hepclf 2>/dev/null; echo "${COMPREPLY[0]}"'
    answer = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "model="


def stopped_in_training(running, number):
    """Send the signal once the first epochs are written; what the process said on its way out."""
    deadline = time.monotonic() + 60
    while not list(Path("runs").rglob("history.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == {signal.SIGTERM: 85, signal.SIGINT: 130}[number]
    assert "continue with: hepclf train resume=" in " ".join(err.split())
    return err


STOPS = [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]  # test_signals sends every one


@pytest.mark.parametrize("number", STOPS)
def test_a_stopped_sweep_starts_no_other_job(number, interruptible):
    words = [*HEPCLF, "train", "-m", "model=mlp_plain", "seed=1,2", "trainer.epochs=100000", "trainer.patience=null"]
    running = subprocess.Popen([*words, "data.noise=600", "data.signals=200"], stderr=subprocess.PIPE, text=True)
    stopped_in_training(running, number)
    assert len(list(Path("runs").rglob("environment.json"))) == 1


@pytest.mark.parametrize("number", STOPS)
def test_a_stopped_run_says_so_and_is_whole(number, interruptible):
    words = [
        *HEPCLF,
        "train",
        "model=mlp_plain",
        "trainer.epochs=100000",
        "trainer.patience=null",
        "evaluation.plots=false",
        "data.noise=600",
        "data.signals=200",
    ]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"})
    err = stopped_in_training(running, number)
    assert "Traceback" not in err
    (record,) = Path("runs").glob("*/*/environment.json")
    assert json.loads(record.read_text())["status"] == "stopped"
    assert len((record.parent / "history.csv").read_text().splitlines()) > 1


@pytest.mark.parametrize("words", [("--help",), ("train", "--help"), ("cache", "list")])
def test_a_reader_who_leaves_early_gets_no_traceback(words):
    command = [sys.executable, "-m", "hepclf.cli.main", *words]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running.stdout.close()
    assert running.stderr.read() == ""
    assert running.wait() == 1
    running.stderr.close()
