"""What the pictures of a search show is what its trials say."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from hepclf.presentation.plots.picture import write_png
from hepclf.presentation.plots.search import choices, curves, front, history, importance, parallel, slices
from hepclf.presentation.plots.search.draw import draw_search
from hepclf.presentation.plots.search.table import Setting
from hepclf.presentation.plots.style import style

ALL = {"history", "learning_curves", "importance", "slices", "choices", "parallel"}


@pytest.fixture(autouse=True)
def _style():
    with style():
        yield


def only(pictures):
    (picture,) = pictures
    return picture


def drawn(folder):
    return set(json.loads((folder / "pictures.json").read_text()))


def test_the_best_so_far_never_gets_worse(goal):
    assert_array_equal(history.best_so_far(goal([np.nan, 0.5, 0.7, np.nan, 0.4])), [np.nan, 0.5, 0.5, 0.5, 0.4])
    assert_array_equal(history.best_so_far(goal([0.5, 0.7, 0.4], maximised=True)), [0.5, 0.7, 0.7])


def test_the_history_shows_each_objective_at_its_trial(table):
    trials = table()
    picture = only(history.pictures(trials, "t"))
    ax = picture.figure.axes[0]
    shown = {x: y for line in ax.containers for x, y in zip(*line[0].get_data(), strict=True)}
    inside = trials.goals[0].is_known & ~trials.goals[0].is_beyond
    assert shown == dict(zip(trials.numbers[inside], trials.goals[0].values[inside], strict=True))
    labels = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert {"complete", "pruned", "failed", "best", "defaults", "best so far"} <= set(labels)
    (series,) = picture.series
    assert_array_equal(series.columns["log_loss"], trials.goals[0].values)


@pytest.mark.parametrize("module", [history, slices, choices])
def test_numbers_that_differ_in_the_fifth_digit_are_written_in_full(table, goal, module):
    trials = table(states=["complete"] * 12)
    near = replace(trials, goals=(goal(0.594142 + 1e-6 * np.arange(12), error=1e-6),))
    figure = only(module.pictures(near, "t")).figure
    figure.canvas.draw()
    ax = figure.axes[0]
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert all(text.get_text().startswith("0.5941") for text in ax.get_yticklabels())


def test_importance_is_ordered_and_has_its_errors(table):
    picture = only(importance.pictures(table(), "t"))
    bars = [patch.get_width() for patch in picture.figure.axes[0].patches]
    assert bars == [0.5, 0.1, 0.0]
    assert [label.get_text() for label in picture.figure.axes[0].get_yticklabels()] == ["model", "rate", "depth"]
    assert "explain 60 % of the variance" in picture.caption
    nothing = {"log_loss": replace(table().importance["log_loss"], explained=-0.1)}
    assert "explain none" in only(importance.pictures(replace(table(), importance=nothing), "t")).caption


def test_slices_show_the_trials_that_have_the_setting(table):
    trials = table()
    picture = only(slices.pictures(trials, "t"))
    model, rate, depth = picture.figure.axes[:3]
    assert [ax.get_xlabel() for ax in (model, rate, depth)] == ["model", "rate", "depth"]
    assert rate.get_xscale() == "log"
    complete = trials.goals[0].is_known
    counts = [sum(len(points.get_offsets()) for points in ax.collections[:2]) for ax in (rate, depth)]
    assert counts == [complete.sum(), (complete & np.isfinite(trials.settings[2].values)).sum()]
    (series,) = picture.series
    assert list(series.columns["model"])[:2] == ["mlp", "a_rather_long_name_of_a_model"]


def test_heights_follow_the_scale_of_a_setting():
    rate = Setting(name="rate", values=np.array([1e-4, 1e-2, 1.0, np.nan]), low=1e-4, high=1.0, is_log=True)
    assert_allclose(parallel.heights(rate), [0, 0.5, 1, np.nan])
    model = Setting(name="model", values=np.array([0.0, 1.0, np.nan]), low=0, high=1, options=("a", "b"))
    assert_allclose(parallel.heights(model), [0.25, 0.75, np.nan])
    fixed = Setting(name="fixed", values=np.array([3.0, np.nan]), low=3, high=3)
    assert_allclose(parallel.heights(fixed), [0.5, np.nan])


def test_a_line_passes_below_the_axis_of_a_setting_that_is_not_there(table):
    trials = table()
    picture = only(parallel.pictures(trials, "t"))
    lines = picture.figure.axes[0].collections[0].get_segments()
    assert len(lines) == trials.goals[0].is_known.sum()
    depths = sorted({line[2, 1] for line in lines})
    assert depths == [parallel.NOWHERE, pytest.approx(1 / 8)]
    assert lines[-1][-1, 1] == max(line[-1, 1] for line in lines), "the best is drawn last, at the top"
    assert "passes below the axis" in picture.caption


def test_a_violin_needs_five_trials_and_the_median_is_theirs(table, goal):
    trials = table(count=9, states=["complete"] * 9)
    values = np.array([0.50, 0.3, 0.54, 0.31, 0.52, 0.32, 0.53, 0.33, 0.51])
    trials = replace(trials, goals=(goal(values),))
    ax = only(choices.pictures(trials, "t")).figure.axes[0]
    assert len(ax.collections) == 1, "five trials of the first option, four of the second"
    medians = [
        line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1 and len(line.get_ydata()) == 2
    ]
    assert medians == [0.52, pytest.approx(0.315)]
    assert [text.get_text() for text in ax.texts] == ["5", "4"]


def test_panels_of_choices_fill_the_picture(table, tmp_path):
    trials = table(count=9, states=["complete"] * 9)
    model = trials.settings[1]
    picture = only(choices.pictures(replace(trials, settings=(model, replace(model, name="b")), importance={}), "t"))
    write_png(picture.figure, tmp_path / "choices.png")
    assert not trials.goals[0].is_beyond.any(), "else nothing is tested"
    assert all(ax.get_position().width > 0.3 for ax in picture.figure.axes)


def test_one_diverged_trial_of_two_leaves_the_axis_of_losses_as_it_was(table):
    epochs = np.arange(1.0, 4.0)
    trials = table(2, states=["complete"] * 2, curves=((epochs, 1 / epochs), (epochs, 10.0 ** (5 * epochs))))
    low, high = only(curves.pictures(trials, "t")).figure.axes[0].get_ylim()
    assert low < 1 / 3
    assert 1 < high < 5


def test_trials_beyond_the_axis_are_named_below_the_violins(table, goal):
    trials = table(importance=False)
    assert choices.BEYOND not in only(choices.pictures(trials, "t")).caption
    far = replace(trials, goals=(goal([*np.linspace(0.2, 0.3, 11), 9.0]),), best=0)
    assert choices.BEYOND in only(choices.pictures(far, "t")).caption


def test_learning_curves_tell_states_apart_and_are_limited(table):
    picture = only(curves.pictures(table(), "t"))
    labels = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert labels == ["complete", "pruned", "failed", "best"]
    assert [name for name, _ in picture.series][3] == "trial 3, pruned"
    many = table(count=500)
    skipped = set(range(500)) - {int(name.split()[1].strip(",")) for name, _ in only(curves.pictures(many, "t")).series}
    many = replace(many, best=min(skipped))
    picture = only(curves.pictures(many, "t"))
    assert len(picture.series) == curves.MAX_CURVES
    assert f"trial {many.best}, complete" in [name for name, _ in picture.series]
    assert "Of 500 trials, 200 are drawn" in picture.caption


def test_a_loss_that_is_not_finite_ends_no_picture(table):
    trials = table()
    broken = (np.array([1.0, 2.0]), np.array([0.7, np.inf]))
    unseen = (np.array([1.0]), np.array([np.nan]))
    picture = only(curves.pictures(replace(trials, curves=(broken, unseen, *trials.curves[2:])), "t"))
    assert len(picture.series) == len(trials.numbers) - 1
    assert np.isfinite(picture.figure.axes[0].get_ylim()).all()


def test_the_front_joins_its_trials_in_steps_that_no_trial_passes(table, goal):
    x, y = np.array([0.6, 0.7, 0.8, 0.65]), np.array([30.0, 20.0, 10.0, 15.0])
    trials = table(count=4, states=["complete"] * 4, objectives=("auc", "rejection"))
    goals = goal(x, name="auc", maximised=True), goal(y, name="rejection", maximised=True)
    picture = only(front.pictures(replace(trials, goals=goals, front=(2, 1, 0)), "t"))
    ax = picture.figure.axes[0]
    step = next(line for line in ax.lines if line.get_drawstyle() == "steps-pre")
    assert_array_equal(step.get_xdata(), [0.6, 0.7, 0.8])
    assert_array_equal(step.get_ydata(), [30, 20, 10])
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]
    assert picture.series[0].columns["on_front"].tolist() == [1, 1, 1, 0]
    least = replace(trials, goals=(goal(x), goal(y)), front=(0, 3, 2))
    lines = only(front.pictures(least, "t")).figure.axes[0].lines
    assert "steps-post" in [line.get_drawstyle() for line in lines]


@pytest.mark.parametrize(
    ("states", "stems"),
    [
        (["complete"], {"history", "learning_curves"}),
        (["failed"] * 3, {"learning_curves"}),
        (["pruned"] * 3, {"learning_curves"}),
        (["running"], {"learning_curves"}),
        ([], set()),
        (["complete"] * 2, ALL - {"importance"}),
    ],
)
def test_a_study_has_the_pictures_that_its_trials_allow(table, states, stems, tmp_path, sketched):
    draw_search(table(count=len(states), states=states, importance=False), tmp_path)
    assert drawn(tmp_path) == stems


def test_each_objective_has_pictures_of_its_own(table, tmp_path, sketched):
    draw_search(table(objectives=("auc", "rejection"), front=(0,)), tmp_path)
    seconds = {f"{stem}_rejection" for stem in ALL - {"learning_curves"}}
    assert drawn(tmp_path) == ALL | seconds | {"front"}


def test_a_picture_that_is_no_longer_drawn_is_removed(table, tmp_path, sketched):
    draw_search(table(), tmp_path)
    draw_search(table(count=1), tmp_path)
    assert not (tmp_path / "slices.png").exists()
    assert (tmp_path / "history.png").exists()


def test_no_picture_is_cut_off_and_its_numbers_lie_beside_it(table, tmp_path):
    draw_search(table(), tmp_path, title="a $title of_ some length")
    assert drawn(tmp_path) == ALL
    for path in tmp_path.glob("*.png"):
        pixels = np.asarray(Image.open(path).convert("L"))
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (border == 255).all(), path.name
    rows = list(csv.DictReader((tmp_path / "numbers" / "slices.csv").read_text().splitlines()))
    assert [row["depth"] for row in rows[:2]] == ["", "3.0"]
    assert [row["model"] for row in rows[:2]] == ["mlp", "a_rather_long_name_of_a_model"]
