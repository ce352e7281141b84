from __future__ import annotations

import numpy as np
import onnx
import pytest
from scipy.special import expit, ndtri

from hepclf import BDT, PlainMLP, Preprocess
from hepclf.export.deviates import INNERMOST, coefficients
from hepclf.export.onnx.model import onnx_file, onnx_scores
from hepclf.models.preprocess import KNOTS


def test_the_polynomial_is_the_normal_deviate_of_every_rank():
    p = np.linspace(1 / (2 * (KNOTS - 1)), 1 - 1 / (2 * (KNOTS - 1)), 10_000)
    u = np.log(p / (1 - p))
    assert abs(u).max() <= INNERMOST * (1 + 1e-12)
    found = u * np.polynomial.polynomial.polyval(2 * (u / INNERMOST) ** 2 - 1, coefficients())
    np.testing.assert_allclose(found, ndtri(expit(u)), rtol=0, atol=2e-7)


@pytest.mark.parametrize("classes", [2, 3])
def test_features_go_in_and_probabilities_come_out_for_any_number_of_events(classes, events, fitted):
    model = onnx.load_from_string(onnx_file(fitted(BDT(iterations=2), events(classes)), "tagger", {"run": '"r"'}))
    onnx.checker.check_model(model, full_check=True)
    (given,), (found,) = model.graph.input, model.graph.output
    shapes = [
        [each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim] for value in (given, found)
    ]
    assert (given.name, found.name) == ("features", "probability")
    assert shapes == [["events", 4], ["events"] if classes == 2 else ["events", 3]]
    assert {each.key: each.value for each in model.metadata_props} == {"run": '"r"'}


def test_knots_that_coincide_have_their_mean_rank(events, fitted):
    train = events()
    tagger = fitted(PlainMLP(hidden=(4,), preprocess=Preprocess(scaling="quantile")), train)
    assert len(np.unique(tagger.module.prepare.knots[3])) < 12  # the feature is rounded
    with onnx_scores(onnx_file(tagger, "tagger", {})) as score:
        np.testing.assert_allclose(score(train.features), tagger.scores(train), rtol=0, atol=1e-6)
