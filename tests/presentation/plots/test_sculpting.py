from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.presentation.plots.sculpting import pictures as sculpting
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored


@pytest.fixture
def drawn():
    """A function drawing the sculpting of 4,000 events in a mass: stem to picture."""

    def draw(follows=3.0, name="mass", **settings):
        rng = np.random.default_rng(2)
        labels, mass = np.arange(4000) % 2, rng.exponential(1, 4000)
        scores = 1 / (1 + np.exp(-rng.normal(labels + follows * mass)))
        scored = Scored(labels=labels, scores=scores, spectators={name: mass})
        results = evaluate(scored, Evaluation(sculpting=Sculpting(spectators=(name,), **settings)))
        with style():
            pictures = list(sculpting(results.studies["sculpting"], results, "a title"))
        return {picture.stem: picture for picture in pictures}

    return draw


def test_shapes_have_a_ratio_panel_and_the_numbers_that_they_show(drawn):
    picture = drawn()["sculpting_1_mass"]
    top, bottom = picture.figure.axes
    assert bottom.get_xlabel() == "mass"
    assert bottom.get_ylabel() == "ratio to all"
    assert [text.get_text() for text in top.get_legend().get_texts()][:2] == ["all background", "$\\epsilon_s$ = 30 %"]
    columns = picture.series[0].columns
    assert {"low", "high", "before", "before_error", "kept_0.5", "kept_0.5_error"} <= set(columns)
    assert len({len(column) for column in columns.values()}) == 1


def test_the_divergence_is_drawn_against_the_rejection(drawn):
    picture = drawn()["sculpting_1_mass_jsd"]
    (ax,) = picture.figure.axes
    assert ax.get_xscale() == ax.get_yscale() == "log"
    columns = picture.series[0].columns
    assert (columns["lowest"] <= columns["inverse_jsd"]).all()
    assert (columns["inverse_jsd"] <= columns["highest"]).all()


def test_too_few_events_leave_the_shapes_alone(drawn):
    assert list(drawn(bins=200)) == ["sculpting_1_mass"]


def test_any_name_makes_a_file(drawn):
    assert "sculpting_1_m_jj_GeV" in drawn(name="../m_{jj} [GeV]")
