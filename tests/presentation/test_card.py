"""The model card: every number is one of metrics.json, and what its author wrote is kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
import yaml

from hepclf.data.mixture import Mixture
from hepclf.evaluation.evaluation import Evaluation
from hepclf.models.logistic import Logistic
from hepclf.presentation.card import END, START, TO_WRITE
from hepclf.training.trainer import Trainer
from hepclf.words import number
from hepclf.workflow.job import Job
from hepclf.workflow.redraw import draw_run
from hepclf.workflow.reevaluate import reevaluate
from hepclf.workflow.shared import SharedData
from hepclf.workflow.train import train

DATA = Mixture(events=3000)
TRAINER = Trainer(epochs=2)
NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?(?![\w.]*\w)")


@pytest.fixture
def drawn(without_studies):
    """An evaluation with a page, and with the studies that a card quotes."""
    studies = {name: getattr(Evaluation(), name) for name in ("overtraining", "calibration")}
    return Evaluation(**without_studies | studies | {"plots": False, "yields": {"signal": 50.0, "background": 900.0}})


@pytest.fixture
def run(drawn):
    return train(DATA, Logistic(), TRAINER, drawn, "run").run


def leaves(contents):
    """Every number below, at any depth."""
    if isinstance(contents, dict):
        contents = list(contents.values())
    if isinstance(contents, list):
        return [leaf for entry in contents for leaf in leaves(entry)]
    return [contents] if isinstance(contents, int | float) and not isinstance(contents, bool) else []


def pairs(contents):
    """Every value with its error below, at any depth."""
    if isinstance(contents, list):
        return [pair for entry in contents for pair in pairs(entry)]
    if not isinstance(contents, dict):
        return []
    own = [(contents["value"], contents["error"])] if {"value", "error"} <= set(contents) else []
    means = [(contents[name], error) for name, error in contents.get("errors", {}).items()]
    return own + means + [pair for entry in contents.values() for pair in pairs(entry)]


def section(text, heading):
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def rounded(leaf, text):
    """A number with as many digits as the text has."""
    if "e" in text:
        return f"{leaf:.{len(text.partition('e')[0].replace('.', '').lstrip('-')) - 1}e}"
    return f"{leaf:.{len(text.partition('.')[2])}f}"


def quoted(run):
    """What a card quotes, and metrics.json, without the sentence on the mixture, which metrics.json has as a text."""
    metrics, text = json.loads(run.metrics.read_text()), run.card.read_text(encoding="utf-8")
    parts = "".join(section(text, heading) for heading in ("Data", "Results", "Limits"))
    assert metrics["mixture"]["text"] in parts
    return metrics, parts.replace(metrics["mixture"]["text"], "")


def test_every_number_of_the_card_stands_in_metrics_json(run):
    metrics, text = quoted(run)
    known = [abs(leaf) for leaf in leaves(metrics)]
    known += [100 * leaf for leaf in known]  # per cent
    known.append(1 / (1 + metrics["studies"]["calibration"]["yields_ratio"]))  # the score of even odds
    known.append(100 * Evaluation().systematic)  # a setting, which config.yaml holds
    numbers = [word.replace(",", "").lstrip("-−") for word in NUMBER.findall(text)]
    assert len(numbers) > 90
    for word in set(numbers) - {"1e-06"}:  # what p is smaller than
        assert any(rounded(leaf, word) == word for leaf in known), word


def test_every_value_of_the_card_has_its_own_error(run):
    metrics, text = quoted(run)
    known = {number(abs(value), error) for value, error in pairs(metrics) if value is not None and error is not None}
    words = re.findall(r"[\d.]+ ± [\d.]*\d", text)
    assert len(words) > 40
    assert set(words) <= known


def test_the_tables_hold_the_values_with_their_errors(run):
    metrics, text = json.loads(run.metrics.read_text()), run.card.read_text(encoding="utf-8")
    rows = {row[1]: row[2:-1] for row in (re.split(r" *\| *", line) for line in section(text, "Results").splitlines())
            if len(row) > 3}  # fmt: skip
    for column, split in enumerate(("train", "valid", "test")):
        value, error = map(float, rows["AUC"][column].split(" ± "))
        assert value == pytest.approx(metrics[split]["auc"]["value"], abs=error / 10)
        assert error == pytest.approx(metrics[split]["auc"]["error"], rel=0.05)
        assert float(rows["log-loss"][column].split()[0]) == pytest.approx(metrics[split]["log_loss"], rel=0.02)
    events = re.search(r"\| events \|(.*)\|", section(text, "Data"))[1].replace(",", "").split(" | ")
    assert list(map(int, events)) == list(metrics["data"]["events"].values())
    assert float(rows["Asimov Z"][0].split()[0]) == pytest.approx(
        metrics["test"]["significance"]["asimov"]["value"], rel=0.01
    )


def test_the_settings_are_those_of_the_run(run):
    text = run.card.read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.S)
    stored = yaml.safe_load(run.config.read_text())
    # Settings without a value are left out, and those that the model does not use.
    unused = {name for name, value in stored["trainer"].items() if value is None} | {"momentum"}
    used = {name: value for name, value in stored["trainer"].items() if name not in unused}
    assert yaml.safe_load(block) == {"model": stored["model"], "trainer": used}
    again = re.search(r"hepclf train again=(\S+)", text)[1]
    assert (run.card.parent / again / "config.yaml").samefile(run.config)  # from the folder of the card
    assert "equal amounts of the classes" in text


def test_what_the_author_wrote_is_kept(run, drawn):
    text = run.card.read_text(encoding="utf-8")
    assert TO_WRITE in text
    mine = "A | teaching <b>example</b>.\n\nNot for physics."
    run.card.write_text(f"{START}\n{mine}\n{END}", encoding="utf-8")
    draw_run(run, Job.of(DATA, Logistic(), TRAINER, drawn), SharedData())
    assert run.card.read_text(encoding="utf-8") == text.replace(TO_WRITE, mine)


def test_a_run_without_a_page_and_an_evaluation_without_a_tagger_have_no_card(run, drawn):
    lean = train(DATA, Logistic(), TRAINER, replace(drawn, report=False), "lean").run
    assert not lean.card.exists()
    reevaluate(run, drawn, run.folder / "again")
    assert sorted(path.name for path in run.folder.rglob("card.md")) == ["card.md"]
    assert (run.folder / "again/report.html").is_file()
