from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.categories import Categories, quadrature
from hepclf.scored import Scored
from hepclf.statistics.counting.significance import asimov, combine
from hepclf.statistics.value import Value

STUDIES = {one.name: None for one in fields(Evaluation) if hasattr(one.default_factory, "study")}
OF = {"boosted": "n_fat >= 2", "intermediate": "n_fat == 1", "resolved": "otherwise"}


def events(n=9000, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    n_fat = rng.choice(4, n, p=(0.5, 0.25, 0.15, 0.1))
    return Scored(
        labels=labels,
        scores=1 / (1 + np.exp(-rng.normal((1 + n_fat / 2) * labels))),
        weights=np.where(labels == 1, 0.05, 1.0),
        split=np.arange(n) % 3,
        spectators={"n_fat": n_fat},
    )


def regions(scored=None, of=None, **settings):
    chosen = STUDIES | {"categories": Categories(of=OF if of is None else of)} | settings
    return evaluate(scored or events(), Evaluation(**chosen)).studies.get("categories")


def behr(rows, kept):
    """Events of three categories with these yields before a cut and above it, as unit events of few weights."""
    pieces = []
    for place, (before, after) in enumerate(zip(rows, kept, strict=True)):
        for label in (1, 0):
            for score, count in ((0.9, after[1 - label]), (0.1, before[1 - label] - after[1 - label])):
                pieces.append((label, score, place, count))
    n = 400  # events a piece and split; the minimum of background is met
    columns = [np.repeat([piece[i] for piece in pieces], 2 * n) for i in range(3)]
    return Scored(
        labels=columns[0].astype(int),
        scores=columns[1],
        weights=np.repeat([piece[3] / (2 * n) for piece in pieces], 2 * n),
        split=np.tile(np.repeat([1, 2], n), len(pieces)),
        spectators={"place": columns[2]},
    )


PLACES = {"boosted": "place == 0", "intermediate": "place == 1", "resolved": "place == 2"}


@pytest.mark.parametrize(
    ("before", "after", "quadratic", "likelihood", "published"),
    [
        (
            ((440, 7.6e5), (280, 5.3e5), (1500, 1.5e7)), ((290, 1.2e4), (130, 3.1e3), (630, 1.1e5)),
            4.0085, 3.9913, (0.8, 4.0),
        ),
        (
            ((410, 4.5e5), (260, 7.7e5), (1800, 2.7e7)), ((290, 3.7e4), (140, 5.6e3), (640, 1.0e5)),
            3.1415, None, (None, 3.1),
        ),
    ],
)  # fmt: skip
def test_the_table_of_hh_to_4b_has_its_combined_column(before, after, quadratic, likelihood, published):
    """arXiv:1512.08928: expected events at 3/ab before and after the cuts, without and with pile-up."""
    found = regions(behr(before, after), PLACES, optimise="s_over_sqrt_b", systematic=0.0)
    for index, row in enumerate((before, after)):
        for (s, b), region in zip(row, found.regions.values(), strict=True):
            at = region.yields(index)
            assert (at.counts.s[0], at.counts.b[0]) == pytest.approx((s, b))
        together = found.combined(index)
        s, b = np.transpose(row)
        assert together["s_over_sqrt_b"].value == pytest.approx(float(combine(s / np.sqrt(b))))
        assert together["asimov"].value == pytest.approx(float(combine(asimov(s, b))), rel=1e-9)
        if published[index]:  # the table rounds its rows to one digit before it combines them
            assert together["s_over_sqrt_b"].value == pytest.approx(published[index], abs=0.06)
    assert found.combined(1)["s_over_sqrt_b"].value == pytest.approx(quadratic, abs=1e-4)
    if likelihood:
        assert found.combined(1)["asimov"].value == pytest.approx(likelihood, abs=1e-4)
    assert {round(region.cut, 6) for region in found.regions.values()} == {0.9}


def test_the_first_condition_that_holds_counts():
    scored = events()
    places = Categories(of={"two": "n_fat >= 2", "one": "n_fat >= 1", "none": "otherwise"}).places(scored)
    np.testing.assert_array_equal(
        places, np.select([scored.spectators["n_fat"] >= 2, scored.spectators["n_fat"] == 1], [0, 1], 2)
    )


def test_a_region_is_judged_as_if_it_were_alone():
    scored = events()
    found = regions(scored)
    of, weights = scored.of("test"), scored.scaled_weights("test")
    for name, chosen in (("boosted", of.spectators["n_fat"] >= 2), ("resolved", of.spectators["n_fat"] == 0)):
        region = found.regions[name]
        for index, cut in ((0, -1.0), (1, region.cut)):
            above = chosen & (of.scores >= cut)
            at = region.yields(index)
            assert at.counts.s[0] == pytest.approx(weights[above & (of.labels == 1)].sum())
            assert at.counts.b[0] == pytest.approx(weights[above & (of.labels == 0)].sum())
    cuts = {region.cut for region in found.regions.values()}
    assert len(cuts) == 3


def test_cuts_are_chosen_on_validation_alone():
    scored = events()
    columns = {name: getattr(scored, name) for name in ("labels", "weights", "split", "spectators")}
    swapped = Scored(**columns, scores=np.where(scored.split == 2, 1 - scored.scores, scored.scores))
    cuts = [[region.cut for region in regions(each).regions.values()] for each in (scored, swapped)]
    assert cuts[0] == cuts[1]


def test_events_in_no_category_are_counted_and_said():
    found = regions(of={"boosted": "n_fat >= 2", "intermediate": "n_fat == 1"})
    test = events().of("test")
    assert found.uncategorised_events == int((test.spectators["n_fat"] == 0).sum())
    assert found.sentences[-1].startswith(f"{found.uncategorised_events:,} test events are in no category: S = ")
    written = found.to_dict()
    b = [each["before"]["b"]["value"] for each in written["regions"].values()]
    assert sum(b) + written["uncategorised"]["b"]["value"] == pytest.approx(
        events().weights[events().labels == 0].sum()
    )
    assert not any("no category" in sentence for sentence in regions().sentences)


def test_a_category_without_enough_background_adds_nothing_and_says_so():
    plain, found = regions(), regions(of={"empty": "n_fat > 7", **OF})
    assert found.regions["empty"].reason == "no cut on validation keeps enough background and a positive signal"
    assert "Category empty adds nothing: no cut on validation" in found.sentences[1]
    for index in (0, 1):
        for name, value in plain.combined(index).items():
            assert found.combined(index)[name] == pytest.approx(value)
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_error_of_a_quadrature_sum():
    assert quadrature([Value(3.0, 0.3), Value(4.0, 0.4)]) == pytest.approx((5, np.hypot(9 * 0.1, 16 * 0.1) / 5))
    assert quadrature([Value(3.0, 0.3), Value(None)]) == (None, None)
    assert quadrature([Value(0.0, None)]) == (0.0, None)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"a": "n_fat >"}, "condition 'n_fat >' is not understood"),
        ({"a": "otherwise", "b": "n_fat > 1"}, "of.a takes all remaining events, so it must be the last"),
    ],
)
def test_categories_that_cannot_be_meant_are_refused(of, message):
    with pytest.raises(ValueError, match=message):
        Categories(of=of)


