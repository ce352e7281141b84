from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.case import Inside
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.flatness import Flatness
from hepclf.presentation.plots.flatness import pictures as flatness
from hepclf.presentation.plots.style import style
from hepclf.statistics.curves.chosen import Wish
from hepclf.statistics.value import Value

OTHERS = {field.name: None for field in fields(Evaluation) if hasattr(getattr(Evaluation(), field.name), "study")}


def alone(**settings):
    """The settings with no study but those named."""
    return Evaluation(**(OTHERS | settings))


HALF = Wish("signal_efficiency", 0.5)


@pytest.fixture
def scored(make_scored):
    """A score that rises with the mass for the background, and not with phi."""
    rng = np.random.default_rng(0)
    labels, mass, phi = rng.integers(0, 2, 12_000), rng.exponential(50, 12_000), rng.uniform(-3, 3, 12_000)
    logits = rng.normal(labels) + (1 - labels) * (mass - 50) / 50
    spectators = {"mass": mass, "phi": phi, "year": np.where(phi > 0, "2017", "2018")}
    weights, split = rng.lognormal(0, 0.3, 12_000), rng.integers(0, 3, 12_000)
    return make_scored(labels, 1 / (1 + np.exp(-logits)), weights, split, spectators=spectators)


def found(scored, inside=None, **settings):
    return evaluate(scored, alone(flatness=Flatness(**settings)), inside).studies["flatness"]


def test_the_efficiency_of_a_bin_is_that_of_its_events(scored):
    of = found(scored, edges={"mass": (0, 20, 60, 100)}, signal_efficiencies=(0.5,))
    test, cut = scored.of("test"), of.cuts[HALF]
    mass = test.spectators["mass"]
    for kind, shape in enumerate(of.shapes["mass"].shapes[HALF]):
        for i, (low, high) in enumerate([(0, 20), (20, 60), (60, 100)]):
            own = (test.labels == kind) & (mass >= low) & (mass < high)
            w, kept = test.weights[own], test.scores[own] >= cut
            e = w[kept].sum() / w.sum()
            assert shape.efficiency[i] == pytest.approx(e, rel=1e-12)
            assert shape.error[i] == pytest.approx(np.sqrt((w**2 * (kept - e) ** 2).sum()) / w.sum(), rel=1e-9)
    assert of.shapes["mass"].bins.outside == (mass > 100).sum() > 0
    assert f"{(mass > 100).sum()} test events are in no bin of mass." in of.sentences


def test_what_depends_on_a_spectator_is_told_from_what_does_not(scored):
    of = found(scored, spectators=("mass", "phi", "year"), signal_efficiencies=(0.5,))
    p = {name: [shape.test.p for shape in against.shapes[HALF]] for name, against in of.shapes.items()}
    assert p["mass"][0] < 1e-20
    assert min(p["mass"][1], *p["phi"], *p["year"]) > 0.01
    where = "efficiency at the cut for 50 % of signal depends on mass: chi2/ndf = "
    assert of.sentences[0].startswith(f"A clear sign that the background {where}")
    assert ", corrected for 6 tests. It ranges from 0." in of.sentences[0]
    assert of.sentences[1].startswith(f"No sign that the signal {where}")
    evidence = of.to_dict()["mass"]["evidence"]
    assert [evidence[kind]["answer"] for kind in ("background", "signal")] == ["clear", "none"]
    assert evidence["background"]["p"] == pytest.approx(6 * p["mass"][0])


def test_a_feature_will_do_where_the_tagger_is_at_hand(scored):
    test = scored.of("test")
    inside = Inside(
        names=("pt", "eta"),
        read=lambda places: np.stack([places, test.spectators["phi"][places]], axis=1).astype(np.float32),
        ask=lambda features: features[:, 0],
    )
    ours, theirs = (found(scored, inside, spectators=(name,)).shapes[name] for name in ("eta", "phi"))
    for a, b in zip(ours.shapes[HALF], theirs.shapes[HALF], strict=True):
        np.testing.assert_allclose(a.efficiency, b.efficiency, atol=1e-12)
    with pytest.raises(ValueError, match="'mas' is no spectator of the data; nearest: 'mass'; name it in the data's"):
        found(scored, inside, spectators=("mas",))


def test_a_name_that_the_data_lacks_is_refused_before_training():
    Flatness(spectators=("mass",)).check(("mass", "eta"))
    with pytest.raises(ValueError, match=r"evaluation\.flatness: 'mas' is no spectator of the data; nearest: 'mass'"):
        Flatness(edges={"mas": (0, 1)}).check(("mass", "eta"))


def test_it_is_not_made_where_nothing_is_asked(scored):
    assert "flatness" not in evaluate(scored, alone(flatness=Flatness())).studies


def test_it_is_a_table_and_plain_numbers(scored):
    of = found(scored, spectators=("mass", "year"), background_efficiencies=(0.1,))
    for grid in of.tables:
        widths = [max(len(cell) for cell in column) for column in zip(grid.header, *grid.rows, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80
    plain = json.loads(json.dumps(of.to_dict()))
    assert plain["year"]["bins"] == ["2017", "2018"]
    assert [cut["chosen_for"] for cut in plain["mass"]["cuts"]] == ["signal_efficiency"] * 4 + ["background_efficiency"]
    assert len(plain["mass"]["cuts"][0]["signal"]["efficiency"]) == 10


def test_a_bin_without_a_class_has_no_efficiency_and_is_drawn_without_a_warning(make_scored):
    rng = np.random.default_rng(1)
    labels, split = np.arange(600) % 2, np.arange(600) // 2 % 3
    spectators = {"mass": np.where(labels, rng.uniform(0, 1, 600), rng.uniform(0, 4, 600)), "$x_{": split}
    scored = make_scored(labels, rng.random(600), split=split, spectators=spectators)
    results = evaluate(scored, alone(flatness=Flatness(spectators=tuple(spectators), edges={"mass": (0, 1, 4)})))
    of = results.studies["flatness"]
    signal = of.shapes["mass"].shapes[HALF][1]
    assert np.isnan(signal.efficiency).tolist() == [False, True]
    assert signal.mean != Value(None)
    assert of.sentences[1].startswith("No test whether the signal efficiency at the cut for 50 % of signal depends on")
    assert of.sentences[1].endswith("mass: everything or nothing passes, or only one bin has events.")
    with style():
        pictures = list(flatness(of, results, "title"))
    assert [picture.stem for picture in pictures] == ["flatness_1", "flatness_2"]
    for picture in pictures:
        picture.figure.canvas.draw()
        assert len(picture.series) == 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bins": 1}, r"bins must be 2\.\.1000, not 1"),
        ({"edges": {"mass": (0, 0)}}, r"edges.mass must be two rising numbers or more, not \[0.0, 0.0\]"),
    ],
)
def test_bins_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Flatness(**settings)
