"""The README keeps its word: its Python runs, its commands compose, its links exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from hepclf.cli.main import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [line[2:].split("#")[0] for line in README.splitlines() if line.startswith("$ hepclf train")]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_python_examples_run_and_run_again(capsys):
    namespace = {}
    for _ in range(2):
        for code in blocks("python"):
            exec(compile(code, "README.md", "exec"), namespace)
    assert "AUC 0.9" in capsys.readouterr().out
    assert namespace["scores"].shape == (20,)
    assert 0.85 < namespace["verdict"].test.auc.value < 0.95
    assert len(list(Path("runs/notebook").glob("*/plots/decision.png"))) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_compose(command, capsys):
    (yaml,) = blocks("yaml")
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text(yaml)
    words = [word for word in shlex.split(command)[1:] if word != "-m"]
    words = [
        re.sub(r"=.*,.*", lambda m: m[0] if "{" in m[0] or "[" in m[0] else m[0].split(",")[0], word) for word in words
    ]
    assert main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err
    assert main([word for word in words if not word.startswith("data")] + ["--cfg", "job"]) == 0


def test_the_yaml_example_trains():
    (yaml,) = blocks("yaml")
    Path("lab/data").mkdir(parents=True)
    Path("ntuples").mkdir()
    Path("lab/data/mine.yaml").write_text(yaml.replace(".csv.gz", ".csv"))
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


def test_the_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert link.startswith("https://") or (ROOT / link).exists(), link
