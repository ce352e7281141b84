from __future__ import annotations

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.bands import Bands, Intervals, _deviation
from hepclf.evaluation.studies.quantity import Quantity
from hepclf.recipe import RecipeError
from hepclf.scored import Scored
from hepclf.statistics.curves.limit import Limit
from hepclf.statistics.value import Value

KEYS = {"name", "at", "value", "bootstrap_error", "low", "high"}


def scored(n=12_000, separation=2.0, weights=None, k=2):
    rng = np.random.default_rng(1)
    labels = np.arange(n) % k
    z = rng.normal(size=(n, k))
    z[np.arange(n), labels] += separation
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return Scored(
        labels=labels,
        scores=p[:, 1] if k == 2 else p,
        weights=np.ones(n) if weights is None else weights(rng, n),
        split=(np.arange(n) // k % 3).astype(np.int8),
        classes=("background", "signal") if k == 2 else ("u", "c", "b"),
    )


def judged(of, bands=None, **settings):
    return evaluate(of, Evaluation(bands=bands or Bands(), **settings))


def test_bands_agree_with_the_analytic_errors():
    results = judged(scored(separation=1.0))
    found = results.studies["bands"]
    names = [one.name for one in found.quantities]
    assert names == ["auc", "partial_auc", *["rejection"] * 4, "s_over_sqrt_b", "asimov"]
    for one in found.quantities:
        # Measured 0.97 to 1.08.
        assert one.ratio == pytest.approx(1, abs=0.2), one.words
        assert one.low < one.value.value < one.high
    assert found.quantities[0].value == results.test.auc
    assert found.quantities[2].value == results.test.working_points[0].rejection
    assert found.quantities[-1].value == results.significance.asimov
    assert found.sentences[0].startswith("Bootstrap and analytic errors agree on test (ratios ")


def test_what_is_found_is_plain_numbers_and_a_table_of_80_columns():
    found = judged(scored(), Bands(partial=((0.0, 0.01), (0.1, 0.2)))).studies["bands"]
    plain = found.to_dict()
    assert (plain["split"], plain["replicas"]) == ("test", 1000)
    assert all(set(one) == KEYS for one in plain["quantities"])
    assert [one["at"] for one in plain["quantities"][:4]] == [None, [0.0, 0.01], [0.1, 0.2], 0.3]
    (grid,) = found.tables
    widths = [max(len(row[column]) for row in (grid.header, *grid.rows)) for column in range(4)]
    assert sum(widths) + 6 <= 80
    assert grid.rows[0][0] == "AUC"
    assert grid.rows[1][0] == "partial AUC, ε_b 0 to 0.01"


def test_the_same_seed_gives_the_same_bands_and_another_gives_others():
    one, two, three = (judged(scored(), Bands(seed=seed)).studies["bands"].to_dict() for seed in (0, 0, 1))
    assert one == two
    assert one != three


def test_replicas_without_background_leave_the_upper_end_open():
    def few(rng, n):
        return np.ones(n)

    found = judged(scored(900, 3.5, few), working_points=(0.02, 0.5, 0.9)).studies["bands"]
    opened = [one for one in found.quantities if one.name == "rejection" and one.high is None]
    assert opened
    assert all(one.bootstrap_error is None for one in opened)
    (grid,) = found.tables
    assert f"> {opened[0].low:.3g}" in [row[-1] for row in grid.rows]
    assert any("has no upper end" in sentence for sentence in found.sentences)


def test_a_heavy_event_that_formulas_cannot_see_is_told():
    def heavy(rng, n):
        return rng.lognormal(0, 2.5, n)

    found = judged(scored(3000, 1.0, heavy)).studies["bands"]
    assert max(abs(np.log(one.ratio)) for one in found.quantities if one.ratio) > np.log(1.25)
    assert "times the analytic error on test" in found.sentences[0]


def test_a_replica_with_hardly_any_background_does_not_make_the_error_of_a_rejection():
    efficiencies = np.tile([0.009, 0.010, 0.011, 0.012], 100)
    assert _deviation(efficiencies, 90.0, 110.0) == pytest.approx(np.std(1 / efficiencies, ddof=1))
    assert _deviation(np.append(efficiencies, 1e-9), 90.0, 110.0) is None
    assert _deviation(np.append(efficiencies, -1e-9), 90.0, 110.0) is None


def test_a_rejection_without_a_finite_width_is_said():
    wild = Quantity("rejection", 0.3, Value(100.0, 30.0), None, 70.0, 140.0)
    calm = Quantity("auc", None, Value(0.9, 0.01), 0.01, 0.89, 0.91)
    found = Intervals(split="test", replicas=1000, quantities=(calm, wild), band=None)
    assert found.sentences == (
        "Bootstrap and analytic errors agree on test (ratios 1.00 to 1.17).",
        "The bootstrap distribution of rejection at ε_s = 0.3 has no finite standard deviation on test: in some "
        "replicas no or hardly any background is left; quote the interval.",
    )


def test_several_rejections_without_a_finite_width_share_a_sentence():
    wild = [Quantity("rejection", at, Value(100.0, 30.0), None, 70.0, 140.0) for at in (0.3, 0.5, 0.7)]
    sentence = Intervals(split="test", replicas=1000, quantities=tuple(wild), band=None).sentences[-1]
    assert sentence.startswith("The bootstrap distribution of the rejections at ε_s = 0.3, 0.5 and 0.7 has no finite ")


def test_replicas_in_which_weights_cancel_leave_no_bands_and_it_is_said():
    def cancelling(rng, n):
        return np.where(rng.random(n) < 0.42, -1.0, 1.0)

    found = judged(scored(600, 1.0, cancelling)).studies["bands"]
    assert {(one.low, one.bootstrap_error) for one in found.quantities} == {(None, None)}
    assert found.sentences == (
        "No bootstrap intervals on test: in some replicas a class has no positive sum of weights.",
    )


def test_several_classes_have_the_bands_of_the_signal_against_the_rest():
    results = judged(scored(k=3))
    found = results.studies["bands"]
    assert found.quantities[0].value == results.test.one_vs_rest["b"].auc


def test_a_class_without_weight_has_no_bands():
    one_class = Scored(labels=np.ones(50, dtype=int), scores=np.linspace(0, 1, 50))
    assert "bands" not in evaluate(one_class, Evaluation()).studies


def test_no_bands_where_they_are_not_asked_for():
    assert "bands" not in evaluate(scored(600), Evaluation(bands=None)).studies


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"replicas": 3}, "replicas must be 50..100000 to make a band, not 3"),
        ({"partial": ((0.3, 0.1),)}, r"0 <= low < high <= 1, not \[0.3, 0.1\]"),
    ],
)
def test_settings_that_make_no_band_are_refused(settings, words):
    with pytest.raises((ValueError, RecipeError), match=words):
        Bands(**settings)


def test_limits_and_bands_never_both_speak_of_a_point():
    results = judged(scored(900, 3.5), working_points=(0.02, 0.9))
    points = {point.target: point for point in results.test.working_points}
    quoted = {one.at for one in results.studies["bands"].quantities if one.name == "rejection"}
    for target, point in points.items():
        assert isinstance(point.rejection_limit, Limit) == (point.rejection.value is None)
        assert (target in quoted) == (point.rejection.value is not None)
