from __future__ import annotations

from pathlib import Path

import pytest

from hepclf.comparison.entry import ReportedSignificance, RunEntry
from hepclf.comparison.labels import group_labels, labels, sample_labels
from hepclf.run import Run


@pytest.fixture
def entry():
    """A function making an entry of a model with these settings."""

    def make(model="mlp", data="gw", folder="2026-01-01_00-00-00-0a1b2c3d", seed=0, **settings):
        config = {
            "data": {"seed": seed, "split": {"seed": seed, "fold": settings.pop("fold", None)}},
            "model": settings,
            "trainer": {"seed": seed},
        }
        return RunEntry(
            run=Run(Path(folder)),
            config=config,
            data=data,
            model=model,
            expected=ReportedSignificance(),
            device=None,
            training_s=None,
            scoring_s=None,
            tagger_bytes=None,
        )

    return make


def test_different_models_are_called_by_their_name_alone(entry):
    assert labels([entry("mlp", width=1), entry("bdt", width=2)]) == ["mlp", "bdt"]


def test_one_model_on_different_data_is_called_by_both(entry):
    assert labels([entry(data="gw"), entry(data="susy")]) == ["gw mlp", "susy mlp"]


def test_one_model_is_called_by_the_settings_that_differ(entry):
    found = labels([entry(hidden=[20, 10], epochs=3), entry(hidden=[5], epochs=3), entry("bdt", epochs=9)])
    assert found == ["mlp hidden=[20,10]", "mlp hidden=[5]", "bdt"]


def test_one_seed_is_said_once(entry):
    assert labels([entry(seed=1), entry(seed=2)]) == ["mlp seed=1", "mlp seed=2"]
    assert labels([entry(fold=0), entry(fold=1)]) == ["mlp fold=0", "mlp fold=1"]


def test_a_seed_of_the_data_that_is_not_that_of_the_training_is_said(entry):
    one, other = entry(seed=1), entry(seed=2)
    one.config["data"]["seed"] = 7
    assert labels([one, other]) == ["mlp data.seed=7 trainer.seed=1", "mlp data.seed=2 trainer.seed=2"]


def test_settings_too_long_to_read_give_way_to_the_end_of_the_folders_name(entry):
    one, other = (entry(folder=f"x-{tail}", inputs=["x" * 30 + tail + "x" * 30]) for tail in "ab")
    assert labels([one, other]) == ["mlp a", "mlp b"]


def test_a_long_setting_is_shortened_in_the_middle_where_its_ends_tell_it_apart(entry):
    found = labels([entry(inputs=["met", *"abcdefghijklmnop", end]) for end in ("jet_pt", "jet_eta")])
    assert found == ["mlp inputs=['met','a','…','jet_pt']", "mlp inputs=['met','a','…,'jet_eta']"]


def test_a_group_is_called_by_what_its_members_share(entry):
    narrow, wide = (
        [entry(hidden=width, seed=seed) for seed in (first, first + 1)] for width, first in ((5, 0), (9, 7))
    )
    assert group_labels([narrow, wide], lambda key: key.endswith("seed")) == ["mlp hidden=5", "mlp hidden=9"]
    assert group_labels([narrow], lambda key: key.endswith("seed")) == ["mlp"]


def test_a_set_of_test_events_is_called_by_the_settings_of_its_data(entry):
    first, second = ([entry(model, seed=seed) for model in ("mlp", "bdt")] for seed in (1, 2))
    assert sample_labels([first, second]) == ["seed=1", "seed=2"]
    assert sample_labels([[entry(fold=fold), entry("bdt", fold=fold)] for fold in (0, 3)]) == ["fold=0", "fold=3"]
    assert sample_labels([[entry(data="gw")], [entry(data="susy")]]) == ["gw", "susy"]
    assert sample_labels([[entry()], [entry()]]) == ["(1)", "(2)"], "files may have changed"
    assert sample_labels([[entry(), entry(seed=3)]]) == [""]


def test_runs_alike_in_all_are_called_by_their_folder_and_else_counted(entry):
    assert labels([entry(folder="d-1f"), entry(folder="d-2e")]) == ["mlp 1f", "mlp 2e"]
    assert labels([entry(folder="a/mine"), entry(folder="b/mine")]) == ["mlp mine (1)", "mlp mine (2)"]
