"""Warnings of whole trainings, on data made to deserve them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hepclf import BDT, CSV, GW, KNN, Evaluation, Events, Logistic, Mixture, PlainMLP, Split, Trainer, train
from hepclf.evaluation.evaluation import Evaluation as Recipe
from hepclf.run import Run
from hepclf.workflow.beforehand import unused_settings
from hepclf.workflow.reevaluate import reevaluate

STUDIES = [name for name in vars(Recipe()) if hasattr(getattr(Recipe(), name), "study")]
BARE = Evaluation(**dict.fromkeys(STUDIES), plots=False, report=False)
N = 3000
QUICK = Trainer(epochs=2)


def events(truth=None, swapped=0):
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 2
    columns = [rng.normal(size=N) + labels, rng.normal(size=N)] + (
        [] if truth is None else [labels + truth * rng.normal(size=N)]
    )
    if swapped:
        labels[-swapped:] = 1 - labels[-swapped:]
    return Events(features=np.stack(columns, axis=1), names=("x", "y", "z")[: len(columns)], labels=labels)


def kinds(trained):
    return [row.kind for row in trained.results.warnings]


def test_clean_data_and_a_sound_training_have_no_warnings():
    assert kinds(train(events(), Logistic(), QUICK, BARE)) == []
    assert kinds(train(Mixture(events=4000), Logistic(solver="newton"), Trainer(), BARE)) == []


def test_a_feature_that_is_the_truth_is_told_unless_nobody_shall_look(caplog):
    found = train(events(truth=0.2), Logistic(), QUICK, BARE)
    assert kinds(found) == ["separates_alone"]
    assert found.results.warnings[0].about == ("z",)
    assert "features that separate the classes almost alone: z" in caplog.text
    assert "warning: features that separate the classes almost alone: z" in repr(found.results)
    assert kinds(train(events(truth=0.2), Logistic(), QUICK, BARE, check=False)) == []


def test_a_learning_rate_far_too_high_is_told_first():
    found = train(GW(signals=500, noise=1500), PlainMLP(), Trainer(learning_rate=100, epochs=3), BARE)
    assert kinds(found)[0] == "not_converged"


def test_labels_that_are_swapped_in_the_test_events_are_told():
    from hepclf.data.memory import Memory

    tail = Memory(events=events(swapped=600), split=Split(by="tail"))
    assert kinds(train(tail, Logistic(), QUICK, BARE)) == ["worse_than_random"]


def test_negative_weights_are_told_where_no_rule_was_given_alone():
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 2
    weights = np.where(np.arange(N) % 10 == 0, -1.0, 1.0)
    given = Events(features=rng.normal(size=(N, 1)) + labels[:, None], names=("x",), labels=labels, weights=weights)
    with pytest.raises(ValueError, match="choose what the loss shall do with them"):
        train(given, Logistic(), QUICK, BARE)
    assert kinds(train(given, Logistic(), Trainer(epochs=2, negative_weights="zero"), BARE)) == []


def test_stored_warnings_are_the_same_each_time_and_follow_the_run(tmp_path):
    texts = []
    for name in "ab":
        train(events(truth=0.2), Logistic(), QUICK, BARE, folder=tmp_path / name)
        texts.append((tmp_path / name / "metrics.json").read_bytes())
    assert texts[0] == texts[1]
    stored = json.loads(texts[0])["warnings"]
    assert [(row["kind"], row["about"]) for row in stored] == [("separates_alone", ["z"])]
    again, _ = reevaluate(Run.open(tmp_path / "a"), BARE, tmp_path / "judged")
    assert [row.to_dict() for row in again.warnings] == stored


def test_an_old_run_without_warnings_is_judged_again(tmp_path):
    train(events(), Logistic(), QUICK, BARE, folder=tmp_path / "run")
    path = tmp_path / "run" / "metrics.json"
    old = json.loads(path.read_text())
    del old["warnings"]
    path.write_text(json.dumps(old))
    assert reevaluate(Run.open(tmp_path / "run"), BARE, tmp_path / "judged")[0].warnings == ()


def test_a_table_that_is_not_looked_at_is_the_same_in_the_cache(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("label,x\n" + "".join(f"{i % 2},{i % 7}\n" for i in range(50)))
    contents = [CSV(files=str(path), check=check)._content() for check in (True, False)]
    assert contents[0] == contents[1]
    assert Path(path).is_file()


@pytest.mark.parametrize(
    ("model", "settings", "unused"),
    [
        (BDT(), {"momentum": 0.3, "batch": 64}, ("batch", "momentum")),
        (BDT(), {"patience": 3, "keep": "last", "balance": "mean", "calibrate": "temperature"}, ()),
        (BDT(), {"batch": 256, "momentum": 0.9}, ()),
        (BDT(), {"device": "cuda"}, ("device",)),
        (BDT(), {"device": "cpu"}, ()),
        (KNN(), {"seed": 7, "threads": 3}, ()),
        (KNN(), {"patience": 3}, ("patience",)),
        (Logistic(solver="newton"), {"batch": 64}, ("batch",)),
        (Logistic(), {"batch": 64}, ()),
        (PlainMLP(), {"momentum": 0.3}, ("momentum",)),
        (PlainMLP(), {"momentum": 0.3, "optimiser": "sgd"}, ()),
    ],
)
def test_settings_that_a_model_does_not_use_are_told(model, settings, unused):
    cautions = unused_settings(model, Trainer(**settings), "mine")
    assert [row.about for row in cautions] == ([unused] if unused else [])


def test_an_unused_setting_is_told_at_the_start_and_above_the_results(caplog):
    results = train(events(), BDT(iterations=3), Trainer(momentum=0.3, batch=64), BARE).results
    (caution,) = results.warnings
    assert caution.kind == "unused_settings"
    assert caution.text == (
        "trainer.batch=64, trainer.momentum=0.3 have no effect with model=bdt, which uses "
        "balance, calibrate, keep, negative_weights, patience, planing, seed"
    )
    assert caplog.messages.count(caution.text) == 1


def test_nothing_is_said_of_a_model_that_does_not_tell_what_it_uses(caplog):
    class Mine:
        def fit(self, train, valid, trainer):
            return BDT(iterations=3).fit(train, valid, trainer)

    assert kinds(train(events(), Mine(), Trainer(momentum=0.3), BARE)) == []
    assert caplog.text == ""
