"""What XGBoost's and LightGBM's models promise alike: exact rounds, rounds that are kept, and files to be trusted."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import xgboost

from hepclf import Events, LightGBM, Trainer, XGBoost, load_tagger
from hepclf.cli.main import main
from hepclf.evaluation.files.store import read_scores
from hepclf.models import boosted
from hepclf.models.arrays import mean_cross_entropy
from hepclf.models.tagger import write_tagger
from hepclf.models.tree_fit import tree_matrices

SMALL = {
    "xgboost": XGBoost(iterations=12, depth=3, bins=64),
    "lightgbm": LightGBM(iterations=12, leaves=8, leaf_events=5),
}
LAST = Trainer(patience=None, keep="last")
BEST = Trainer(patience=None)


def xgboosts(data, features):
    return xgboost.Booster(model_file=bytearray(data)).predict(xgboost.DMatrix(features))


def lightgbms(data, features):
    return lightgbm.Booster(model_str=data.decode()).predict(features)


THEIRS = {"xgboost": xgboosts, "lightgbm": lightgbms}  # what the library scores with a tagger's file


@pytest.fixture(params=SMALL)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    return SMALL[name]


def fitted(recipe, train, valid, trainer=LAST):
    fit = recipe.fit(train, valid, trainer)
    history = list(fit)
    return fit.tagger(), history


@pytest.mark.parametrize("classes", [2, 3])
def test_the_losses_of_a_round_are_those_of_its_tagger(model, parts, classes):
    train, valid = parts(classes)
    tagger, history = fitted(model, train, valid)
    assert [epoch.epoch for epoch in history] == list(range(1, 13))
    for part, loss in zip(tree_matrices(train, valid, LAST, "x"), history[-1][1:3], strict=True):
        assert mean_cross_entropy(tagger.probabilities(part.features), part) == pytest.approx(loss, abs=1e-6)
    assert tagger.summary["valid_loss"] == history[-1].valid_loss
    assert tagger.scores(valid).shape == ((800,) if classes == 2 else (800, 3))


def test_an_event_on_a_threshold_goes_where_the_library_sends_it(name, model, parts):
    train, valid = parts()
    train = replace(train, features=np.round(train.features, 1))
    tagger, _ = fitted(model, train, valid)
    thresholds = np.unique(tagger.arrays["thresholds"])
    above = np.nextafter(thresholds, np.float32(np.inf))
    line = np.repeat(np.concatenate([thresholds, above])[:, None], 3, axis=1)
    theirs = THEIRS[name](tagger.data, line)
    assert tagger.scores(Events(features=line, names=train.names)) == pytest.approx(theirs, abs=1e-6)


def test_new_missing_values_go_where_the_library_sends_them(name, model, parts):
    train, valid = parts()
    tagger, _ = fitted(model, replace(train, features=np.nan_to_num(train.features)), valid)
    assert np.isnan(valid.features).any()
    assert tagger.scores(valid) == pytest.approx(THEIRS[name](tagger.data, valid.features), abs=1e-6)


def test_that_a_value_is_missing_can_be_all_a_split_asks_for(name, model, gaussians):
    events = gaussians(events=1000, separation=0.0)
    absent = np.random.default_rng(0).random(1000) < np.where(events.labels == 1, 0.6, 0.2)
    holes = replace(events, features=np.where(absent[:, None], np.nan, np.arange(1000)[:, None] % 7 + [0, 1, 2]))
    tagger, _ = fitted(model, holes, holes)
    scores = tagger.scores(holes)
    assert [scores[absent].mean(), scores[~absent].mean()] == pytest.approx([0.75, 1 / 3], abs=0.06)
    assert scores == pytest.approx(THEIRS[name](tagger.data, holes.features), abs=1e-6)


def test_the_rounds_that_are_kept_are_the_best_or_all(name, model, parts):
    train, valid = parts(events=300)
    recipe = replace(model, iterations=40, learning_rate=0.5)
    best, history = fitted(recipe, train, valid, BEST)
    losses = [epoch.valid_loss for epoch in history]
    lowest = int(np.argmin(losses)) + 1
    assert lowest < 40
    assert (best.summary["kept_epoch"], best.summary["trees"]) == (lowest, lowest)
    assert best.loss(tree_matrices(train, valid, BEST, "x")[1]) == pytest.approx(min(losses), abs=1e-6)
    best.save("tagger")
    assert load_tagger("tagger").summary["trees"] == lowest
    data = next(Path("tagger").glob("model-*")).read_bytes()
    assert best.scores(valid) == pytest.approx(THEIRS[name](data, valid.features), abs=1e-6)
    last, _ = fitted(recipe, train, valid)
    assert last.summary["kept_epoch"] == last.summary["trees"] == 40


def test_a_caller_that_leaves_has_the_rounds_it_saw_and_may_begin_again(model, parts):
    train, valid = parts()
    fit = model.fit(train, valid, LAST)
    with pytest.raises(ValueError, match="no tagger before the first epoch"):
        fit.tagger()
    for epoch in fit:
        if epoch.epoch == 4:
            break
    short, _ = fitted(replace(model, iterations=4), train, valid)
    assert np.array_equal(fit.tagger().scores(valid), short.scores(valid))
    assert len(list(fit)) == 12
    assert fit.tagger().summary["trees"] == 12


@pytest.mark.parametrize("classes", [2, 3])
def test_a_saved_tagger_scores_the_same(model, parts, classes):
    train, valid = parts(classes)
    tagger, _ = fitted(model, train, valid)
    tagger.save("tagger")
    assert np.array_equal(load_tagger("tagger").scores(valid), tagger.scores(valid))


def test_a_saved_tagger_scores_without_the_library(name, model, parts):
    train, valid = parts()
    tagger, _ = fitted(model, train, valid)
    tagger.save("tagger")
    np.save("features.npy", valid.features[:50])
    code = f"""