def test_a_spectator_that_is_not_there_is_refused_before_a_training():
    with pytest.raises(ValueError, match="names 'n_fat', which is no spectator"):
        Evaluation(categories=Categories(of=OF)).check(("background", "signal"), (), ("mass",), ())
    with pytest.raises(ValueError, match="names 'n_fat', which is no spectator"):
        Evaluation(categories=Categories(of=OF)).check(("background", "signal"), (), ("mass",), ("n_fat",))
    Evaluation(categories=Categories(of=OF)).check(("background", "signal"), (), ("n_fat",), ())


def test_nothing_asked_nothing_found():
    assert regions(of={}) is None
    assert regions(Scored(labels=[0, 1], scores=[0.1, 0.9], spectators={"n_fat": [1, 2]})) is None


def test_tables_fit_a_terminal():
    found = regions()
    assert [len(grid.rows) for grid in found.tables] == [3, 3, 3]
    for grid in found.tables:
        columns = zip(grid.header, *grid.rows, strict=True)
        assert sum(max(map(len, column)) + 2 for column in columns) <= 82, grid.title


def test_a_category_without_simulated_background_above_its_cut_has_limits():
    of = Scored(
        labels=np.repeat([1, 0, 1, 0, 0], [40, 60, 40, 1, 59]),
        scores=np.repeat([0.9, 0.9, 0.9, 0.1, 0.2], [40, 60, 40, 1, 59]),
        split=np.repeat([1, 1, 2, 2, 2], [40, 60, 40, 1, 59]),
        spectators={"n_fat": np.zeros(200)},
    )
    found = regions(of, {"all": "otherwise"})
    limit = -np.log(0.05)  # 60 background events of 60 are expected on test, so one weighs 2
    assert found.to_dict()["regions"]["all"]["after"]["b_limit"]["at_95"] == pytest.approx(2 * limit)
    row = found.tables[1].rows[0]
    assert row[3:5] == [f"< {2 * limit:.3g} (95 %)", f"> {80 / (2 * limit):.2g} (95 %)"]
