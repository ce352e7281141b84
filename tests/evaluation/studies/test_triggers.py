from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.triggers import DAY, Triggers, duration
from hepclf.presentation.plots.style import style
from hepclf.presentation.plots.triggers import pictures as triggers

OTHERS = {field.name: None for field in fields(Evaluation) if hasattr(getattr(Evaluation(), field.name), "study")}


def alone(**settings):
    """The settings with no study but those named."""
    return Evaluation(**(OTHERS | settings))


@pytest.fixture
def search(make_scored):
    """A function making triggers of two kinds of noise, and signals; a quarter of them is test."""

    def make(weights=None, **columns):
        rng = np.random.default_rng(0)
        processes = np.repeat([0, 1, 2], [2400, 800, 800])
        labels = (processes == 2).astype(int)
        made = {
            "weights": np.ones(4000) if weights is None else weights,
            "split": np.arange(4000) % 4 % 3,
            "spectators": {"event": np.arange(4000), "time": rng.random(4000)},
            "processes": processes,
            "process_names": ("noise", "glitch", "signal"),
        }
        return make_scored(labels, 1 / (1 + np.exp(-rng.normal(2 * labels))), **(made | columns))

    return make


def found(scored, inside=None, **settings):
    return evaluate(scored, alone(triggers=Triggers(**settings)), inside).studies.get("triggers")


def test_the_test_split_stands_for_its_share_of_the_live_time(search):
    of = found(search(), live_time_s=40 * DAY, false_alarms_per_day=(1.0,))
    assert of.live_time_s == pytest.approx(10 * DAY)
    assert of.quiet[0].louder == 9
    assert of.to_dict()["quiet"][0]["far_per_s"]["value"] == pytest.approx(1 / DAY)


def test_the_live_time_may_be_a_spectator_of_the_data(search):
    given = found(search(), live_time_s=1e6)
    named = found(search(spectators={"live_time_s": np.full(4000, 1e6)}))
    assert [each._asdict() for each in named.quiet] == [each._asdict() for each in given.quiet]
    assert named.loudest[0].spectators == {}
    with pytest.raises(ValueError, match=r"'live_time_s' must be one positive number.*, not 2\.0\.\.3998\.0; give"):
        found(search(spectators={"live_time_s": np.arange(4000.0)}))


def test_without_a_live_time_there_are_no_rates(search):
    assert found(search()) is None
    assert found(search(split=np.zeros(4000)), live_time_s=1.0) is None


def test_the_loudest_background_is_listed_with_what_is_known_of_it(search):
    scored = search()
    test = scored.of("test")
    inside = Inside(names=("snr",), read=lambda p: test.scores[p, None].astype(np.float32), ask=lambda f: f[:, 0])
    of = found(scored, inside, live_time_s=4e6, observed_s=1e3, loudest=5)
    background = np.flatnonzero(test.labels == 0)
    expected = background[np.argsort(-test.scores[background])][:5]
    assert [each.spectators["event"] for each in of.loudest] == test.spectators["event"][expected].tolist()
    for place, each in enumerate(of.loudest):
        assert each.score == test.scores[expected[place]] == pytest.approx(each.features["snr"], rel=1e-6)
        assert each.rate == pytest.approx((place + 1) / 1e6)
        assert each.probability == pytest.approx(1 - np.exp(-(place + 1) * 1e-3))
    plain = json.loads(json.dumps(of.to_dict()))
    assert plain["loudest"][0]["ifar_s"] == pytest.approx(1e6)
    assert set(plain["loudest"][0]) == {
        "score",
        "weight",
        "far_per_s",
        "ifar_s",
        "probability",
        "process",
        "spectators",
        "features",
    }


def test_background_that_ties_has_one_rate(search):
    scored = search()
    tied = np.where(scored.labels == 0, np.minimum(scored.scores, 0.6), scored.scores)
    of = found(_with(scored, tied), live_time_s=4e6)
    assert len({each.rate for each in of.loudest}) == 1
    count = (tied[(scored.labels == 0) & (scored.split == 2)] == 0.6).sum()
    assert of.loudest[0].rate == pytest.approx(count / 1e6)


def _with(scored, scores):
    return type(scored)(**{**vars(scored), "scores": scores})


def test_rates_that_the_live_time_is_too_short_for_are_said(search):
    of = found(search(), live_time_s=0.4 * DAY)
    assert of.sentences[-1] == (
        "False-alarm rates of 1 per day or less cannot be measured in a live time of 2.4 h on test; that needs 1 d or "
        "more."
    )
    assert of.to_dict()["quiet"][0]["signal_efficiency"] == {"value": None, "error": None}


def test_weights_that_cannot_be_scaled_give_a_reason(search):
    weights = np.ones(4000)
    weights[2400:3200:2] = -1  # the glitches of test cancel, not those of all splits
    weights[2400:3200][np.arange(2400, 3200) % 4 % 3 != 2] = 1
    weights[2400:3200][np.arange(2400, 3200) % 4 == 2] = np.tile([1.0, -1.0], 100)
    of = found(search(weights=weights), live_time_s=1e6)
    assert of.sentences[0].startswith("There are no false-alarm rates: process 'glitch' has weights that sum to ")
    assert of.tables == ()
    assert list(triggers(of, None, "")) == []


def test_the_tables_fit_a_terminal_of_80_columns(search):
    spectators = {f"spectator_{i}": np.arange(4000.0) for i in range(12)}
    for grid in found(search(spectators=spectators, weights=np.full(4000, 0.3)), live_time_s=4e6).tables:
        widths = [max(len(cell) for cell in column) for column in zip(grid.header, *grid.rows, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80
    assert "weight" in grid.header


def test_the_curve_is_drawn_with_the_best_possible_one(search):
    results = evaluate(search(spectators={"llr": np.zeros(4000)}), alone(triggers=Triggers(live_time_s=1e7)))
    with style():
        (picture,) = triggers(results.studies["triggers"], results, "title")
        picture.figure.canvas.draw()
    labels = picture.figure.axes[0].get_legend_handles_labels()[1]
    assert labels == ["test", "best possible", "quoted rates"]
    assert picture.series[0].columns["rate_per_s"][0] == pytest.approx(4e-7)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (90, "1.5 min"), (7200, "2 h"), (6 * DAY, "6 d"), (2 * 31_557_600, "2 yr")],
)
def test_a_duration_is_told_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"live_time_s": 0.0}, "live_time_s must be above 0, not 0"),
        ({"false_alarms_per_day": (1.0, -1.0)}, "false_alarms_per_day must be above 0, not -1"),
        ({"loudest": -1}, "loudest must be 0 events or more, not -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Triggers(**settings)