import sys
sys.modules[{name!r}] = None
import numpy as np
from hepclf import Events, load_tagger
tagger = load_tagger("tagger")
np.save("scores.npy", tagger.scores(Events(features=np.load("features.npy"), names=tagger.inputs)))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert np.array_equal(np.load("scores.npy"), tagger.scores(valid)[:50])


def test_without_the_library_one_line_says_what_to_install(name, model, gaussians, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    events = gaussians(events=30)
    with pytest.raises(ValueError, match=rf"^model={name} needs {name}; pip install 'hepclf\[boost\]'$"):
        model.fit(events, events, LAST)


def test_seeds_decide(model, parts):
    train, valid = parts(3)
    recipe = replace(model, feature_fraction=0.4, event_fraction=0.5)
    tagger, again, other = (fitted(recipe, train, valid, replace(LAST, seed=seed))[0] for seed in (2**40, 2**40, 1))
    assert tagger.data == again.data
    assert not np.array_equal(tagger.scores(valid), other.scores(valid))


def test_negative_weights_follow_the_trainer(name, model, parts):
    train, valid = parts()
    kept = np.arange(len(train)) // 4 % 2 == 0
    negative = replace(train, weights=np.where(kept, train.weights, -1.0))
    trainer = replace(LAST, negative_weights="zero", balance="none")
    scores = fitted(model, negative, valid, trainer)[0].scores(valid)
    assert np.array_equal(scores, fitted(model, train.take(kept), valid, trainer)[0].scores(valid))
    with pytest.raises(ValueError, match=f"model={name} cannot learn from negative weights"):
        fitted(model, negative, valid, replace(LAST, negative_weights="keep"))
    with pytest.raises(ValueError, match="of the training events have a negative weight"):
        fitted(model, negative, valid)


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_rise_or_fall_with_a_feature_as_asked(model, gaussians, sign):
    events = gaussians(events=1000)  # the signal lies higher in x0
    tagger, _ = fitted(replace(model, monotone={"x0": sign}), events, events)
    line = np.zeros((200, 3), dtype=np.float32)
    line[:, 0] = np.linspace(-4, 6, 200)
    steps = sign * np.diff(tagger.scores(Events(features=line, names=events.names)))
    assert (steps >= 0).all()
    assert (steps > 0).any() == (sign == 1)


def test_monotone_features_must_be_there_and_classes_two(model, gaussians):
    two, three = gaussians(events=30), gaussians(events=30, classes=3)
    with pytest.raises(ValueError, match="monotone names 'y', which is not a feature; there are: 'x0'"):
        replace(model, monotone={"y": 1}).fit(two, two, LAST)
    with pytest.raises(ValueError, match="monotone needs two classes, the data has 3"):
        replace(model, monotone={"x0": 1}).fit(three, three, LAST)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"iterations": 0}, "iterations must be at least 1, not 0"),
        ({"leaves": 1}, "leaves must be at least 2"),
        ({"depth": 0}, "depth must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive and finite"),
        ({"l1": -1.0}, "l1 must be at least 0"),
        ({"l2": float("nan")}, "l2 must be at least 0"),
        ({"leaf_weight": -1.0}, "leaf_weight must be at least 0"),
        ({"event_fraction": 0.0}, "event_fraction must be above 0 and at most 1"),
        ({"feature_fraction": 1.5}, "feature_fraction must be above 0 and at most 1, not 1.5"),
        ({"bins": 1}, "bins must be at least 2"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"monotone": {"x0": 2}}, "monotone"),
    ],
)
def test_settings_out_of_range_are_refused(model, settings, says):
    with pytest.raises(ValueError, match=says):
        replace(model, **settings)


