from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.scored import Scored

EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.fixture
def scored():
    """A function making scores of 8,000 test events that follow a mass, or do not."""

    def make(follows, weights=None):
        rng = np.random.default_rng(2)
        n = 8000
        labels, mass = np.arange(n) % 2, rng.random(n)
        mixed = rng.normal(labels, 1) + (3 * mass if follows else 0)
        return Scored(
            labels=labels,
            scores=1 / (1 + np.exp(-mixed)),
            weights=None if weights is None else weights(rng, n),
            spectators={"mass": mass, "region": np.where(mass > 0.5, "high", "low")},
        )

    return make


def sculpted(scored, **settings):
    return evaluate(scored, Evaluation(sculpting=Sculpting(**settings))).studies["sculpting"]


def checked(scored, settings):
    evaluation = Evaluation(sculpting=Sculpting(**settings))
    evaluation.check(scored.classes, scored.process_names, tuple(scored.spectators), ())
    return evaluate(scored, evaluation)


def heavy(rng, n):
    return rng.lognormal(0, 0.5, n) * np.where(rng.random(n) < 0.1, -1, 1)


@pytest.mark.parametrize("weights", [None, heavy])
def test_each_working_point_compares_what_it_keeps_with_what_it_removes(scored, weights):
    events = scored(True, weights)
    shape = sculpted(events, edges={"mass": EDGES}).spectators["mass"]
    background, mass = events.labels == 0, events.spectators["mass"]
    for point in shape.points:
        above = events.scores >= point.working_point.threshold
        kept, removed = (
            np.histogram(mass[background & side], EDGES, weights=events.weights[background & side])[0]
            for side in (above, ~above)
        )
        assert point.passing.sums == pytest.approx(kept)
        oracle = jensenshannon(kept, removed, base=2) ** 2
        assert point.divergence.bits.value + point.divergence.bias == pytest.approx(oracle, rel=1e-9)
    assert shape.before.sums == pytest.approx(
        np.histogram(mass[background], EDGES, weights=events.weights[background])[0]
    )


def test_scores_that_follow_the_mass_sculpt_it_and_others_do_not(scored):
    follows, apart = (sculpted(scored(which), spectators=("mass",)) for which in (True, False))
    claim = "that a cut at a signal efficiency of 0.50 sculpts the background in mass (p"
    assert follows.sentences[0].startswith(f"A clear sign {claim}")
    assert apart.sentences[0].startswith(f"No sign {claim}")
    assert [each.to_dict()["mass"]["evidence"]["answer"] for each in (follows, apart)] == ["clear", "none"]
    assert follows.spectators["mass"].middle.divergence.bits.value > 0.1
    bits = apart.spectators["mass"].middle.divergence.bits
    assert abs(bits.value) < 3 * bits.error
    assert "> " in apart.tables[0].rows[1][3]


def test_it_is_not_made_unless_a_spectator_is_named(scored):
    assert "sculpting" not in evaluate(scored(True)).studies
    assert "sculpting" not in evaluate(scored(True), Evaluation(sculpting=None)).studies


def test_metrics_hold_plain_numbers_and_reasons(scored):
    found = sculpted(scored(True), spectators=("mass",), bins=200).to_dict()["mass"]
    assert json.loads(json.dumps(found)) == found
    tight = found["working_points"][0]
    assert tight["jsd_bits"] == {"value": None, "error": None}
    assert "is under 10 for each of 200 bins" in tight["reason"]


def test_events_outside_the_edges_or_without_a_mass_are_counted(scored):
    events = scored(True)
    shape = sculpted(events, edges={"mass": (0.25, 0.5, 0.75)}).spectators["mass"]
    mass = events.spectators["mass"][events.labels == 0]
    assert shape.outside == int(((mass < 0.25) | (mass > 0.75)).sum())
    assert (
        f"{shape.outside:,} background events are in no bin of mass."
        in sculpted(events, edges={"mass": (0.25, 0.5, 0.75)}).sentences
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"spectators": ("mas",)},
            "evaluation.sculpting: 'mas' is no spectator of the data; nearest: 'mass'",
        ),
        ({"spectators": ("region",)}, "spectator 'region' must be numbers for evaluation.sculpting, not text"),
        ({"bins": 1}, "bins must be 2..200, not 1"),
        ({"edges": {"mass": (0.0, 1.0)}}, "edges.mass must be three rising numbers or more"),
        ({"edges": {"mass": (0.0, 2.0, 1.0)}}, "edges.mass must be three rising numbers or more"),
    ],
)
def test_mistakes_are_one_line(scored, settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        checked(scored(True), settings)
    assert "\n" not in str(caught.value)


def test_a_rejection_without_background_left_has_a_limit():
    labels = np.arange(200) % 2
    scored = Scored(labels=labels, scores=np.where(labels, 0.9, 0.1), spectators={"mass": np.arange(200.0)})
    studied = evaluate(scored, Evaluation(sculpting=Sculpting(spectators=("mass",), bins=2))).studies["sculpting"]
    limit = 100 / -np.log(0.05)
    assert studied.to_dict()["mass"]["working_points"][0]["rejection_limit"]["at_95"] == pytest.approx(limit)
    assert studied.tables[0].rows[0][1] == f"> {limit:.4g} (95 %)"
