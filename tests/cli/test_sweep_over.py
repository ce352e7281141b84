"""Choices of a sweep in a configuration file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hepclf.cli import configs
from hepclf.cli.config import composed, composing, hydra_words
from hepclf.cli.plan import plan
from hepclf.cli.sweep import planned
from hepclf.cli.sweep_over import with_flag
from hepclf.recipe import RecipeError


def experiment(text, name="mine"):
    Path("lab/experiment").mkdir(parents=True, exist_ok=True)
    Path(f"lab/experiment/{name}.yaml").write_text(f"# @package _global_\n{text}\n")
    return ("--config-dir", "lab", f"experiment={name}")


def jobs(*words):
    with composing("train", words) as hydra:
        return planned(hydra, words, writes=False)[0].jobs


def recipes(*words):
    """The recipes of each job."""
    with composing("train", words) as hydra:
        sweep = planned(hydra, words, writes=False)[0]
        return [plan(composed(hydra.config(job.words))).recipes for job in sweep.jobs]


def test_lists_and_named_choices_are_combined_and_the_file_starts_the_sweep():
    text = "sweep: {over: {seed: [0, 1], size: {small: {model: logistic}, large: {model: mlp, model.members: 4}}}}"
    words = with_flag(experiment(text))
    assert words[-1] == "-m"
    assert [job.varied for job in jobs(*words)] == [
        {"size": size, "seed": seed} for size in ("small", "large") for seed in ("0", "1")
    ]
    small, _, large, last = recipes(*words)
    assert type(small["model"]).__name__ == "Logistic"
    assert (large["model"].members, large["trainer"].seed, last["trainer"].seed) == (4, 0, 1)


def test_a_typed_list_replaces_the_one_in_the_file_and_a_typed_setting_counts():
    words = experiment("sweep: {over: {seed: [0, 1], size: {small: {trainer.batch: 32}, large: {trainer.batch: 64}}}}")
    assert [job.varied["seed"] for job in jobs(*words, "-m", "seed=5,6", "trainer.batch=8")] == ["5", "6"]


def test_a_value_of_any_kind_arrives():
    over = "{trainer.clip: [null, 0.5], model.hidden: [[8], [8, 8]], trainer.device: ['cpu']}"
    words = experiment(f"defaults:\n  - override /model: mlp_plain\nsweep: {{over: {over}}}")
    found = [(job["trainer"].clip, job["model"].hidden) for job in recipes(*words, "-m")]
    assert found == [(None, (8,)), (None, (8, 8)), (0.5, (8,)), (0.5, (8, 8))]


@pytest.mark.parametrize("over", ["[a, b]", "{seed: 3}", "{size: {small: 3}}"])
def test_what_is_neither_a_list_nor_named_choices_is_refused(over):
    with pytest.raises(RecipeError, match=r"^sweep\.over.* must be a"):
        jobs(*with_flag(experiment(f"sweep: {{over: {over}}}")))


@pytest.mark.parametrize("words", [["seed=1"], ["experiment=gw_blog"], ["experiment=mixture_losses", "--cfg", "job"]])
def test_a_command_without_choices_stays_as_it_is(words):
    assert with_flag(words) == words


FILES = {"susy_lecture": ["data.files=SUSY.csv"]}  # of experiments whose data have to be fetched


@pytest.mark.parametrize("name", configs.choices("experiment"))
def test_every_experiment_composes(name):
    words = with_flag([f"experiment={name}", *FILES.get(name, [])])
    if words[-1] == "-m":
        assert len(recipes(*words)) > 1
        return
    with composing("train", words) as hydra:
        plan(composed(hydra.config(hydra_words("train", words)[1])))


def test_the_rules_for_negative_weights_are_compared_by_the_command_of_their_page():
    page = (Path(__file__).parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\$ hepclf train (.* -m .*)$", page, re.MULTILINE)
    Path("lab/data").mkdir(parents=True)
    Path("lab/data/mine.yaml").write_text("defaults: [mixture]\n")
    assert [job.varied["trainer.negative_weights"] for job in jobs(*command.split())] == ["zero", "abs", "keep"]
