"""Bad input: one line that names rule, value and way out; no traceback, no run that looks finished."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

GOOD = "label,pt,eta\n" + "".join(f"{i % 2},{i / 7:.3f},{(i * 37) % 11 - 5 + i % 2}\n" for i in range(100))

FILES = {
    "good.csv": GOOD,
    "text.csv": GOOD.replace("\n1,0.143", "\n1,many"),
    "nan.csv": GOOD.replace("\n1,0.143", "\n1,nan"),
    "infinite.csv": GOOD.replace("\n1,0.143", "\n1,inf"),
    "short.csv": GOOD + "1,2\n",
    "long.csv": GOOD + "1,2,3,4\n",
    "class.csv": GOOD.replace("\n1,", "\n0,"),
    "label.csv": GOOD + "7,1.0,2.0\n",
    "empty.csv": "",
    "head.csv": "label,pt,eta\n",
    "constant.csv": re.sub(r",[\d.]+,", ",5.0,", GOOD),
    "negative.csv": "label,pt,weight\n" + "".join(f"{i % 2},{i % 9},{-1 if i % 5 == 0 else 1}\n" for i in range(100)),
    "lab/model/code.yaml": "# not a recipe\n_target_: os.system\n",
    "lab/model/role.yaml": "# data as a model\n_target_: hepclf.data.mixture.Mixture\n",
    "lab/model/gone.yaml": "# no such module\n_target_: nowhere.Model\n",
}
CSV = ["data=csv", "data.files=good.csv"]
GONE = ["data=csv", "data.files=gone.csv", "data.features=[pt,eta]", "data.spectators=[mass]"]
THREE = ["data=csv", "data.files=gone.csv", "data.classes={a: 0, b: 1, c: 2}"]
SCALED = [
    "data=root",
    "data.samples=[{name: a, class: b, files: a.root, cross_section_fb: 1}, {name: c, class: d, files: c.root, "
    "cross_section_fb: 1}]",
    "data.features=[x]",
    "data.luminosity_fb=20.3",
]


def csv(name):
    return ["data=csv", f"data.files={name}"]


MISTAKES = [
    # the command is wrong: 2
    (["trian"], 2, "'trian' is not a command; nearest: 'train'"),
    (["train", "data.evnts=5"], 2, "data.evnts is not a setting of GW"),
    (["train", "trainer.epoch=5"], 2, "trainer.epoch is not a setting of Trainer; nearest: 'epochs'"),
    (["train", "epochs=5"], 2, "epochs is not a setting; nearest: 'trainer.epochs'"),
    (["train", "trainer.epochs=many"], 2, "trainer.epochs must be a whole number or null, not 'many'"),
    (["train", "trainer.optimiser=adamm"], 2, "trainer.optimiser must be one of adamw, adam, rmsprop, sgd"),
    (["train", "model=resnet"], 2, "model=resnet is not a choice; nearest: 'forest'"),
    (
        ["train", "experiment=nothing_like_this"],
        2,
        "experiment=nothing_like_this is not a choice; there are: 'alerts'",
    ),
    (["train", "experiment=gw_blogg"], 2, "experiment=gw_blogg is not a choice; nearest: 'gw_blog'"),
    (["train", "+experiment=gw_blogg"], 2, "experiment=gw_blogg is not a choice; nearest: 'gw_blog'"),
    (["train", "-m", "experiment=gw_blog,gw_blig"], 2, "experiment=gw_blig is not a choice"),
    (["train", "experiment=null"], 2, "experiment must be the name of a choice, not null"),
    (["train", "again=runs/latest", "experiment=gw_blog"], 2, "experiment and again both choose the recipes"),
    (["evaluate", "run=lab", "data=gww"], 2, "data=gww is not a choice; nearest: 'gw'"),
    (["evaluate", "run=lab", "data@observed=gww"], 2, "data@observed=gww is not a choice; nearest: 'gw'"),
    (["evaluate", "run=lab", "data@obsrved=gw"], 2, "data@obsrved is not a group of hepclf evaluate; nearest: 'data@"),
    (["evaluate", "run=lab", "model=mlp"], 2, "model is not a group of hepclf evaluate; there are: 'data'"),
    (["evaluate", "run=lab", "seed=x"], 2, "seed must be a whole number of at least 0, not 'x'"),
    (["evaluate", "run=lab", "export=phyf"], 2, "export=phyf is unknown"),
    (["export", "run=lab", "format=onnx", "data=gww"], 2, "data=gww is not a choice; nearest: 'gw'"),
    (["export", "run=lab", "format=onnx", "seed=x"], 2, "seed must be a whole number of at least 0, not 'x'"),
    (["predict", "run=lab", "files=x", "data=gw"], 2, "data is not a group of hepclf predict; it has none"),
    (["inspect", "seed=-1"], 2, "seed must be a whole number of at least 0, not -1"),
    (["train", "trainer.batch=-5"], 2, "trainer.batch must be at least 1, not -5"),
    (["train", "model.dropout=1.5"], 2, "model.dropout must lie in [0, 1), not 1.5"),
    (["train", "data.features=[snr,mass]"], 2, "feature 'mass' is not known to the triggers"),
    (
        ["train", "data.split.test=0.9", "data.split.valid=0.2"],
        2,
        "split.valid + split.test must be below 1, not 0.2 + 0.9 = 1.1",
    ),
    (["train", "evaluation.threshold=2"], 2, "threshold must lie in 0..1"),
    (["train", "evaluation.cross_sections_fb={signal: 3}"], 2, "cross_sections_fb must come with"),
    (["train", "data=csv"], 2, "data.files must be given; say data.files=..."),
    (["train", "trainer.epochs=[1"], 2, "the command cannot be read"),
    (["train", "--config-dir", "lab", "model=code"], 2, "model._target_=os.system is not a dataclass"),
    (["train", "--config-dir", "lab", "model=gone"], 2, "model._target_=nowhere.Model cannot be imported"),
    (["train", "model=mlp", "--epochs", "5"], 2, "--epochs is not a flag of hepclf"),
    (["--config-dir", "lab", "train"], 2, "--config-dir comes after the command"),
    (["train", "data=lab/data/mine.yaml"], 2, "say --config-dir lab data=mine"),
    (["train", "trainer"], 2, "'trainer' is not key=value"),
    (["train", "data.files", "=", "good.csv"], 2, "'data.files' is not key=value; write key=value without spaces"),
    (["predict", "run=", "lab"], 2, "'lab' is not key=value; write key=value without spaces"),
    (["train", "good.csv"], 2, "'good.csv' is not key=value; say data=csv data.files=good.csv"),
    (["train", "data=a b.csv.gz"], 2, "say data=csv 'data.files=a b.csv.gz'"),
    (["train", "data=hh.root"], 2, "say data=root, with the file in data.samples"),
    (["train", "data=susy"], 2, "hepclf fetch susy downloads it, then say data.files=SUSY.csv.gz"),
    (["train", "--config-dir", "labb", "data=mine"], 2, "--config-dir must be a folder that exists, not labb"),
    (
        ["train", "--config-dir", "lab", "data=mine"],
        2,
        "data=mine is not a choice; lab/data has no mine.yaml; nearest:",
    ),
    (["train", "seed=abc"], 2, "seed must be a whole number of at least 0, not 'abc'"),
    (["train", "name=../up"], 2, "name must be that of a folder below runs"),
    (["train", "name=latest"], 2, "name must be that of a folder below runs"),
    (["train", "data.split._target_=os.system"], 2, "data.split._target_ must be hepclf.data.split.Split"),
    (["train", "--config-dir", "lab", "model=role"], 2, "is no recipe of a model: it has no fit"),
    (["evaluate", "runs/latest"], 2, "'runs/latest' is not key=value; say run=runs/latest"),
    (["evaluate"], 2, "run must be given; say run=DIR"),
    (["completion", "zsh"], 2, "completion takes no arguments"),
    # what the settings tell before the data, which are not there, are read: 2
    (["train", *GONE, "evaluation.yields={ttbar: 5}"], 2, "a yield of 'ttbar', which is no process or class"),
    (["train", *GONE, "evaluation.signal=sgnal"], 2, "evaluation.signal 'sgnal' is no class of the data"),
    (["train", *GONE, "trainer.device=cuda:99"], 2, "device=cuda:99 is not there"),
    (["train", *GONE, "trainer.planing=mas"], 2, "trainer.planing names 'mas', which is no spectator of the data"),
    (["train", *GONE, "+trainer.decorrelate={spectator: mass, class: sgnal}"], 2, "nearest: 'signal'"),
    (["train", *GONE, "evaluation.flatness.spectators=[mas]"], 2, "evaluation.flatness: 'mas' is no spectator"),
    (["train", *GONE, "evaluation.categories.of={a: 'mas > 1'}"], 2, "nearest: 'mass'"),
    (["train", *GONE, "data.split.by=column", "data.split.column=evt"], 2, "split.column='evt' is not a spectator"),
    (["train", *GONE, "model.preprocess.features={pT: log}"], 2, "preprocess.features names 'pT'"),
    (["train", *GONE, "model=bdt", "model.monotone={pT: 1}"], 2, "monotone names 'pT', which is not a feature"),
    (["train", *GONE, "model=cuts", "model.sides={pT: above}"], 2, "model.sides names 'pT', which is not a feature"),
    (["train", *THREE, "model=cuts"], 2, "model=cuts needs two classes, the data has 3"),
    (["train", *THREE, "evaluation.threshold=0.4"], 2, "evaluation.threshold is for two classes"),
    (["train", *THREE, "trainer.calibrate=isotonic"], 2, "trainer.calibrate=isotonic is for two classes"),
    (["train", *THREE, "model=logistic", "model.solver=newton"], 2, "solver=newton needs two classes"),
    (
        ["train", *SCALED, "evaluation.luminosity_fb=3"],
        2,
        "evaluation.luminosity_fb must be 20.3, as in data.luminosity_fb, not 3",
    ),
    # the run fails: 1
    (["train", *csv("gone.csv")], 1, "gone.csv"),
    (["train", *csv("empty.csv")], 1, "empty.csv holds nothing: it is empty"),
    (["train", *csv("head.csv")], 1, "head.csv"),
    (["train", *CSV, "data.features=[pT]"], 1, "nearest: 'pt'"),
    (["train", *CSV, "data.label=lable"], 1, "nearest: 'label'"),
    (["train", *csv("text.csv")], 1, "text.csv, row 3, column 'pt'"),
    (["train", *csv("nan.csv")], 1, "nan.csv, row 3, column 'pt'"),
    (["train", *csv("infinite.csv")], 1, "infinite.csv, row 3, column 'pt'"),
    (["train", *csv("short.csv")], 1, "short.csv, row 102"),
    (["train", *csv("long.csv")], 1, "long.csv, row 102"),
    (["train", *csv("label.csv")], 1, "label.csv, row 102"),
    (["train", *csv("class.csv")], 1, "class 'signal' has no events"),
    (["train", *csv("constant.csv")], 1, "feature 'pt' is always 5"),
    (["train", *csv("negative.csv"), "data.weight=weight"], 1, "of the training events have a negative weight"),
    (["train", *CSV, "data.split.test=500"], 1, "the data holds 100 events"),
    (["train", *CSV, "data.split.valid=0.001"], 1, "the validation set of 100 events is empty"),
    (
        ["train", *CSV, "data.check=false", "trainer.learning_rate=1e38", "trainer.optimiser=sgd", "model=logistic"],
        1,
        "loss is",
    ),
    (["train", "runs=good.csv"], 1, "cannot be made"),
    (["evaluate", "run=nowhere"], 1, "there is no run nowhere"),
    (["evaluate", "run=lab"], 1, "is not a run of hepclf"),
    (["inspect", *csv("gone.csv")], 1, "gone.csv"),
]


@pytest.fixture(autouse=True)
def files(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(("words", "code", "said"), MISTAKES, ids=[" ".join(words) for words, _, _ in MISTAKES])
def test_a_mistake_is_one_line_and_leaves_no_run_that_looks_finished(hepclf, words, code, said):
    found, out, err = hepclf(*words)
    stages = {"loading", "checking", "training", "scoring", "storing", "evaluating", "drawing"}
    lines = [line for line in err.splitlines() if line not in stages]
    assert len(lines) == 1, err
    assert lines[0].startswith("hepclf: ")
    assert said in lines[0]
    assert "Traceback" not in out + err
    assert found == code
    for record in Path().glob("runs/*/*/environment.json"):
        assert json.loads(record.read_text())["status"] == "failed"
        assert not (record.parent / "metrics.json").exists()
    assert not Path("runs/latest").exists()
    assert not list(Path().glob("runs/**/.*"))


def test_debug_shows_the_traceback(hepclf):
    with pytest.raises(ValueError, match="is not a setting"):
        hepclf("train", "data.evnts=5", "--debug")


def test_a_failed_run_says_so_when_it_is_evaluated(hepclf):
    hepclf("train", *csv("class.csv"))
    (folder,) = Path("runs/csv-mlp").iterdir()
    code, _, err = hepclf("evaluate", f"run={folder}")
    assert code == 1
    assert "holds no scores: its training failed at 20" in err
    assert ": ValueError: class 'signal' has no events" in err
    assert err.endswith("train it again\n")


def test_a_disk_that_is_full_leaves_a_failed_run(hepclf, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hepclf.workflow.train.write_scores", full)
    code, _, err = hepclf("train", *CSV, "trainer.epochs=1")
    assert code == 1
    assert "no space left on device; what was finished is whole" in err
    (record,) = Path("runs").glob("*/*/environment.json")
    assert json.loads(record.read_text())["status"] == "failed"
