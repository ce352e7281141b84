"""The jobs of a study: the settings of a trial stand behind the words that all share, with their values unchanged."""

from __future__ import annotations

import pytest

from hepclf.cli.trial_jobs import trial_jobs


@pytest.mark.parametrize(
    "value",
    [
        3,
        -1,
        0.1,
        1e-5,
        True,
        None,
        "relu",
        "a b",
        'say "x"',
        "a\\b",
        "a,b",
        "null",
        "1e3",
        [64, 64],
        ["a", None],
        [[1]],
    ],
)
def test_a_value_comes_back_as_it_is(value):
    with trial_jobs(["data=mixture", "model.x=[1,2]"]) as jobs:
        assert jobs.composed({"model.x": value}).values["model"]["x"] == value


def test_a_trial_replaces_shared_words_and_leaves_those_of_the_next_one_alone():
    with trial_jobs(["data=mixture", "model=logistic", "trainer.batch=64"]) as jobs:
        first = jobs.job({"model": "mlp", "trainer.batch": 128, "model.hidden": [8]})
        second = jobs.job({})
    assert (first.names["model"], first.trainer.batch, first.model.hidden) == ("mlp", 128, (8,))
    assert (second.names["model"], second.trainer.batch) == ("logistic", 64)
    assert first.data == second.data
