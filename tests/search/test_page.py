"""The page of a study: its numbers are those of the trials' folders, whatever became of these."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from hepclf.files import write_yaml
from hepclf.search.finish import write_table
from hepclf.search.folder import StudyFolder
from hepclf.search.history import study_history
from hepclf.search.importance import MIN_TRIALS
from hepclf.search.page import default_values, study_title, write_page
from hepclf.search.space import Choice, Float, Integer, Space
from hepclf.search.trial import Trial
from hepclf.search.tuning import Tuning
from hepclf.words import number

NASTY = "<script>alert(1)</script>"
SPACE = Space(
    (
        Choice(name="model", options=("mlp", "xgboost")),
        Float(name="trainer.learning_rate", low=1e-4, high=1e-1, log=True),
        Choice(name="model.hidden", options=([64], [128, 128], NASTY, None), where={"model": ("mlp",)}),
        Integer(name="model.depth", low=2, high=10, where={"model": ("xgboost",)}),
    )
)


@pytest.mark.parametrize(("count", "words"), [(1, "search of 1 setting"), (2, "search of 2 settings")])
def test_the_title_counts_the_settings(tmp_path, count, words):
    space = Space(SPACE.parameters[:count])
    study = StudyFolder.create(tmp_path / "study", words=(), tuning=Tuning(), space=space, seed=0, defaults={})
    assert study_title(study).endswith(words)


def test_defaults_outside_of_the_space_are_those_of_the_configuration(tmp_path):
    space = Space((Float(name="trainer.learning_rate", low=0.1, high=1.0), Choice(name="model.l2", options=(1, 2))))
    study = StudyFolder.create(
        tmp_path / "study", words=(), tuning=Tuning(), space=space, seed=0, defaults={"model.l2": 1}
    )
    ended = Trial(number=0, values={"model.l2": 1}, state="complete", objectives=(0.5,), is_default=True)
    study.run(0, 0).folder.mkdir(parents=True)
    ended.write(study.trial(0))
    groups = {"data": {}, "model": {"l2": 1}, "trainer": {"learning_rate": 0.003}, "evaluation": {}}
    stored = {group: {"_target_": group, **settings} for group, settings in groups.items()}
    write_yaml(study.run(0, 0).config, stored | {"names": {"data": "gw", "model": "logistic"}})
    assert default_values(study_history(study), study) == {"model.l2": 1, "trainer.learning_rate": 0.003}


class Page(HTMLParser):
    """The rows of each table by its title, the lines of the headline, and every source and link."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.lines, self.links, self.scripts = {}, [], [], 0
        self._title, self._row, self._cell, self._tags = "", None, None, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.scripts += tag == "script"
        self.links += [attributes[name] for name in ("src", "href") if attributes.get(name)]
        if tag == "tr":
            self._row = []
        if tag in ("td", "th", "figcaption", "li"):
            self._cell = ""

    def handle_endtag(self, tag):
        if self._cell is None and tag != "tr":
            return
        words = " ".join((self._cell or "").split())
        if tag == "figcaption":
            self._title = words
        elif tag == "li":
            self.lines.append(words)
        elif tag in ("td", "th") and self._row is not None:
            self._row.append(words)
        elif tag == "tr":
            self.tables.setdefault(self._title, []).append(self._row)
        if tag in ("td", "th", "figcaption", "li"):
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data


def values_of(rng, i):
    values = {"model": "mlp", "trainer.learning_rate": float(10 ** rng.uniform(-4, -1)), "model.hidden": [64]}
    if i % 2:
        values = {
            "model": "xgboost",
            "trainer.learning_rate": values["trainer.learning_rate"],
            "model.depth": 2 + i % 9,
        }
    elif i % 4:
        values["model.hidden"] = NASTY
    return values


@pytest.fixture
def studied(tmp_path):
    """A function making a study whose trials came to these states; its objectives are known functions."""

    def make(states, objective="log_loss", repeats=3, trials=None, slope=0.03):
        tuning = Tuning(trials=trials or max(len(states), 1), objective=objective, repeats=repeats)
        study = StudyFolder.create(
            tmp_path / "study", words=("data=susy", f"model={NASTY}"), tuning=tuning, space=SPACE, seed=0, defaults={}
        )
        rng = np.random.default_rng(0)
        for i, state in enumerate(states):
            path = study.trial(i)
            values = values_of(rng, i)
            truth = 0.4 + slope * abs(np.log10(values["trainer.learning_rate"]) + 2.5)
            rows = truth + 0.002 * rng.normal(size=(repeats, len(tuning.objectives)))
            repeated = tuple(map(tuple, rows.tolist())) if state == "complete" else ()
            path.mkdir(parents=True)
            Trial(
                number=i,
                values=values,
                state=state,
                repeats=repeated,
                errors=tuple(tuple(0.004 for _ in row) for row in repeated),
                objectives=tuple(np.mean(repeated, axis=0).tolist()) if repeated else (),
                is_default=i == 0,
                seconds=1.5,
                error=f"ValueError: {NASTY}" if state == "failed" else None,
            ).write(path)
            write_curve(study.run(i, 0), truth, 3 if state != "complete" else 6)
        return study

    return make


