"""Finished runs become one tagger, which is a run like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import yaml
from scipy.special import expit, logit

from hepclf import BDT, Evaluation, Logistic, Mixture, Trainer, load_tagger, train
from hepclf.evaluation.files.store import read_scores, write_scores
from hepclf.models.fisher import Fisher
from hepclf.models.folds import FoldKey
from hepclf.models.members import MembersTagger, key_columns
from hepclf.scored import SPLITS
from hepclf.workflow.candidates import candidates
from hepclf.workflow.ensemble import Ensemble, write_ensemble

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))
DATA = Mixture(events=1500)
MODELS = {"linear": Logistic(), "trees": BDT(iterations=5), "fisher": Fisher()}


def trained(folder, model=MODELS["fisher"], data=DATA, **settings):
    train(data, model, Trainer(epochs=2, **settings), SCORES_ONLY, folder=folder)


@pytest.fixture(scope="module")
def runs_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, model in MODELS.items():
        trained(folder / name, model)
    return folder


@pytest.fixture
def runs(runs_once):
    """Three runs for the test alone."""
    copytree(runs_once, ".", dirs_exist_ok=True)
    return list(MODELS)


def combined(folders, folder="ensemble", data=None, **settings):
    return write_ensemble(candidates(folders), Ensemble(**settings), SCORES_ONLY, Path(folder), data)


def rewritten(run, change):
    """Store changed scores of a run."""
    write_scores(f"{run}/scores.root", change(read_scores(f"{run}/scores.root")))


def changed_config(run, **groups):
    config = yaml.safe_load(Path(run, "config.yaml").read_text())
    Path(run, "config.yaml").write_text(yaml.safe_dump({**config, **groups}))


def test_the_mean_of_all_runs_is_one_tagger_with_the_stored_scores(runs):
    weights = (1, 2, 5)
    combined(runs, weights=weights)
    stored, events = read_scores("ensemble/scores.root"), DATA.load()
    np.testing.assert_allclose(load_tagger("ensemble/tagger").scores(events), stored.scores, rtol=0, atol=1e-7)
    alone = [read_scores(f"{run}/scores.root").scores for run in runs]
    np.testing.assert_allclose(stored.scores, expit(np.average(logit(alone), axis=0, weights=weights)))


def test_the_folder_says_which_runs_were_chosen_among_how_many(runs):
    made = combined(runs, rule="greedy")
    config = yaml.safe_load(Path("ensemble/config.yaml").read_text())
    metrics = json.loads(Path("ensemble/metrics.json").read_text())
    assert [member["name"] for member in config["members"]] == ["logistic", "bdt", "fisher"]
    assert all(len(member["settings"]) == len(member["tagger"]) == 64 for member in config["members"])
    shares = {member["name"]: member["weight"] for member in config["members"]}
    assert metrics["model"] | {"rule": "greedy", "candidates": 3, "weights": shares} == metrics["model"]
    order = metrics["model"]["orders"][0]
    assert {name: order.count(name) / len(order) for name in shares} == pytest.approx(shares)
    assert len(made.tagger.members) == len(set(order))
    assert json.loads(Path("ensemble/environment.json").read_text())["status"] == "finished"
    assert str(Path.cwd()) not in Path("ensemble/tagger/tagger.json").read_text()


def test_each_run_stands_beside_the_ensemble_with_the_numbers_of_its_own_folder(runs):
    combined(runs)
    metrics = json.loads(Path("ensemble/metrics.json").read_text())
    study = metrics["studies"]["ensemble"]
    assert study["auc"] == pytest.approx(metrics["test"]["auc"])
    assert study["log_loss"]["value"] == metrics["test"]["log_loss"]
    for run, row in zip(runs, study["runs"], strict=True):
        own = json.loads(Path(run, "metrics.json").read_text())
        assert (row["auc"], row["valid"]) == (pytest.approx(own["test"]["auc"]), pytest.approx(own["valid"]["auc"]))
        assert row["log_loss"] == {"value": own["test"]["log_loss"], "error": own["test"]["errors"]["log_loss"]}
        assert row["gain"]["value"] == pytest.approx(study["auc"]["value"] - row["auc"]["value"])


def test_the_validation_loss_is_that_of_a_training(runs):
    combined(["fisher", "linear"], weights=(1, 0))
    stored, own = (json.loads(Path(run, "metrics.json").read_text()) for run in ("ensemble", "fisher"))
    assert stored["valid"]["log_loss_as_trained"] == pytest.approx(own["valid"]["log_loss_as_trained"])


def test_test_events_have_no_part_in_the_choice(runs):
    """A run that is perfect on test and knows nothing on validation is not chosen."""
    copytree("fisher", "oracle")

    def known(scored):
        is_test = scored.split == SPLITS.index("test")
        return replace(scored, scores=np.where(is_test, np.clip(scored.labels, 0.01, 0.99), 0.5))

    rewritten("oracle", known)
    before = combined(runs, "before", rule="greedy").tagger.summary["weights"]
    after = combined([*runs, "oracle"], "after", rule="greedy").tagger.summary["weights"]
    assert list(after.values()) == [*before.values(), 0]


def test_a_folded_tagger_of_each_run_makes_an_ensemble_with_folds(runs):
    for run in runs[:2]:
        members = [load_tagger(f"{run}/tagger")] * 2
        MembersTagger(members, folds=FoldKey(2, ("event",))).save(f"{run}/tagger")
        changed_config(run, folds={"count": 2, "by": ["event"]})
    made = combined(runs[:2], data=DATA)
    assert key_columns(load_tagger("ensemble/tagger")) == ("event",)
    assert made.tagger.members[0].folds == FoldKey(2, ("event",))
    changed_config(runs[1], folds={"count": 2, "by": ["run"]})
    with pytest.raises(ValueError, match=r"folds.by is \['run'\] there and \['event'\] here"):
        combined(runs[:2], "other")


OTHER = {
    "data.events is 1000 there and 1500 here": {"data": Mixture(events=1000)},
    "data.split.seed is 1 there and 0 here": {"data": Mixture(events=1500, split=replace(DATA.split, seed=1))},
    "trainer.balance is none there and classes here": {"balance": "none"},
}


@pytest.mark.parametrize("message", OTHER)
def test_runs_of_other_events_or_another_mixture_are_refused_by_the_setting_that_differs(message, runs):
    trained("other", **OTHER[message])
    with pytest.raises(ValueError, match=f"other cannot join .*fisher: {message}.*vary trainer.seed") as caught:
        combined(["fisher", "other"])
    assert "\n" not in str(caught.value)
    assert not Path("ensemble").exists()


def test_runs_that_differ_in_what_does_not_change_the_events_are_combined(runs):
    trained("other", data=Mixture(events=1500, check=False), seed=3, batch=64)
    assert len(combined(["fisher", "other"]).tagger.members) == 2


@pytest.mark.parametrize("name", ["split", "labels", "weights"])
def test_events_that_changed_between_two_trainings_are_refused(name, runs):
    def changed(scored):
        values = getattr(scored, name).copy()
        values[0] = (values[0] + 1) % 2
        return replace(scored, **{name: values})

    rewritten("trees", changed)
    with pytest.raises(ValueError, match=f"settings of their data are the same, but the {name} of their events differ"):
        combined(runs)


def test_an_ensemble_is_no_member_of_another(runs):
    combined(runs)
    with pytest.raises(ValueError, match="ensemble is an ensemble itself; name the runs of which it is made"):
        combined(["fisher", "ensemble"], "second")


def test_a_run_that_did_not_finish_is_refused(runs):
    environment = json.loads(Path("trees/environment.json").read_text())
    Path("trees/environment.json").write_text(json.dumps({**environment, "status": "failed", "error": "it broke"}))
    with pytest.raises(ValueError, match="trees is not finished: its training failed"):
        combined(runs)


@pytest.mark.parametrize(
    ("folders", "settings", "message"),
    [
        (["fisher"], {}, "at least 2 runs, not 1"),
        (["fisher", "trees", "fisher"], {}, "fisher is named twice"),
        (["fisher", "trees"], {"weights": (1, 2, 3)}, "must be 2 numbers, one for each run, not 3"),
        (["fisher", "trees"], {"weights": (1, -2)}, r"at least 0, not all 0, not \[1.0, -2.0\]"),
        (["fisher", "trees"], {"weights": (1, 2), "rule": "greedy"}, "must be left out with rule=greedy"),
        (["fisher", "trees"], {"rounds": 0, "rule": "greedy"}, "rounds must be at least 1, not 0"),
    ],
)
def test_a_wrong_rule_is_refused(folders, settings, message, runs):
    with pytest.raises(ValueError, match=message):
        combined(folders, **settings)
    assert not Path("ensemble").exists()


def test_without_validation_events_nothing_is_selected(runs):
    for run in ("fisher", "trees"):
        rewritten(run, lambda scored: replace(scored, split=np.where(scored.split == 1, 2, scored.split)))
    with pytest.raises(ValueError, match="rule=greedy needs validation events"):
        combined(["fisher", "trees"], rule="greedy")
    assert len(combined(["fisher", "trees"]).tagger.members) == 2
