from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.counting import Counting
from hepclf.scored import Scored
from hepclf.statistics.counting.scan import with_margin
from hepclf.statistics.counting.significance import ams, asimov, punzi
from hepclf.words import to_error_digits

NAMES = ("qcd", "top", "higgs")


def events(n=6000, seed=0, separation=2.0, splits=3):
    rng = np.random.default_rng(seed)
    processes = rng.choice(3, n, p=(0.5, 0.2, 0.3))
    labels = (processes == 2).astype(int)
    return Scored(
        labels=labels,
        scores=1 / (1 + np.exp(-rng.normal(separation * labels))),
        weights=np.array([2.0, 0.5, 0.1])[processes],
        split=np.arange(n) % splits,
        processes=processes,
        process_names=NAMES,
    )


def judged(of=None, counting=None, **settings):
    others = {"points": None} if "points" in Evaluation.__dataclass_fields__ else {}
    results = evaluate(of or events(), Evaluation(counting=counting or Counting(), **others, **settings))
    return results, results.studies.get("counting")


def test_the_chosen_cut_is_the_verdicts():
    results, found = judged(optimise="asimov_systematic")
    chosen, significance = found.chosen, results.significance
    assert chosen.cuts[0] == significance.cut
    assert chosen.sum(chosen.signal, 0) == pytest.approx(significance.s)
    assert chosen.sum(~chosen.signal, 0) == pytest.approx(significance.b)
    for name in ("s_over_sqrt_b", "asimov", "asimov_systematic"):
        assert chosen.figure(name, found.rules) == pytest.approx(getattr(significance, name), rel=1e-9)


def test_each_measure_is_quoted_at_the_cut_that_validation_liked_best():
    of = events()
    _, found = judged(of, punzi_sigmas=3, ams_background=5)
    valid, test = of.of("valid"), of.of("test")
    weights = {name: of.scaled_weights(name) for name in ("valid", "test")}

    def enough(cut):
        w = weights["valid"][(valid.scores >= cut) & (valid.labels == 0)]
        return w.sum() ** 2 >= with_margin(10) * (w @ w)

    def yields(part, w, cut):
        above = part.scores >= cut
        return w[above & (part.labels == 1)].sum(), w[above & (part.labels == 0)].sum(), w[part.labels == 1].sum()

    def punzis(s, b, total):
        return punzi(s / total, b, 3)

    for name, formula in (("ams", lambda s, b, _: ams(s, b, 5)), ("punzi", punzis)):
        at = found.best[name]
        best = float(formula(*yields(valid, weights["valid"], at.cuts[0])))
        others = [
            float(formula(*yields(valid, weights["valid"], cut)))
            for cut in np.quantile(valid.scores, np.linspace(0, 0.97, 60))
            if enough(cut)
        ]
        assert best >= max(others) * (1 - 1e-3)
        expected = float(formula(*yields(test, weights["test"], at.cuts[0])))
        assert at.figure(name, found.rules).value == pytest.approx(expected)


def test_working_points_keep_their_share_on_validation():
    of = events()
    _, found = judged(of, working_points=(0.4, 0.8))
    valid = of.of("valid")
    for target, at in found.working.items():
        assert (valid.scores[valid.labels == 1] >= at.cuts[0]).mean() == pytest.approx(target, abs=0.002)


def test_luminosities_scale_the_yields_and_choose_the_cut_anew():
    plain, found = judged(
        counting=Counting(luminosities_fb=(100, 3000)),
        cross_sections_fb={"higgs": 0.3, "background": 90},
        luminosity_fb=100,
    )
    same, more = found.luminosities[100], found.luminosities[3000]
    assert same.sum(same.signal, 0) == pytest.approx(plain.significance.s)
    assert same.figure("asimov", found.rules) == pytest.approx(plain.significance.asimov)
    assert more.sum(more.signal).value == pytest.approx(0.3 * 3000)
    assert more.sum(~more.signal).value == pytest.approx(90 * 3000)
    # At another luminosity the results of those yields is the same.
    again, _ = judged(cross_sections_fb={"higgs": 0.3, "background": 90}, luminosity_fb=3000)
    assert more.cuts[0] == again.significance.cut
    assert more.figure("asimov_systematic", found.rules) == pytest.approx(again.significance.asimov_systematic)


def test_luminosity_may_be_that_of_the_weights():
    _, found = judged(counting=Counting(luminosity_fb=10, luminosities_fb=(40,)))
    at = found.luminosities[40]
    assert at.sum(at.signal).value == pytest.approx(4 * found.chosen.sum(found.chosen.signal).value)
    assert found.to_dict()["luminosities"][0]["luminosity_fb"] == 40


def test_an_off_region_adds_li_and_ma():
    _, found = judged(off_exposure=2, optimise="li_ma")
    at = found.chosen
    s, b = at.counts.s[0], at.counts.b[0]
    assert at.figure("li_ma", found.rules).value == pytest.approx(float(asimov(s, b, np.sqrt(b / 2))))
    assert "Li-Ma" in found.tables[0].rows[-1][0]


def test_without_a_cut_there_is_nothing_to_count():
    assert judged(events(60))[1] is None
    assert judged(events(splits=2))[1] is None
    assert "counting" not in evaluate(events(), Evaluation(counting=None)).to_dict()["studies"]


def test_a_person_reads_what_the_background_rests_on():
    _, found = judged(systematic=0.2)
    b, s = found.chosen.sum(~found.chosen.signal, 0), found.chosen.sum(found.chosen.signal, 0)
    (sentence,) = found.sentences
    assert f"{(b.value / b.error) ** 2:,.0f} effective MC events" in sentence
    share, total = 100 * b.error / b.value, 100 * np.hypot(b.error / b.value, 0.2)
    parts = f"({share:.1f} % from MC statistics and 20 % systematic, in quadrature)"
    assert f"Its uncertainty is {total:.1f} % {parts}: Asimov Z = " in sentence
    unlimited = float(asimov(s.value, b.value, 0.2 * b.value))
    z = found.chosen.figure("asimov_systematic", found.rules)
    assert sentence.endswith(f", and {to_error_digits(unlimited, z.error)} with unlimited MC events.")
    assert unlimited > z.value


def test_tables_fit_a_terminal_and_numbers_are_plain():
    _, found = judged(
        counting=Counting(luminosities_fb=(300, 3000)),
        cross_sections_fb={"higgs": 4, "background": 90},
        luminosity_fb=100,
    )
    for grid in found.tables:
        columns = zip(grid.header, *grid.rows, strict=True)
        assert sum(max(map(len, column)) + 2 for column in columns) <= 82, grid.title
    assert len(found.tables) == 4
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["best"]["ams"]["processes"]["top"]["value"] >= 0


def test_a_signal_that_sums_to_less_than_nothing_has_no_working_points():
    of = events()
    signal = of.labels == 1
    weights = np.where(signal & (of.scores < np.median(of.scores[signal])), -2.0, 1.0) * of.weights
    _, found = judged(replace(of, weights=weights, totals=None))
    assert found is None or found.working == {}