def write_curve(run, truth, epochs):
    run.folder.mkdir()
    rows = [f"{i},{truth},{truth + 1 / i},0.001,0.1" for i in range(1, epochs + 1)]
    run.history.write_text("\n".join(["epoch,train_loss,valid_loss,learning_rate,seconds", *rows]) + "\n")


@pytest.fixture
def undrawn(monkeypatch):
    """Pages without pictures, for tests that look at words alone."""
    monkeypatch.setattr("hepclf.search.page.draw_search", lambda *_, **__: None)


def page_of(study):
    return Page(write_page(study.path).read_text(encoding="utf-8"))


def numbers_of(study, stem):
    series = json.loads((study.path / "plots" / "numbers" / f"{stem}.json").read_text())["series"]
    return {row["name"]: row["columns"] for row in series}


STATES = ["complete"] * 22 + ["pruned", "failed", "complete", "pruned"]


def test_the_numbers_of_the_page_are_those_of_the_trials(studied, undrawn):
    study = studied(STATES)
    history = study_history(study)
    write_table(history, study.table)
    page = page_of(study)
    header, *rows = page.tables["the best trials"]
    assert header == ["trial", "log-loss", "time", *(parameter.name for parameter in SPACE.parameters)]
    ordered = sorted(history.complete, key=lambda trial: trial.objectives)
    noise = history.optimism.noise
    for row, trial in zip(rows[:10], ordered, strict=False):
        assert row[0].split()[0] == str(trial.number)
        assert row[1] == number(trial.objectives[0], noise)
        assert float(row[4]) == pytest.approx(trial.values["trainer.learning_rate"], rel=1e-3)
    stored = {row["trial"]: row for row in csv.DictReader(study.table.read_text().splitlines())}
    for row in rows:
        name = row[0].split()[0]
        assert float(stored[name]["log_loss"]) == pytest.approx(float(row[1].split()[0]), abs=1e-4)
    assert "study.csv" in page.links
    best, default = ordered[0], history.trial(0)
    assert page.lines[0] == (
        f"Best log-loss on validation: {number(best.objectives[0], history.optimism.error)}, trial {best.number}, "
        "chosen out of 26 trials."
    )
    assert number(default.objectives[0], history.optimism.error) in page.lines[1]
    assert number(history.optimism.best, history.optimism.error) in page.lines[3]
    assert page.lines[4] == "26 trials have ended: 23 complete, 2 pruned, 1 failed."


def test_the_numbers_of_the_pictures_are_those_of_the_trials(studied, sketched):
    study = studied(STATES)
    page_of(study)
    trials = study.trials()
    history, slices = numbers_of(study, "history")["history"], numbers_of(study, "slices")["slices"]
    losses = [trial.objectives[0] if trial.objectives else None for trial in trials]
    assert history["log_loss"] == [None if loss is None else pytest.approx(loss, rel=1e-7) for loss in losses]
    assert history["state"] == [trial.state for trial in trials]
    known = np.minimum.accumulate([np.inf if loss is None else loss for loss in losses])
    assert history["best_so_far"] == pytest.approx(known.tolist(), rel=1e-7)
    rates = [trial.values["trainer.learning_rate"] for trial in trials]
    assert slices["trainer.learning_rate"] == pytest.approx(rates, rel=1e-7)
    assert slices["model.depth"] == [trial.values.get("model.depth") for trial in trials]
    hidden = {None: "", NASTY: NASTY}
    texts = [trial.values.get("model.hidden") for trial in trials]
    assert slices["model.hidden"] == ["[64]" if isinstance(text, list) else hidden[text] for text in texts]
    curves = numbers_of(study, "learning_curves")
    assert curves["trial 23, failed"]["epoch"] == [1, 2, 3]
    matters = numbers_of(study, "importance")["importance"]
    assert matters["setting"][0] == "trainer.learning_rate"
    assert matters["importance"][0] > 2 * matters["importance_error"][0]


def test_the_page_asks_nothing_of_the_world_and_runs_no_script(studied, sketched):
    page = page_of(studied(["complete", "complete", "failed"]))
    assert page.scripts == 0
    assert all(link.startswith(("data:", "#", "plots/")) for link in page.links)
    assert any(f"ValueError: {NASTY}" in line for line in page.lines)
    assert f"one of [64], [128, 128], {NASTY}, null" in [row[1] for row in page.tables["the space of the search"]]


