"""What a command line composes: words for Hydra, and one value for the task."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from hepclf.cli.config import FIXED_OVERRIDES, Composed, hydra_arguments, launch, put
from hepclf.recipe import RecipeError

GW = "hepclf.data.gw.GW"
CSV = "hepclf.data.csv.CSV"
TRAINER = "hepclf.training.trainer.Trainer"


def composed(config, *overrides, **choices):
    return Composed(OmegaConf.create(config), overrides, choices)


def words(*arguments, command="train"):
    """The words for Hydra without those that are always there."""
    return [word for word in hydra_arguments(command, arguments) if word not in FIXED_OVERRIDES]


def test_flags_come_first_and_a_setting_may_name_any_key():
    assert words("model=bdt", "seed=3", "-m", "trainer.batch=1", "--config-dir", "mine") == [
        "-m",
        "--config-dir",
        "mine",
        "model=bdt",
        "++seed=3",
        "++trainer.batch=1",
    ]


def test_what_hepclf_does_itself_comes_before_what_is_typed():
    arguments = hydra_arguments("train", ["-m", "hydra.sweep.dir=mine"])
    assert arguments == ["-m", *FIXED_OVERRIDES, "hydra.sweep.dir=mine"]


@pytest.mark.parametrize("word", ["hydra.run.dir=x", "data@observed=csv", "~model.members", "+extra=1", "++extra=1"])
def test_overrides_of_hydras_own_kinds_are_left_as_they_are(word):
    assert words(word) == [word]


@pytest.mark.parametrize("value", ["{a: 1}", "[1,2]"])
def test_a_mapping_or_list_comes_after_a_null_as_hydra_would_merge_it(value):
    assert words(f"data.classes={value}") == ["++data.classes=null", f"++data.classes={value}"]


@pytest.mark.parametrize(
    ("command", "word", "message"),
    [
        ("train", "--epochs", "--epochs is not a flag of hepclf; there are: .*; say epochs=\\.\\.\\.$"),
        ("train", "--seed=3", "--seed=3 is not a flag of hepclf; there are: .*; say seed=3$"),
        ("train", "-x", "-x is not a flag of hepclf; there are: [^;]*$"),
        ("train", "bdt", "'bdt' is not key=value$"),
        ("evaluate", "runs/latest", "'runs/latest' is not key=value; say run=runs/latest$"),
        ("predict", "a.root", "'a.root' is not key=value; say files=a.root$"),
        (
            "train",
            "model=my/model/x.yaml",
            "model=my/model/x.yaml names a file; put it below a folder of yours named model/ and say "
            "--config-dir my model=x$",
        ),
    ],
)
def test_a_word_that_is_no_override_is_refused_with_the_way_out(command, word, message):
    with pytest.raises(RecipeError, match=f"^{message}"):
        hydra_arguments(command, [word])


def test_a_value_is_put_at_a_dotted_path_and_beside_what_is_there():
    values = {"a": {"b": 1}, "c": None}
    for path, value in (("a.d", 2), ("c.e.f", 3), ("g", 4)):
        put(values, path, value)
    assert values == {"a": {"b": 1, "d": 2}, "c": {"e": {"f": 3}}, "g": 4}


def test_values_are_plain_and_resolved_and_what_must_be_given_is_named():
    config = composed({"seed": 3, "trainer": {"seed": "${seed}"}, "run": "???"})
    assert config.values == {"seed": 3, "trainer": {"seed": 3}, "run": "???"}
    assert type(config.values["trainer"]) is dict


def test_a_mapping_on_the_command_line_replaces_the_configured_one():
    merged = {"data": {"classes": {"s": 1, "b": 0, "tau": 1}, "tree": "t"}}
    config = composed(merged, "++data.classes=null", "++data.classes={tau: 1, 5: 0}")
    assert config.values == {"data": {"classes": {"tau": 1, "5": 0}, "tree": "t"}}


def test_changing_the_values_does_not_change_the_configuration():
    config = composed({"trainer": {"seed": 0}})
    put(config.values, "trainer.seed", 1)
    assert config.values == {"trainer": {"seed": 0}}


def test_the_keys_and_groups_that_are_typed_with_their_values():
    config = composed(
        {}, "++seed=3", "model=bdt", "~trainer", "data@observed=csv", "+data.x='a=b'", "++name={a: [1, b]}"
    )
    assert config.typed == {
        "seed": 3,
        "model": "bdt",
        "trainer": None,
        "data@observed": "csv",
        "data.x": "a=b",
        "name": {"a": [1, "b"]},
    }
    assert config.named_groups == {"model", "trainer"}


def test_a_group_without_a_choice_has_no_name():
    config = composed({}, data="gw", model=None)
    assert config.chosen("data", "model", "trainer") == {"data": "gw"}


def test_stored_settings_are_changed_by_the_settings_typed_for_their_group_alone():
    stored = {"_target_": TRAINER, "epochs": 5, "old": {"a": 1, "b": 2}}
    config = composed({}, "++trainer.epochs=7", "++model.epochs=9", "++trainers.x=1", "++trainer.old.a=[1]")
    expected = {"_target_": TRAINER, "epochs": 7, "old": {"a": [1], "b": 2}}
    assert config.changed("trainer", {"epochs": 1}, stored) == expected
    assert stored == {"_target_": TRAINER, "epochs": 5, "old": {"a": 1, "b": 2}}


def test_a_choice_of_the_group_replaces_all_stored_settings():
    config = composed({}, "trainer=slow", "++trainer.epochs=7")
    assert config.changed("trainer", {"_target_": TRAINER, "epochs": 7}, {"batch": 64}) == {
        "_target_": TRAINER,
        "epochs": 7,
    }


def test_a_stored_former_name_becomes_the_present_one_before_the_changes():
    stored = {"_target_": CSV, "rows": 5, "path": "a.csv"}
    present = {"_target_": CSV, "max_events": 5, "path": "a.csv"}
    assert composed({}).changed("data", {}, stored) == present
    assert composed({}, "++data.max_events=9").changed("data", {}, stored) == {**present, "max_events": 9}


def test_a_former_name_that_is_typed_is_refused():
    settings = {"_target_": CSV, "rows": 5}
    with pytest.raises(RecipeError, match=r"^data\.rows is called data\.max_events now"):
        composed({}, "++data.rows=5").recipe(settings, "data")


@pytest.mark.parametrize("stored", [None, "text", []])
def test_without_stored_settings_there_are_those_of_the_command(stored):
    assert composed({}).changed("trainer", {"epochs": 1}, stored) == {"epochs": 1}


def test_the_task_gets_what_the_command_line_says():
    jobs = []
    launch("inspect", ["data=gw", "seed=7"], jobs.append)
    (job,) = jobs
    assert (job.values["seed"], job.values["data"]["_target_"], job.chosen("data")) == (7, GW, {"data": "gw"})
    assert {"data", "seed"} <= job.typed.keys()
    assert job.named_groups == {"data"}
    assert job.recipe(job.values["data"], "data", seed=7).seed == 7


def test_each_job_of_a_sweep_has_its_own_values():
    jobs = []
    launch("inspect", ["data=gw", "seed=1,2", "-m"], jobs.append)
    assert [job.values["seed"] for job in jobs] == [1, 2]
    assert ["++seed=1" in job.overrides for job in jobs] == [True, False]


def test_the_error_of_a_task_is_raised_as_it_is():
    error = KeyError("mine")

    def task(_):
        raise error

    with pytest.raises(KeyError) as caught:
        launch("inspect", ["data=gw"], task)
    assert caught.value is error
