from __future__ import annotations

import numpy as np

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.categories import Categories
from hepclf.presentation.plots.categories import pictures as categories
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored


def test_each_category_has_its_points_and_the_combination_the_last_line():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 3000)
    scores = 1 / (1 + np.exp(-rng.normal(2.0 * labels)))
    scored = Scored(labels=labels, scores=scores, split=np.arange(3000) % 3, spectators={"x": rng.random(3000)})
    results = evaluate(
        scored, Evaluation(categories=Categories(of={"<b>$low$": "x < 0.5", "none": "x > 2", "high": "otherwise"}))
    )
    with style():
        (picture,) = categories(results.studies["categories"], results, "title")
    left, right = picture.figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == [r"<b>\$low\$", "none", "high", "combined"]
    assert (left.get_xlabel(), right.get_xlabel()) == ("S/√B", "Asimov Z with $\\sigma_B$")
    for series in picture.series:
        assert series.columns["category"] == ("<b>$low$", "none", "high", "combined")
        np.testing.assert_array_equal(np.isnan(series.columns["after"]), [False, True, False, False])
        assert series.columns["after"][3] > series.columns["before"][3]
