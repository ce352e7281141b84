"""Hydra reads and merges configurations; it runs nothing, and the list of a sweep's jobs is that of its own sweeper."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from hepclf.cli.composition import is_sweep, parameters
from hepclf.cli.config import composed, composing, hydra_words, launch
from hepclf.cli.overrides import overrides
from hepclf.recipe import RecipeError


def jobs(*arguments, command="train"):
    with composing(command, arguments) as hydra:
        _, words = hydra_words(command, arguments)
        return hydra.jobs(words, parameters(hydra.sweep(words)))


def experiment(text, name="mine"):
    Path("lab/experiment").mkdir(parents=True, exist_ok=True)
    Path(f"lab/experiment/{name}.yaml").write_text(f"# @package _global_\n{text}\n")
    return ("--config-dir", "lab", f"experiment={name}")


@pytest.mark.parametrize(
    "words",
    [
        ["seed=1"],
        ["model=logistic,mlp", "data=gw", "seed=0,1,2"],
        ["seed=range(0,6,2)", "model=choice(bdt,mlp)", "trainer.epochs=sort(3,1,2)"],
        ["data.split.fold=0,1", "name='a,b'"],
    ],
)
def test_the_jobs_and_their_order_are_those_of_hydras_sweeper(words):
    _, typed = hydra_words("train", words)
    assert [list(job.words) for job in jobs(*words)] == BasicSweeper.split_arguments(overrides(typed), None)[0]


def test_a_job_knows_its_values_of_what_varies():
    assert [job.varied for job in jobs("model=logistic,mlp", "seed=3")] == [{"model": "logistic"}, {"model": "mlp"}]
    assert jobs("seed=3")[0].varied == {}


def test_a_pattern_of_choices_is_a_list():
    assert {job.varied["data"] for job in jobs("data=glob(h*)")} >= {"higgs", "higgsml", "hdf5"}


def test_a_list_in_a_job_keeps_the_null_before_it_and_of_a_key_the_last_list_counts():
    (job,) = jobs("data.features=[snr]", "seed=1")
    assert job.words == ("++data.features=null", "++data.features=[snr]", "++seed=1")
    assert [job.words for job in jobs("seed=1,2", "seed=3")] == [("++seed=3",)]


def test_an_interval_is_no_list():
    with pytest.raises(RecipeError, match=r"^seed must be a list of values in a sweep, as in seed=1,2,3"):
        jobs("seed=interval(0,1)")


def test_parameters_of_an_experiment_are_swept_and_what_is_typed_replaces_them():
    words = experiment("hydra: {sweeper: {params: {model: 'logistic,bdt', trainer.epochs: '1,2', seed: 4}}}")
    assert [job.varied for job in jobs(*words)] == [
        {"model": model, "trainer.epochs": epochs} for model in ("logistic", "bdt") for epochs in ("1", "2")
    ]
    assert [job.words[-1] for job in jobs(*words, "trainer.epochs=7")] == ["++trainer.epochs=7"] * 2
    found = []
    launch("train", ["-m", *words, "trainer.epochs=7"], found.append)
    assert [(job.choices["model"], job.values["seed"]) for job in found] == [("logistic", 4), ("bdt", 4)]


def test_a_parameter_of_an_experiment_that_is_1_or_0_is_no_truth_value():
    words = experiment("hydra: {sweeper: {params: {seed: 1, data.split.fold: 0}}}")
    assert {"++seed=1", "++data.split.fold=0"} <= set(jobs(*words)[0].words)


def test_hydras_own_state_is_known_to_interpolations():
    names = []
    words = ["-m", "name=${hydra:runtime.choices.model}", "model=logistic,bdt"]
    launch("train", words, lambda job: names.append(job.values["name"]))
    assert names == ["logistic", "bdt"]


@pytest.mark.parametrize("word", ["hydra/launcher=joblib", "hydra/sweeper=optuna", "+hydra/launcher=submitit_slurm"])
def test_another_launcher_is_refused_with_the_way_to_a_cluster(word, hepclf):
    code, _, err = hepclf("train", "-m", "seed=1,2", word)
    key, _, name = word.lstrip("+").partition("=")
    assert code == 2
    assert err.startswith(f"hepclf: {key} must be basic, not {name}; ")
    assert err.endswith("start hepclf train resume=DIR of one sweep in as many batch jobs as you like\n")


@pytest.mark.parametrize("is_installed", [True, False])
def test_another_launcher_in_a_file_is_refused_too(is_installed, hepclf):
    words = experiment("defaults: [{override /hydra/launcher: theirs}]")
    Path("lab/hydra/launcher").mkdir(parents=True)
    if is_installed:
        Path("lab/hydra/launcher/theirs.yaml").write_text("_target_: theirs.Launcher\n")
    code, _, err = hepclf("train", "-m", "seed=1,2", *words)
    assert code == 2
    assert err.startswith("hepclf: hydra/launcher must be basic, not theirs; hepclf trains the jobs of a sweep itself")


def test_a_file_may_not_turn_a_training_into_a_sweep(hepclf):
    code, _, err = hepclf("train", *experiment("hydra: {mode: MULTIRUN}"))
    assert (code, err) == (2, "hepclf: the configuration sets hydra.mode=MULTIRUN, which asks for a sweep; say -m\n")


@pytest.mark.parametrize(
    ("word", "advice"), [("hydra.sweep.dir=x", "say folder=DIR"), ("hydra.job.chdir=true", "leave")]
)
def test_what_hepclf_does_itself_is_not_set_through_hydra(word, advice, hepclf):
    code, _, err = hepclf("train", word)
    assert code == 2
    assert f"{word.split('=')[0]} must not be set" in err
    assert advice in err


def test_which_words_ask_for_a_sweep():
    assert is_sweep(["-m", "seed=1,2"])
    assert is_sweep(["seed=1,2", "hydra.mode=MULTIRUN"])
    assert not is_sweep(["seed=1,2"])  # Hydra then says how to quote the value
    assert not is_sweep(["-m", "--cfg", "job"])
    assert not is_sweep(["-m", "--cfg=job"])


@pytest.mark.parametrize(
    "words",
    [
        ["data=mixture", "model=mlp", "model.dropout=0.3", "trainer.batch=256", "model.hidden=[3,4]", "seed=3"],
        ["data.events=5", "data=mixture", "~evaluation.plots", "model=mlp", "model.l2=1"],
        ["trainer.epochs=3", "~trainer.epochs", "data=mixture", "seed=2"],
        ["data.features={a: 1}", "data=mixture", "+model.l9=3", "model.l2=1e-5", "~trainer._target_", "model.l9=4"],
        ["hydra.verbose=true", "model=mlp", "model.x='a b'", "model.y=null", "data.classes={s: {a: 1}}", "seed=1"],
        ["model=logistic", "model.l2=${trainer.batch}", "trainer.batch=3", "name=${hydra:job.override_dirname}"],
    ],
)
def test_a_configuration_is_the_same_whatever_was_composed_before_it(words):
    with composing("train", words) as hydra:
        _, typed = hydra_words("train", words)
        expected = compose("train", overrides=typed, return_hydra_config=True)
        for warm in (typed[:1], [*typed, "++trainer.batch=9"], typed):
            hydra.config(warm)
        assert OmegaConf.to_container(hydra.config(typed)) == OmegaConf.to_container(expected)


def test_jobs_that_choose_the_same_files_share_what_hydra_reads(monkeypatch):
    reads, compose_config = [], Hydra.compose_config
    monkeypatch.setattr(Hydra, "compose_config", lambda *words: (reads.append(words[2]), compose_config(*words))[1])
    launch("train", ["-m", "model=logistic,mlp", "trainer.batch=1,2,3", "model.l2=0,1"], id)
    assert reads[1:] == [["model=logistic"], ["model=mlp"]]  # the first one is that of the whole sweep


def test_a_list_without_the_flag_of_a_sweep_is_refused_in_settings_too():
    with composing("train", []) as hydra, pytest.raises(ConfigCompositionException, match="multirun"):
        hydra.config(["++trainer.batch=1,2"])


def test_hydra_is_left_as_it_was_found():
    from hydra.core.global_hydra import GlobalHydra

    with composing("train", ["seed=1"]) as hydra:
        assert composed(hydra.config(["++seed=1"])).values["seed"] == 1
        assert GlobalHydra.instance().is_initialized()
    assert not GlobalHydra.instance().is_initialized()