def test_trees_that_were_misread_are_refused(name, model, parts, monkeypatch):
    read = boosted.planted
    monkeypatch.setattr(
        boosted, "planted", lambda trees: read([tree._replace(thresholds=tree.thresholds + 1) for tree in trees])
    )
    with pytest.raises(ValueError, match=rf"the trees of this version of {name} were not understood: scores differ"):
        fitted(model, *parts())


def test_a_damaged_file_is_refused_or_read_to_its_end(name, model, parts):
    train, valid = parts()
    tagger, rng, outcomes = fitted(replace(model, iterations=3), train, valid)[0], np.random.default_rng(0), set()
    head = {"kind": name, "inputs": tagger.inputs, "classes": tagger.classes, "summary": {}}
    for _ in range(150):
        data = bytearray(tagger.data)
        place, length = rng.integers(len(data)), rng.integers(1, 20)
        data[place : place + length] = bytes(rng.choice(list(b"0123456789-,.[]= \n"), rng.integers(20)).tolist())
        write_tagger(Path("tagger"), {tagger.file: bytes(data)}, head)
        try:
            scores = load_tagger("tagger").scores(valid)
        except ValueError as error:
            outcomes.add(str(error).partition(":")[0])
        else:
            outcomes.add(bool(0 <= scores.min() <= scores.max() <= 1))
    assert outcomes == {f"tagger/tagger.json and its {tagger.file} do not fit together", True}


def test_a_changed_file_is_refused(model, parts):
    tagger, _ = fitted(model, *parts())
    tagger.save("tagger")
    path = next(Path("tagger").glob("model-*"))
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ValueError, match="was changed after the tagger was saved"):
        load_tagger("tagger")


def test_a_model_trains_from_the_command_line(name, capfd):
    quick = ["data=gw", "data.signals=200", "data.noise=600", "evaluation.plots=false", "model.iterations=60"]
    assert main(["train", f"model={name}", *quick]) == 0
    said = capfd.readouterr()
    assert "warn" not in (said.out + said.err).lower()
    run = Path("runs/latest")
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["model"]["name"] == name
    assert metrics["test"]["auc"]["value"] > 0.8
    tagger = load_tagger(run / "tagger")
    assert tagger.summary["trees"] == metrics["model"]["kept_epoch"] == metrics["model"]["trees"]
    assert len(np.unique(read_scores(run / "scores.root").scores)) > 3
    nothing = Events(features=np.full((1, len(tagger.inputs)), np.nan), names=tagger.inputs)
    assert 0 <= tagger.scores(nothing)[0] <= 1


def test_both_libraries_work_with_pytorch_also_where_they_come_first():
    code = """
import lightgbm, xgboost, torch
from hepclf import BDT, Evaluation, LightGBM, Mixture, PlainMLP, Trainer, XGBoost, train
quick = {"iterations": 3}
alone = Evaluation(**dict.fromkeys(Evaluation().study_settings))
for model in (PlainMLP(), XGBoost(**quick), LightGBM(**quick), BDT(**quick), PlainMLP(), XGBoost(**quick)):
    made = train(Mixture(events=3000), model, Trainer(epochs=2), alone)
    print(made.results.splits["test"].auc.value > 0.7)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert answer.stdout.split() == ["True"] * 6, answer.stderr
