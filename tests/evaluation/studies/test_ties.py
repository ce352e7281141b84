"""Targets that have the same cut, as scores tie, are one row of every table and one entry each of metrics.json."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.bands import Bands
from hepclf.evaluation.studies.counting import Counting
from hepclf.evaluation.studies.discriminants import Discriminants
from hepclf.evaluation.studies.flatness import Flatness
from hepclf.evaluation.studies.points import Points
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.evaluation.studies.variations import Variations
from hepclf.evaluation.studies.varied import Variation
from hepclf.scored import Scored
from hepclf.statistics.curves.chosen import Wish, wishes_text

OTHERS = {one.name: None for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")}
TARGETS = (0.3, 0.5, 0.7, 0.9)


@pytest.fixture
def tied():
    """Two scores: the higher one holds 60 % of the signal and 20 % of the background of each split."""
    n = 6000
    labels, place = np.arange(n) % 2, np.arange(n) // 6 % 10
    high = np.where(labels == 1, place < 6, place < 2)
    rng = np.random.default_rng(0)
    return Scored(
        labels=labels,
        scores=np.where(high, 0.8, 0.3),
        split=np.arange(n) // 2 % 3,
        processes=np.where(labels == 1, 0, 1 + np.arange(n) // 2 % 2),
        process_names=("signal", "b1", "b2"),
        spectators={"mass": rng.uniform(0, 1, n), "up": rng.uniform(0.9, 1.1, n)},
    )


def found(scored, **study):
    ((name, _),) = study.items()
    evaluation = Evaluation(**{**OTHERS, **study}, working_points=TARGETS)
    return evaluate(scored, evaluation).studies[name]


def firsts(grid):
    return [row[0] for row in grid.rows]


def test_cuts_of_points(tied):
    finding = found(tied, points=Points(background_efficiencies=(0.25,)))
    assert firsts(finding.tables[0]) == ["30, 50 % of signal; 25 % of background", "70, 90 % of signal"]
    assert finding.tables[1].header[1:] == ("30, 50 % of signal; 25 % of background", "70, 90 % of signal")
    assert [point["target"] for point in finding.to_dict()["points"]] == [0.3, 0.5, 0.7, 0.9, 0.25]


def test_counted_working_points(tied):
    finding = found(tied, counting=Counting())
    assert firsts(finding.tables[1]) == ["0.30, 0.50", "0.70, 0.90"]
    assert [point["signal_efficiency"] for point in finding.to_dict()["working_points"]] == list(TARGETS)


def test_rejections_with_bands(tied):
    finding = found(tied, bands=Bands(replicas=50, partial=()))
    names = [name for name in firsts(finding.tables[0]) if name.startswith("rejection")]
    assert names == ["rejection at ε_s = 0.3, 0.5", "rejection at ε_s = 0.7, 0.9"]
    assert len([row for row in finding.to_dict()["quantities"] if row["name"] == "rejection"]) == 4


def test_bins_of_flatness(tied):
    finding = found(tied, flatness=Flatness(spectators=("mass",), bins=3))
    assert firsts(finding.tables[0]) == ["30, 50 % of signal"] * 2 + ["70, 90 % of signal"] * 2
    assert len(finding.to_dict()["mass"]["cuts"]) == 4


def test_working_points_of_sculpting(tied):
    finding = found(tied, sculpting=Sculpting(spectators=("mass",), bins=3))
    assert firsts(finding.tables[0]) == ["0.6000 (targets 0.3, 0.5)", "1.0000 (targets 0.7, 0.9)"]
    assert len(finding.to_dict()["mass"]["working_points"]) == 4


def test_cuts_of_variations(tied):
    variations = Variations(named={"up": Variation(factor="up")}, signal_efficiencies=(0.3, 0.5, 0.9))
    finding = found(tied, variations=variations)
    titles = [grid.title for grid in finding.tables[1:]]
    assert titles[0] == "shifts in % on test, at the cut for 30, 50 % of signal: score ≥ 0.8"
    assert len(titles) == 2
    assert len(finding.sentences) == 2
    cuts = finding.to_dict()["variations"]["up"]["cuts"]
    assert [cut["target"] for cut in cuts] == [0.3, 0.5, 0.9]
    assert cuts[0]["evidence"] == cuts[1]["evidence"]
    assert cuts[0]["evidence"]["tests"] == 2


def test_cuts_on_a_discriminant():
    n = 900
    labels = np.arange(n) % 3
    scores = np.where((np.arange(n) // 9 % 2)[:, None] == 0, np.eye(3)[labels] * 0.4 + 0.2, np.full((n, 3), 1 / 3))
    events = Scored(labels=labels, scores=scores, classes=("u", "c", "b"), split=np.arange(n) // 3 % 3)
    finding = found(events, discriminants=Discriminants(against={"b": {"c": 0.2}}))
    assert [name.partition(" (")[2] for name in firsts(finding.tables[0])] == ["targets 0.3, 0.5)", "targets 0.7, 0.9)"]
    assert len(finding.to_dict()["b"]["points"]) == 4


def test_wishes_of_one_kind_are_listed_together():
    wishes = [Wish("signal_efficiency", 0.3), Wish("background", 2.0), Wish("signal_efficiency", 0.5)]
    assert wishes_text(wishes) == "30, 50 % of signal; B = 2"
    assert str(wishes[1]) == "B = 2"
