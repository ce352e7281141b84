"""README and docs keep their word: Python runs, commands compose, links and files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from hepclf.cli.main import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [line[2:].split("#")[0] for line in README.splitlines() if line.startswith("$ hepclf train")]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def yaml_of(name):
    """The YAML that the README calls lab/data/NAME.yaml, put there."""
    (found,) = (text for text in blocks("yaml") if text.startswith(f"# lab/data/{name}.yaml"))
    Path("lab/data").mkdir(parents=True, exist_ok=True)
    Path(f"lab/data/{name}.yaml").write_text(found.replace(".csv.gz", ".csv"))


def ntuples(name, *, events, shift):
    """A small file of events with jets, missing energy and weights of both signs."""
    rng = np.random.default_rng(events)
    counts = rng.integers(1, 6, events)
    jets = {"Jet_pt": rng.exponential(40 + shift, counts.sum()), "Jet_eta": rng.normal(size=counts.sum())}
    jets["Jet_phi"] = rng.uniform(-3, 3, counts.sum())
    columns = {key: ak.unflatten(values, counts) for key, values in jets.items()}
    columns |= {"MET_pt": rng.exponential(30 + shift, events), "event": np.arange(events)}
    columns["genWeight"] = rng.choice([1.0, -1.0], events, p=[0.9, 0.1])
    arrays = {key: ak.Array(values) for key, values in columns.items()}
    with uproot.recreate(name) as file:
        file.mktree("Events", {key: array.type.content for key, array in arrays.items()}).extend(arrays)
        file["Runs"] = {"genEventSumw": np.array([2 * columns["genWeight"].sum()])}


def test_the_whole_way_from_ntuples_to_friends(capsys):
    yaml_of("hh")
    Path("ntuples").mkdir()
    for number in (1, 2):
        ntuples(f"ntuples/dy_{number}.root", events=300 + number, shift=0)
        ntuples(f"ntuples/ttbar_{number}.root", events=250 + number, shift=40)
        ntuples(f"ntuples/hh_{number}.root", events=200 + number, shift=80)
    lines = [line for line in README.splitlines() if "data=hh" in line or line.startswith("$ hepclf predict")]
    assert [line.split()[2] for line in lines] == ["inspect", "train", "predict"]
    for line in lines:
        few = ["trainer.epochs=3", "evaluation.plots=false"] if " train " in line else []
        assert main([*shlex.split(line)[2:], *few]) == 0, capsys.readouterr().err
    (code,) = (text for text in blocks("python") if "friend" in text)
    namespace = {}
    exec(compile(code, "README.md", "exec"), namespace)
    assert len(namespace["scores"]) == 201
    assert ((namespace["scores"] == -1) | (namespace["scores"] >= 0)).all()
    assert 0 < (namespace["scores"] == -1).sum() < 201


def test_the_python_examples_run_and_run_again(capsys, sketched):
    namespace = {}
    for _ in range(2):
        for code in (text for text in blocks("python") if "friend" not in text):
            exec(compile(code, "README.md", "exec"), namespace)
    assert "AUC 0.9" in capsys.readouterr().out
    assert namespace["scores"].shape == (20,)
    assert namespace["tagger"].inputs == ("snr", "chirp_mass")
    assert 0.85 < namespace["results"].test.auc.value < 0.95
    assert len(list(Path("runs/notebook").glob("*/plots/decision.png"))) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_compose(command, capsys):
    yaml_of("mine")
    yaml_of("hh")
    words = [word for word in shlex.split(command)[1:] if word != "-m"]
    words = [
        re.sub(r"=.*,.*", lambda m: m[0] if "{" in m[0] or "[" in m[0] else m[0].split(",")[0], word) for word in words
    ]
    assert main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err
    assert main([word for word in words if not word.startswith("data")] + ["--cfg", "job"]) == 0


def test_the_yaml_example_trains():
    yaml_of("mine")
    Path("ntuples").mkdir()
    rows = ["type,pt1,pt2,mjj,met,weight,event,mass"]
    for i in range(400):
        kind = ("dy", "ttbar", "hh", "hh")[i % 4]
        weight = -0.5 if i % 7 == 0 else 1.0
        pt2 = "" if i % 11 == 0 else f"{i * 53 % 97}"
        rows.append(f"{kind},{i * 31 % 101 + 20 * (i % 4)},{pt2},{i * 17 % 89},-999,{weight},{i},{i % 13}")
        rows[-1] = rows[-1].replace(",-999,", f",{i * 7 % 83},") if i % 5 else rows[-1]
    Path("ntuples/a.csv").write_text("\n".join(rows) + "\n")
    (command,) = (line for line in COMMANDS if "data=mine" in line)
    words = shlex.split(command)[1:]
    assert main([*words, "trainer.epochs=2", "evaluation.plots=false"]) == 0
    assert (Path("runs/latest") / "metrics.json").is_file()


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs/evaluation").glob("*.md"),
]


def test_the_links_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page}: {link}"


def test_the_files_that_the_docs_name_exist():
    pattern = r"(?:hepclf|tests|scripts|configs)/[\w./-]*\.(?:py|yaml)\b"
    named = {(path, page.name) for page in PAGES for path in re.findall(pattern, page.read_text(encoding="utf-8"))}
    assert len(named) > 20
    missing = {(path, page) for path, page in named if not (ROOT / path).is_file()}
    assert {pair for pair in missing if not pair[0].endswith("mine.py") and not pair[0].endswith("mine.yaml")} == set()
