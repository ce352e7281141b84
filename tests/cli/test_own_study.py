"""A study of the user's own, as docs/evaluation.md has it, through the command line."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from hepclf.evaluation.evaluation import Evaluation

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
OTHERS = (name for name in Evaluation().study_settings if name != "calibration")
QUICK = ("data=mixture", "data.events=400", "model=fisher", *(f"evaluation.{name}=null" for name in OTHERS))
NAMED = "evaluation.studies={tails: {_target_: tails.Tails, share: 0.2}}"
COMMANDS = [shlex.split(line[2:])[1:] for line in PAGE.splitlines() if line.startswith("$ hepclf")]


@pytest.fixture(autouse=True)
def _lab():
    """The two files of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (settings,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    Path("lab/evaluation").mkdir(parents=True)
    Path("lab/evaluation/tails.py").write_text(code)
    Path("lab/evaluation/mine.yaml").write_text(settings)


def finding(folder="runs/latest"):
    return json.loads(Path(folder, "metrics.json").read_text())["studies"].get("tails")


def test_the_study_of_the_page_works_as_it_stands(hepclf, sketched):
    train, evaluate = COMMANDS
    code, out, err = hepclf(*train, *QUICK)
    assert code == 0, err
    assert 0 < finding()["signal"] < 1
    assert "of signal is among the highest scores." in out
    page = Path("runs/latest/report.html").read_text()
    assert page.count('id="study-tails"') == page.count('id="study_tails"') == 1
    assert "Which classes fill the highest scores?" in page
    assert "Are the scores probabilities?" in page
    assert Path("runs/latest/plots/study_tails.png").is_file()
    code, _, err = hepclf(*evaluate, "out=again", "evaluation.plots=false")
    assert code == 0, err
    assert finding("again") == finding()


def test_a_stored_run_does_not_run_the_users_code_by_itself(hepclf):
    few = ("evaluation.plots=false", "evaluation.report=false")
    assert hepclf("train", "--config-dir", "lab", "evaluation=mine", *QUICK, *few)[0] == 0
    stored = str(Path("runs/latest").resolve())
    before = finding()
    for words in (("train", f"again={stored}"), ("evaluate", f"run={stored}")):
        code, _, err = hepclf(*words, "evaluation.studies.tails.share=0.1")
        assert code == 2
        assert "evaluation.studies.tails names tails.Tails, which is not part of hepclf, and a stored" in err
        assert "choose it yourself with evaluation.studies.tails._target_=tails.Tails" in err
    for word in ("evaluation.studies.tails._target_=tails.Tails", "evaluation=mine"):
        code, _, err = hepclf("train", "--config-dir", "lab", f"again={stored}", word, *few)
        assert code == 0, err
        assert finding() == before or word == "evaluation=mine"
    code, _, err = hepclf("evaluate", f"run={stored}", NAMED, "out=named", *few)
    assert code == 0, err
    assert yaml.safe_load(Path("named/config.yaml").read_text())["evaluation"]["studies"]["tails"]["share"] == 0.2
    code, _, err = hepclf("evaluate", f"run={stored}", "evaluation.studies.tails=null", "out=without", *few)
    assert code == 0, err
    assert finding("without") is None


@pytest.mark.parametrize(
    ("studies", "words"),
    [
        (
            "{tails: {_target_: tails.Tails, share: 2}}",
            "evaluation.studies.tails.share must lie between 0 and 1, not 2.0",
        ),
        (
            "{tails: {_target_: tails.Tails, shar: 1}}",
            "evaluation.studies.tails.shar is not a setting of Tails; nearest",
        ),
        ("{tails: {_target_: tails.Nothing}}", "evaluation.studies.tails._target_=tails.Nothing is not a dataclass"),
        ("{tails: {_target_: nowhere.Study}}", "evaluation.studies.tails._target_=nowhere.Study cannot be imported"),
        (
            "{tails: {share: 0.1}}",
            "name a recipe in _target_; choose one with evaluation.studies.tails._target_=MODULE",
        ),
        ("{bands: {_target_: tails.Tails}}", "evaluation.studies.bands must have a name of its own"),
        ("{f: {_target_: hepclf.models.fisher.Fisher}}", "evaluation.studies.f must be a recipe with study(case), not"),
        ("3", "evaluation.studies must be a mapping of names, each to a value, not 3"),
    ],
)
def test_wrong_settings_are_told_on_one_line(hepclf, studies, words):
    code, _, err = hepclf("train", "--config-dir", "lab", *QUICK, f"evaluation.studies={studies}")
    assert (code, err.count("\n")) == (2, 1)
    assert words in err


def test_other_data_have_the_plane_of_two_features(hepclf, sketched):
    gaussian = "{fraction: 1.0, mean: [%s, 0.0], width: [1.0, 1.0]}"
    Path("lab/data").mkdir()
    classes = "\n".join(f"  {name}: [{gaussian % mean}]" for name, mean in (("background", -1.0), ("signal", 1.0)))
    Path("lab/data/two.yaml").write_text(
        f"# two\n_target_: hepclf.data.mixture.Mixture\nevents: 400\nclasses:\n{classes}\n"
    )
    few = ["model=fisher", "evaluation.plots=false", "evaluation.report=false"]
    few += [f"evaluation.{name}=null" for name in Evaluation().study_settings if name != "plane"]
    code, _, err = hepclf("train", "--config-dir", "lab", "data=two", *few)
    assert code == 0, err
    for words, drawn in ((("data=two",), True), ((), False)):
        out = f"out{drawn}"
        code, _, err = hepclf(
            "evaluate", "--config-dir", "lab", "run=runs/latest", *words, f"out={out}", "evaluation.plots=true"
        )
        assert code == 0, err
        assert Path(out, "plots/decision.png").is_file() == drawn


def test_a_stored_run_imports_no_module_of_a_stranger(hepclf):
    few = ("evaluation.plots=false", "evaluation.report=false")
    assert hepclf("train", *QUICK, *few, "folder=stored")[0] == 0
    Path("stranger.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    config = yaml.safe_load(Path("stored/config.yaml").read_text())
    config["evaluation"]["studies"] = {"tails": {"_target_": "stranger.Study"}}
    Path("stored/config.yaml").write_text(yaml.safe_dump(config))
    for words in (("evaluate", "run=stored"), ("train", "again=stored"), ("train", "resume=stored")):
        code, _, err = hepclf(*words)
        assert code == 2
        assert "stranger.Study, which is not part of hepclf" in err
    hepclf("compare", "stored", "stored")
    assert not Path("ran").exists()


def test_a_finished_run_with_a_study_of_ones_own_prints_its_results(hepclf):
    words = ("train", "--config-dir", "lab", "evaluation=mine", *QUICK, "evaluation.plots=false", "folder=mine")
    for _ in range(2):
        code, out, err = hepclf(*words, "resume=auto")
        assert code == 0, err
        assert "of signal is among the highest scores." in out
    assert "other evaluation settings" not in err
