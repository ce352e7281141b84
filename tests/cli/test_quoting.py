"""What the shell cuts, or Hydra reads otherwise, is shown as it must be typed; typed so, it works."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from hepclf.run import Run
from hepclf.submission.outcome import task_run
from hepclf.words import setting_word
from hepclf.workflow.train import repeat_command

ROWS = "label,pt,eta\n" + "".join(f"{i % 2},{i * 37 % 91}.5,{i * 17 % 83 / 20}\n" for i in range(80))
BASE = ("inspect", "data=csv", "data.files=a.csv")

CASES = {  # what reaches the program: what is to be typed instead
    "a list with a space": (["data.features=[pt,", "eta]"], "data.features=[pt,eta]"),
    "a mapping with spaces": (["data.features={a:", "pt,", "b:", "eta}"], "data.features={a: pt,b: eta}"),
    "conditions in a list": (["data.features=[pt > 20, eta]"], 'data.features=["pt > 20",eta]'),
    "and cut": (["data.features=[pt", ">", "20,", "eta]"], 'data.features=["pt > 20",eta]'),
    "functions in a list": (["data.features=[hypot(pt, eta), eta]"], 'data.features=["hypot(pt, eta)",eta]'),
    "functions in a mapping": (["data.features={a: abs(eta)}"], 'data.features={a: "abs(eta)"}'),
    "a condition": (["data.selection=pt > 20 and abs(eta) < 2.4"], 'data.selection="pt > 20 and abs(eta) < 2.4"'),
    "a condition, cut": (["data.selection=pt", "<", "20"], 'data.selection="pt < 20"'),
    "words, cut": (["data.selection=pt", "and", "eta"], "data.selection=pt and eta"),
    "conditions": (
        ["data.selection=[pt > 20 or eta > 1, abs(eta) < 2.4]"],
        'data.selection="(pt > 20 or eta > 1) and abs(eta) < 2.4"',
    ),
}


@pytest.fixture(autouse=True)
def _table():
    Path("a.csv").write_text(ROWS)


@pytest.mark.parametrize(("words", "meant"), CASES.values(), ids=CASES)
def test_the_error_shows_the_line_as_it_must_be_typed(hepclf, words, meant):
    code, _, err = hepclf(*BASE, *words)
    assert code == 2
    assert err.count("\n") == 1
    line = err.strip().rpartition("; type " if "cannot be read" in err else "type ")[2]
    assert shlex.split(line) == [meant]
    if meant not in ("data.selection=pt and eta",):  # which is no condition, though it can be read
        code, _, err = hepclf(*BASE, *shlex.split(line))
        assert code == 0, err


def test_a_sweep_is_quoted_part_by_part(hepclf):
    code, _, err = hepclf("train", "-m", "data=csv", "data.files=a.csv", "data.selection=pt > 20,pt > 30")
    assert code == 2
    assert shlex.split(err.rpartition("type ")[2]) == ['data.selection="pt > 20","pt > 30"']


@pytest.mark.parametrize("word", ["data.features=[1", "data.features=]"])
def test_brackets_that_are_never_closed_are_not_made_up(hepclf, word):
    code, _, err = hepclf(*BASE, word)
    assert code == 2
    assert "the command cannot be read" in err
    assert err.count("\n") == 1


def test_a_word_that_belongs_to_nothing_is_no_part_of_another(hepclf):
    _, _, err = hepclf("evaluate", "evaluation.threshold=0.5", "runs/latest")
    assert err == "hepclf: 'runs/latest' is not key=value; say run=runs/latest\n"


def lab(text):
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text(f"_target_: hepclf.data.csv.CSV\nfiles: a.csv\n{text}\n")
    return ("inspect", "--config-dir", "lab", "data=mine", "--json")


@pytest.mark.parametrize(
    ("text", "word", "names"),
    [
        ("features: {a: pt, b: eta}", "data.features=[eta,pt]", ["eta", "pt"]),
        ("features: [pt]", "data.features={a: eta}", ["a"]),
        ("features: {a: pt}", "data.features={b: eta}", ["b"]),
        ("features: {a: pt}", "data.features=all", ["pt", "eta"]),
    ],
)
def test_a_list_replaces_a_mapping_and_the_reverse(hepclf, text, word, names):
    import json

    code, out, err = hepclf(*lab(text), word)
    assert code == 0, err
    assert [each["name"] for each in json.loads(out)["features"]] == names


def test_a_list_where_only_a_mapping_can_be_says_so(hepclf):
    code, _, err = hepclf(*BASE, "data.classes=[0,1]")
    assert code == 2
    assert err.startswith("hepclf: data.classes must be a mapping of names")


def test_a_sweep_over_lists_names_each_job_once(hepclf):
    words = ("trainer.epochs=1", "model=logistic", "evaluation.plots=false", "data.features=[pt],[pt,eta]")
    code, out, err = hepclf("train", "-m", "data=csv", "data.files=a.csv", *words)
    assert code == 0, err
    assert [line.split(":")[0] for line in out.splitlines()[:2]] == ["data.features=[pt]", "data.features=[pt,eta]"]


ODD = "a=b, (c) [d] {e} 'f' \"g\""


def typed(line):
    """The words behind `hepclf` of a printed command, as the shell splits it."""
    return shlex.split(line.partition("hepclf ")[2])


def test_the_printed_commands_of_a_folder_with_an_odd_name_can_be_typed(hepclf, mixture_run, tmp_path):
    Path("run").rename(ODD)
    few = ["trainer.epochs=1", "evaluation.report=false", "evaluation.plots=false"]
    code, _, err = hepclf(*typed(repeat_command(Run(Path(ODD)))), "folder=again", *few)
    assert code == 0, err
    code, _, err = hepclf("train", f"resume={setting_word('x', ODD)[2:]}")
    assert code == 0, err
    with pytest.raises(ValueError, match="cannot be resumed") as refused:
        Run.resume(ODD)
    words = typed(str(refused.value).removesuffix(" makes a new one"))
    code, _, err = hepclf(*words, "folder=third", *few)
    assert code == 0, err


def test_a_sweep_and_submitted_jobs_in_a_folder_with_an_odd_name_go_on(hepclf):
    small = ["data=mixture", "data.events=300", "model=logistic", "trainer.epochs=1", "evaluation.plots=false"]
    folder = setting_word("folder", ODD)
    code, _, err = hepclf("train", "-m", *small, "seed=1,2", folder)
    assert code == 0, err
    best = Path(ODD, "best.yaml").read_text().splitlines()[1]
    code, _, err = hepclf(*typed(best), "folder=again", "evaluation.report=false")
    assert code == 0, err
    code, out, err = hepclf("train", setting_word("resume", ODD), "jobs=0")
    assert code == 0, err
    odd = f"{ODD} 2"
    code, out, err = hepclf("submit", "train", *small, setting_word("folder", odd), "cluster=local", "cluster.dry=true")
    assert code == 0, err
    words = shlex.split(out.splitlines()[1])
    assert task_run(words).folder == Path(odd).resolve()
    code, _, err = hepclf(*words)
    assert code == 0, err
    assert Run(Path(odd)).status().name == "finished"