@pytest.mark.parametrize(
    ("states", "line"),
    [
        ([], "No trial is complete, so there is no best one."),
        (["failed"] * 3, "No trial is complete, so there is no best one."),
        (["pruned"] * 3, "3 trials have ended: 3 pruned."),
        (["complete"], "The defaults are the best trial: the search improved on nothing."),
        (["complete"], "How optimistic the best of these numbers is cannot be told from too few complete trials."),
        (["running"], "The search is not finished: 0 of 1 trials have ended (1 running)."),
    ],
)
def test_a_study_that_came_to_little_says_so(studied, states, line, undrawn):
    assert line in page_of(studied(states)).lines


@pytest.mark.parametrize("states", [[], ["failed"] * 3, ["pruned"] * 3, ["complete"], ["running"]])
def test_a_study_that_came_to_little_can_be_drawn(studied, states, sketched):
    assert write_page(studied(states).path).is_file()


def test_a_study_that_goes_on_says_how_far_it_is(studied, undrawn):
    page = page_of(studied(["complete", "complete", "running"], trials=50))
    assert "The search is not finished: 2 of 50 trials have ended (1 running, 2 complete)." in page.lines


def test_without_repeats_nothing_is_claimed(studied, undrawn):
    page = page_of(studied(["complete"] * 6, repeats=1))
    told = " ".join(page.lines)
    assert "How optimistic the best of these numbers is cannot be told from one training a trial." in told
    assert "whether the best is better by more than chance is not known" in told
    assert "significant" not in told
    assert "± 0.0040, trial" in page.lines[0]


@pytest.mark.parametrize(
    ("slope", "claim"),
    [
        (0.1, "the best of many: significant, above two sigma"),
        (0.0, "the best of many: not significant, below two sigma"),
    ],
)
def test_an_improvement_is_claimed_only_where_it_is_significant(studied, slope, claim, undrawn):
    study = studied(["complete"] * 12, slope=slope)
    judged = study_history(study).optimism
    assert judged.gain > 0, "else nothing is tested"
    gain = f"The best improves on them by {number(judged.gain, judged.gain_error)}, corrected for the choice of "
    assert gain + claim + "." in " ".join(page_of(study).lines)


def test_two_objectives_have_a_front_and_no_best(studied, sketched):
    study = studied(["complete"] * 8, objective=("auc", "rejection"))
    page, history = page_of(study), study_history(study)
    header, *rows = page.tables["trials that no other one beats in both objectives"]
    assert header[:3] == ["trial", "AUC", "background rejection"]
    named = [int(row[0].split()[0]) for row in rows]
    assert named[: len(history.front)] == list(history.front)
    columns = numbers_of(study, "front")["front"]
    study.front.mkdir()
    study.front_file(history.front[0]).write_text("settings")
    name = f"front/{history.front[0]:04d}.yaml"
    assert (
        f'<a href="{name}">{name}</a> (trial {history.front[0]}, for hepclf train' in write_page(study.path).read_text()
    )
    on_front = {trial for trial, flag in zip(columns["trial"], columns["on_front"], strict=True) if flag}
    assert on_front == set(history.front)


def test_the_final_training_is_told_from_its_results(studied, undrawn):
    study = studied(["complete"] * 3)
    assert "final training" not in write_page(study.path).read_text()
    study.final.folder.mkdir()
    study.final.metrics.write_text(
        json.dumps({"test": {"auc": {"value": 0.875, "error": 0.012}, "log_loss": 0.5, "errors": {"log_loss": 0.03}}})
    )
    study.final.report.write_text("a page")
    text = write_page(study.path).read_text().replace("\u00a0", " ")
    assert (
        "The final training with the best settings reaches on test: AUC 0.875 ± 0.012, log-loss 0.500 ± 0.030." in text
    )
    assert 'href="best/report.html"' in text
    study.final.metrics.write_text("{")
    assert "final training" not in write_page(study.path).read_text()


def test_few_trials_have_no_importance_and_the_page_says_how_many_it_needs(studied, sketched):
    study = studied(["complete"] * (MIN_TRIALS - 1))
    assert f"needs {MIN_TRIALS} trials that are complete or pruned, not {MIN_TRIALS - 1}" in " ".join(
        page_of(study).lines
    )
    assert not (study.path / "plots" / "importance.png").exists()


@pytest.mark.slow
def test_a_thousand_trials_make_a_page_of_less_than_5_mb(studied):
    study = studied((STATES * 40)[:1000])
    assert write_page(study.path).stat().st_size < 2e6
