from __future__ import annotations

from dataclasses import fields
from io import BytesIO

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.calibration import Calibration
from hepclf.evaluation.studies.likelihood_ratio import LikelihoodRatio
from hepclf.evaluation.studies.overtraining import Overtraining
from hepclf.presentation.plots.calibration import pictures as calibration
from hepclf.presentation.plots.likelihood_ratio import pictures as likelihood_ratio
from hepclf.presentation.plots.overtraining import pictures as overtraining
from hepclf.presentation.plots.style import style
from hepclf.scored import Scored

OTHERS = {one.name: None for one in fields(Evaluation) if hasattr(getattr(Evaluation(), one.name), "study")}
MINE = {
    "overtraining": (Overtraining(permutations=19), overtraining),
    "calibration": (Calibration(), calibration),
    "likelihood_ratio": (LikelihoodRatio(), likelihood_ratio),
}


def scored(n, negative=0.0):
    rng = np.random.default_rng(0)
    labels, split = np.arange(n) % 2, np.arange(n) // 2 % 3
    x = rng.normal(2 * labels - 1)
    weights = np.where(rng.random(n) < negative, -1.0, 1.0)
    return Scored(
        labels=labels,
        scores=1 / (1 + np.exp(-2 * x)),
        weights=weights,
        split=split,
        classes=("b$g_", "<script>"),
        spectators={"llr": 2 * x},
    )


@pytest.mark.parametrize("name", MINE)
@pytest.mark.parametrize(("events", "negative"), [(3000, 0.0), (300, 0.35), (60, 0.3), (12, 0.0)])
def test_many_or_few_events_of_any_weight_are_drawn_with_what_they_show(name, events, negative):
    recipe, draw = MINE[name]
    results = evaluate(scored(events, negative), Evaluation(**{**OTHERS, name: recipe}))
    with style():
        for picture in draw(results.studies[name], results, "gw, mlp"):
            picture.figure.savefig(BytesIO(), dpi=30)
            assert len(picture.caption) > 60
            for series in picture.series:
                assert len({len(column) for column in series.columns.values()}) == 1
