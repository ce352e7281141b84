from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.binned import Binned
from hepclf.scored import Scored

STUDIES = {one.name: None for one in fields(Evaluation) if hasattr(one.default_factory, "study")}


def events(n=12_000, seed=0, negative=0.0, splits=3, heavy=0.0):
    rng = np.random.default_rng(seed)
    processes = rng.choice(3, n, p=(0.5, 0.2, 0.3))
    labels = (processes == 2).astype(int)
    sign = np.where(rng.random(n) < negative, -1.0, 1.0)
    return Scored(
        labels=labels,
        scores=1 / (1 + np.exp(-rng.normal(2.0 * labels))),
        weights=np.array([1.0, 0.5, 0.02])[processes] * sign * rng.lognormal(0, heavy, n),
        split=np.arange(n) % splits,
        processes=processes,
        process_names=("qcd", "top", "higgs"),
    )


def binned(of=None, recipe=None, **settings):
    chosen = STUDIES | {"binned": recipe or Binned()} | settings
    return evaluate(of or events(), Evaluation(**chosen)).studies.get("binned")


def test_the_bins_hold_the_expected_events_of_test():
    of = events()
    found = binned(of)
    test = of.of("test")
    weights = of.scaled_weights("test")
    for g, name in enumerate(("qcd", "top", "higgs")):
        assert found.template.names[g] == name
        mine = test.processes == g
        for shown in (found.template, found.fine):
            counts, _ = np.histogram(test.scores[mine], shown.edges, weights=weights[mine])
            np.testing.assert_allclose(shown.sums[0, g], counts)
    assert len(found.fine.edges) == 101
    assert found.template.channels.s.sum() == pytest.approx(weights[test.labels == 1].sum())


def test_the_edges_are_of_validation_alone():
    of = events()
    columns = {name: getattr(of, name) for name in ("labels", "weights", "processes", "split", "process_names")}
    swapped = Scored(**columns, scores=np.where(of.split == 2, 1 - of.scores, of.scores))
    np.testing.assert_array_equal(
        binned(of, Binned(bins=3)).template.edges, binned(swapped, Binned(bins=3)).template.edges
    )


def test_bins_are_worth_more_than_the_best_cut_and_less_with_what_is_not_known():
    found = binned()
    plain, statistical, systematic = (value.value for value in found.significances.values())
    assert systematic < statistical < plain
    for name, single in found.single.items():
        assert found.significances[name].value > single.value
        assert found.significances[name].error > 0
    z, error = found.by_bin
    assert np.sqrt((z**2).sum()) == pytest.approx(
        statistical, rel=0.07
    )  # measured 0.05: Poisson's constraints there, Gaussian here
    assert (error > 0).all()


def test_other_binnings_can_be_asked_for():
    equal = binned(events(40_000), Binned(binning="equal_signal", bins=3)).template
    np.testing.assert_allclose(equal.channels.s / equal.channels.s.sum(), 1 / 3, atol=0.03)
    given = binned(recipe=Binned(edges=(0.3, 0.6, 0.9)))
    np.testing.assert_allclose(given.template.edges, [0, 0.3, 0.6, 0.9, 1])
    assert given.joined == 0
    assert len(binned(recipe=Binned(bins=1)).template.edges) == 2


def test_a_bin_without_background_joins_its_neighbour_and_says_so():
    found = binned(recipe=Binned(edges=(0.5, 0.9, 0.9999)))
    np.testing.assert_allclose(found.template.edges, [0, 0.5, 0.9, 1])
    assert found.joined == 1
    assert found.sentences[1] == (
        "1 of the 4 bins had too little background in the test set and was merged with a neighbour."
    )


@pytest.mark.parametrize("kind", [{"negative": 0.2}, {"heavy": 1.0}])
def test_signed_and_heavy_weights_leave_every_bin_sound(kind):
    found = binned(events(**kind))
    assert found.template.qualified(10).all()
    assert found.significances["asimov_systematic"].value > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bins": 0}, "bins must be one or more, not 0"),
        ({"edges": (0.5,)}, r"two or more in ascending order, not \[0.5\]"),
        ({"edges": (0.5, 0.2)}, "ascending order"),
        ({"edges": (0.5, 1.2)}, r"edges are probabilities in 0\.\.1"),
        ({"binning": "some"}, "binning must be one of significance, equal_signal"),
    ],
)
def test_a_binning_that_cannot_be_meant_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Binned(**settings)


def test_without_expected_yields_there_are_no_bins():
    assert binned(events(splits=2)) is None
    assert binned(events(n=30)) is None


def test_what_is_written_is_plain_and_complete():
    found = binned()
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    total = np.add(written["processes"]["qcd"]["values"], written["processes"]["top"]["values"])
    np.testing.assert_allclose(total, written["background"])
    assert len(written["bins"]) == len(written["edges"]) - 1
    assert set(written["together"]) == {"asimov", "asimov_statistical", "asimov_systematic"}
    for grid in found.tables:
        columns = zip(grid.header, *grid.rows, strict=True)
        assert sum(max(map(len, column)) + 2 for column in columns) <= 82, grid.title
    alone = found.significances["asimov_statistical"].value / found.single["asimov_statistical"].value - 1
    said = f"for the best single cut ({100 * alone:+.0f} % without the systematic). Both are profile-"
    assert said in found.sentences[0]
    assert found.sentences[0].endswith("which is right only if the background's shape is known.")
    sentence = binned(systematic=0.0).sentences[0]
    assert sentence.endswith(
        "do not compare it with the significance table, which has another formula and another cut."
    )
    assert "log-normal" not in sentence
    assert "with a log-normal systematic and MC statistics" in binned(systematic=0.1).sentences[0]


def test_scores_of_exactly_one_are_a_bin_like_any_other():
    rng = np.random.default_rng(3)
    labels = (rng.random(30_000) < 0.3).astype(int)
    certain = rng.random(30_000) < np.where(labels == 1, 0.4, 0.03)
    scores = np.where(certain, 1.0, 0.9 * rng.random(30_000) ** np.where(labels == 1, 0.7, 1.3))
    columns = {"labels": labels, "split": np.arange(30_000) % 3}
    as_they_are = binned(Scored(scores=scores, **columns)).to_dict()
    below_one = binned(Scored(scores=scores * 0.999, **columns)).to_dict()
    assert len(as_they_are["edges"]) == len(below_one["edges"]) > 2
    for name in ("together", "single_cut"):
        for value in as_they_are[name]:
            assert as_they_are[name][value]["value"] == pytest.approx(below_one[name][value]["value"], rel=1e-6)
