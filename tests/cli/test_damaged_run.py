"""A stored configuration that lost a part: no command puts a default in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

RUN = ["train again=run folder=other", "evaluate run=run", "predict run=run files=x.csv", "export run=run format=cpp"]


@pytest.fixture
def damage(mixture_run):
    """Writes the configuration of run/ without a group or a key of it, and returns its settings."""

    def write(path, *places):
        config = yaml.safe_load(Path("run/config.yaml").read_text())
        *groups, last = places
        holder = config
        for group in groups:
            holder = holder[group]
        del holder[last]
        path.write_text(yaml.safe_dump(config))

    return write


@pytest.mark.parametrize("command", RUN)
@pytest.mark.parametrize("place", [("data",), ("names", "model"), ("data", "_target_")])
def test_a_run_whose_configuration_lost_a_part_is_refused(hepclf, damage, command, place):
    damage(Path("run/config.yaml"), *place)
    Path("x.csv").write_text("x0,x1\n1,2\n")
    code, _, err = hepclf(*command.split())
    assert code == 1
    assert len(err.splitlines()) == 1
    assert f"run/config.yaml must name {'.'.join(place) if len(place) > 1 else 'data._target_'}" in err
    assert not Path("other").exists()


@pytest.mark.parametrize("group", ["data", "model", "trainer", "evaluation", "names"])
def test_best_settings_that_lost_a_group_are_refused(hepclf, damage, group):
    damage(Path("best.yaml"), group)
    code, _, err = hepclf("train", "again=best.yaml", "folder=other")
    assert (code, len(err.splitlines())) == (1, 1)
    assert f"best.yaml must name {group}." in err
    assert not Path("other").exists()


def test_an_evaluation_is_no_run_to_train_again(hepclf, mixture_run):
    assert hepclf("evaluate", "run=run", "out=evaluated", "evaluation.plots=false")[0] == 0
    code, _, err = hepclf("train", "again=evaluated", "folder=other")
    assert code == 1
    assert "evaluated/config.yaml must name data._target_" in err
