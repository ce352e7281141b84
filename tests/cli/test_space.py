"""Hydra's grammar as a space of a search."""

from __future__ import annotations

import pytest

from hepclf.cli import configs
from hepclf.cli.space import divided, parameter, ready, space
from hepclf.cli.trial_jobs import trial_jobs
from hepclf.recipe import RecipeError
from hepclf.search.space import Choice, Float, Integer, Space
from hepclf.search.tuning import Tuning

READY = sorted(path.stem for path in (configs.folder() / "space").glob("*.yaml"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("interval(0,0.5)", Float(name="model.x", low=0.0, high=0.5)),
        ("interval(1,10)", Float(name="model.x", low=1.0, high=10.0)),
        ("tag(log,interval(1e-4,1e-1))", Float(name="model.x", low=1e-4, high=1e-1, log=True)),
        ("int(interval(1,10))", Integer(name="model.x", low=1, high=10)),
        ("tag(log,int(interval(1,100)))", Integer(name="model.x", low=1, high=100, log=True)),
        ("range(256,2049,256)", Integer(name="model.x", low=256, high=2048, step=256)),
        ("range(1,4)", Integer(name="model.x", low=1, high=3)),
        ("range(0.1,0.35,0.1)", Choice(name="model.x", options=(0.1, 0.2, 0.30000000000000004))),
        ("choice(4,8,16)", Choice(name="model.x", options=(4, 8, 16))),
        ("1,2,3", Choice(name="model.x", options=(1, 2, 3))),
        ("relu,null", Choice(name="model.x", options=("relu", None))),
        ("choice([64],[64,64])", Choice(name="model.x", options=([64], [64, 64]))),
        ("'a b',c", Choice(name="model.x", options=("a b", "c"))),
    ],
)
def test_what_is_typed_becomes_a_parameter(value, expected):
    assert parameter(f"model.x={value}") == expected


def test_words_that_vary_are_told_from_those_that_do_not():
    words = ["data=susy", "model.hidden=[1,2]", "trainer.batch=1,2", "--config-dir=x", "model=choice(mlp,bdt)"]
    assert divided(words) == (["data=susy", "model.hidden=[1,2]", "--config-dir=x"], ["trainer.batch=1,2", words[-1]])


@pytest.mark.parametrize("value", ["tag(lg,interval(0.1,1))", "tag(lg,range(1,5))", "tag(log,lg,interval(0.1,1))"])
def test_a_misspelt_tag_is_refused(value):
    with pytest.raises(RecipeError, match=r"model.x has the tag 'lg', which means nothing here; nearest: 'log'"):
        parameter(f"model.x={value}")


@pytest.mark.parametrize("key", ["seed", "trainer.seed", "data.split.valid", "evaluation.signal", "tune.trials"])
def test_what_would_change_the_terms_of_the_comparison_cannot_be_searched(key):
    with pytest.raises(RecipeError, match=f"{key} cannot be searched"):
        parameter(f"{key}=1,2")


@pytest.mark.parametrize("objective", ["log_loss", ["auc", "log_loss"]])
def test_the_weights_of_the_loss_cannot_be_searched_where_the_loss_is_the_objective(objective):
    searched = Space((parameter("trainer.balance=none,classes"),))
    with pytest.raises(RecipeError, match=r"trainer\.balance decides the weights in the log-loss"):
        Tuning(objective=objective if isinstance(objective, str) else tuple(objective)).check(searched)
    Tuning(objective="auc").check(searched)


def jobs_of(*models):
    with trial_jobs(["data=mixture"]) as jobs:
        return {model: jobs.job({"model": model}) for model in models}


@pytest.mark.parametrize("name", READY)
def test_a_ready_space_names_settings_that_there_are_and_each_corner_is_built(name):
    text = (configs.folder() / "space" / f"{name}.yaml").read_text()
    assert all("  # " in line for line in text.splitlines()[1:])
    found = space([], name, jobs_of(name), ())
    assert len(found) >= 4
    with trial_jobs(["data=mixture", f"model={name}"]) as jobs:
        assert all(jobs.job(found.settings(corner)) for corner in found.corners())


def test_typed_parameters_replace_those_of_a_file_and_stand_alone_without_one():
    jobs = jobs_of("mlp")
    words = ["model.dropout=interval(0.2,0.3)"]
    assert [item.name for item in space(words, "auto", jobs, ()).parameters] == ["model.dropout"]
    joined = space(words, "mlp", jobs, ())
    assert joined.parameters[0] == Float(name="model.dropout", low=0.2, high=0.3)
    assert len(joined) == len(ready("mlp", ()))


def test_settings_of_one_model_depend_on_its_choice():
    words = ["model=choice(mlp,bdt)", "model.dropout=interval(0,0.5)", "model.l2=interval(0,1)", "trainer.batch=64,128"]
    found = {item.name: item.where for item in space(words, "auto", jobs_of("mlp", "bdt"), ()).parameters}
    assert found == {
        "model": {},
        "model.dropout": {"model": ("mlp",)},
        "model.l2": {},
        "trainer.batch": {"model": ("mlp",)},
    }


def test_the_ready_spaces_of_several_models_are_joined():
    found = space(["model=choice(xgboost,lightgbm)"], "auto", jobs_of("xgboost", "lightgbm"), ())
    where = {item.name: (item.key, item.where) for item in found.parameters}
    assert where["model.learning_rate"] == ("model.learning_rate", {"model": ("xgboost", "lightgbm")})
    assert where["model.leaves"] == ("model.leaves", {"model": ("lightgbm",)})
    assert where["model.l2@xgboost"] == ("model.l2", {"model": ("xgboost",)})
    assert where["model.l2@lightgbm"] == ("model.l2", {"model": ("lightgbm",)})


def test_a_model_without_a_ready_space_is_told_what_to_say():
    with pytest.raises(RecipeError, match=r"there is no space 'svm'.*say what to vary, as in"):
        space([], "auto", jobs_of("svm"), ())


def test_a_setting_of_the_trainer_that_no_model_uses_is_refused():
    with pytest.raises(RecipeError, match=r"trainer.momentum has no effect with model=bdt; leave it out"):
        space(["trainer.momentum=interval(0,0.9)"], "auto", jobs_of("bdt"), ())


def test_a_misspelt_setting_of_the_trainer_is_told_from_one_without_effect():
    with pytest.raises(
        RecipeError, match=r"trainer.lerning_rate is not a setting of the trainer; nearest: 'learning_r"
    ):
        space(["trainer.lerning_rate=interval(0,1)"], "auto", jobs_of("logistic"), ())


def test_a_space_of_ones_own_lies_in_a_folder_of_ones_own(tmp_path):
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "mine.yaml").write_text("# mine\nmodel.l2: interval(0,1)\n")
    assert space([], "mine", jobs_of("mlp"), [tmp_path]).parameters == (Float(name="model.l2", low=0.0, high=1.0),)
    with pytest.raises(RecipeError, match="there is no space 'mien'; nearest: 'mine'"):
        ready("mien", [tmp_path])
