"""A configuration file of a user or a stranger sets hepclf's own keys; it runs nothing, and it is read in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra._internal.sources_registry import SourcesRegistry

from hepclf.cli.checked_files import refuse_packages
from hepclf.cli.config import composing, hydra_words
from hepclf.files import holds_aliases
from hepclf.recipe import RecipeError

LAB = ("--config-dir", "lab", "experiment=mine")
GLOBAL = "# @package _global_\n"
BOMB = GLOBAL + "a0: &a0 [1, 2, 3]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]\n" for i in range(1, 20))


def lab(**files):
    for name, text in files.items():
        path = Path("lab") / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def refusal(*words):
    """Why the words of a training are refused when they are composed."""
    with composing("train", words) as hydra, pytest.raises(RecipeError) as caught:
        hydra.config(hydra_words("train", words)[1])
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("job: {env_set: {PATH: /tmp}}", "hydra.job.env_set.PATH"),
        ("callbacks: {a: {_target_: os.system}}", "hydra.callbacks.a._target_"),
        ("searchpath: [elsewhere]", "hydra.searchpath"),
        ("sweeper: {params: {seed: 1}, _target_: os.system}", "hydra.sweeper._target_"),
        ("sweeper: ${other}", "hydra.sweeper"),
    ],
)
def test_a_file_sets_of_hydras_own_settings_only_a_few(setting, key):
    lab(experiment__mine=f"{GLOBAL}hydra:\n  {setting}\n")
    assert refusal(*LAB) == (
        f"{key} must not be set in {Path('lab/experiment/mine.yaml').resolve()}; of Hydra's own settings a file "
        "may hold hydra.mode, hydra.verbose, hydra.sweeper.params"
    )


@pytest.mark.parametrize("flags", [(), ("-m",), ("--cfg", "job"), ("--info", "all"), ("--hydra-help",)])
def test_nothing_is_printed_or_trained_before_the_check(flags, hepclf):
    lab(experiment__mine=f"{GLOBAL}hydra: {{hydra_logging: {{version: 1}}}}\n")
    code, out, err = hepclf("train", *flags, *LAB)
    assert (code, out) == (2, "")
    assert err.startswith("hepclf: hydra.hydra_logging.version must not be set in ")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    "files",
    [
        {"experiment__mine": "# @package hydra.job\nenv_set: {PATH: /tmp}\n"},
        {"experiment__mine": f"{GLOBAL}defaults: [/parts@hydra.job: x]\n", "parts__x": "env_set: {PATH: /tmp}\n"},
        {"experiment__mine": f"{GLOBAL}defaults: [/hydra/job: x]\n", "hydra__job__x": "env_set: {PATH: /tmp}\n"},
    ],
)
def test_no_package_leads_into_hydras_own_settings(files):
    lab(**files)
    path = Path("lab", f"{list(files)[-1].replace('__', '/')}.yaml").resolve()
    assert refusal(*LAB).startswith(f"{path} must be a configuration of hepclf, not of hydra.job; ")


def test_a_package_in_brackets_is_hydras_too():
    class Default:
        config_path, package = "parts/x", "[hydra].job"

    with pytest.raises(RecipeError, match=r"^lab/parts/x\.yaml must be"):
        refuse_packages([Default()], {"parts/x": Path("lab/parts/x.yaml")})


@pytest.mark.parametrize("name", ["experiment__mine", "model__deep", "parts__x"])
def test_a_file_with_aliases_is_refused_in_time_wherever_hydra_reads_it(name):
    lab(experiment__mine=f"{GLOBAL}defaults: [/parts: x, override /model: deep]\n", parts__x="{}\n", model__deep="{}\n")
    lab(**{name: BOMB})
    path = Path("lab", f"{name.replace('__', '/')}.yaml").resolve()
    assert refusal(*LAB).startswith(f"{path} must not hold aliases such as *name")


@pytest.mark.parametrize("value", ["!!bool x", "!!int x", "!!float x", "!!timestamp x"])
def test_a_value_that_does_not_fit_its_tag_is_refused_with_its_file(value):
    lab(experiment__mine=f"{GLOBAL}seed: {value}\n")
    assert refusal(*LAB).startswith(f"{Path('lab/experiment/mine.yaml').resolve()} must hold values that fit their ")


def test_a_file_behind_the_search_path_is_checked_too():
    lab(experiment__mine=BOMB)
    assert "must not hold aliases" in refusal("hydra.searchpath=[lab]", "experiment=mine")


def test_hydras_flags_of_printing_start_nothing_alone(hepclf):
    lab(experiment__mine=f"{GLOBAL}seed: 3\n")
    code, _, err = hepclf("train", "-p", "trainer", *LAB)
    assert (code, err) == (2, "hepclf: --package and --resolve change what --cfg prints; say --cfg job beside them\n")


@pytest.mark.parametrize("key", ["hydra.searchpath", "+hydra/launcher"])
def test_the_lists_of_a_sweep_in_a_file_name_no_setting_of_hydra(key):
    with composing("train", []) as hydra, pytest.raises(RecipeError) as caught:
        hydra.jobs([], {key: "a"})
    assert str(caught.value) == f"hydra.sweeper.params must name settings of hepclf, not {key}; leave it out"


def test_words_of_a_stored_sweep_follow_the_same_rule():
    with composing("train", []) as hydra, pytest.raises(RecipeError, match=r"^hydra\.job\.chdir must not be set"):
        hydra.config(["++hydra.job.chdir=true"])


def test_a_star_that_is_no_alias_is_a_value():
    assert not holds_aliases(b"files: 'a*.root'\nother: a*b # *x\n")
    assert not holds_aliases(b"files: *[\n")
    assert holds_aliases(b"a: &a 1\nb: *a\n")


def test_hydra_reads_files_its_own_way_again_afterwards():
    with composing("train", []):
        assert SourcesRegistry.instance().types["file"].__name__ == "CheckedFiles"
    assert SourcesRegistry.instance().types["file"].__name__ == "FileConfigSource"
