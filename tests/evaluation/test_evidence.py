"""One rule for every study: no sign, a hint, a clear sign."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from hepclf.evaluation.evidence import CLEAR, HINT, Evidence, combined, corrected, one_sided_p, two_sided_p
from hepclf.statistics.value import NOTHING, Value


@pytest.mark.parametrize(
    ("p", "answer", "words"),
    [
        (0.5, "none", "No sign"),
        (0.05, "none", "No sign"),
        (0.0499, "hint", "A hint"),
        (0.0027, "hint", "A hint"),
        (0.0026, "clear", "A clear sign"),
        (0.0, "clear", "A clear sign"),
        (None, None, "No test"),
    ],
)
def test_a_p_value_has_one_of_three_answers(p, answer, words):
    evidence = Evidence(p)
    assert (evidence.answer, evidence.words) == (answer, words)
    assert evidence.significant == (answer in ("hint", "clear"))
    assert evidence.to_dict() == {"answer": answer, "p": p, "tests": 1}


def test_a_clear_sign_is_three_standard_deviations_of_a_two_sided_test():
    assert pytest.approx(2 * norm.sf(3), rel=1e-3) == CLEAR
    assert two_sided_p(Value(3.01, 1.0)) < CLEAR < two_sided_p(Value(-2.99, 1.0)) < HINT


@pytest.mark.parametrize(("value", "error"), [(0.050, 0.018), (-1.0, 2.0), (0.0204, 0.0078), (40.0, 1.0)])
def test_the_p_values_of_deviations_are_scipys(value, error):
    assert one_sided_p(Value(value, error)) == pytest.approx(norm.sf(value / error), rel=1e-12)
    assert two_sided_p(Value(value, error)) == pytest.approx(2 * norm.sf(abs(value) / error), rel=1e-12)
    assert two_sided_p(Value(value + 1, error), 1.0) == pytest.approx(2 * norm.sf(abs(value) / error), rel=1e-9)


def test_zero_is_no_deviation_and_an_unknown_error_has_no_test():
    assert (one_sided_p(Value(0.0)), two_sided_p(Value(1.0), 1.0)) == (1.0, 1.0)
    assert (one_sided_p(Value(0.1)), two_sided_p(Value(0.1)), one_sided_p(NOTHING), two_sided_p(NOTHING)) == (
        None,
        None,
        None,
        None,
    )


def test_several_tests_of_a_question_are_corrected_for_their_number():
    assert combined(0.02, 0.5, None, 0.9) == (pytest.approx(0.06), 3)
    assert combined(0.9, 0.8) == (1.0, 2)
    assert combined(None, None).answer is None


def test_statements_of_several_tests_hold_together():
    # By hand: 4 x 0.005; 3 x 0.01; 2 x 0.03 = 0.06; 1 x 0.04, but no less than the one before.
    found = corrected({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": None})
    assert [found[name].p for name in "abcde"] == [pytest.approx(0.03), 0.06, 0.06, pytest.approx(0.02), None]
    assert {evidence.tests for evidence in found.values()} == {4}


def test_holm_is_wrong_of_any_true_null_at_the_stated_rate():
    p = np.random.default_rng(0).random((4000, 6))
    wrong = np.mean(
        [any(evidence.significant for evidence in corrected(dict(enumerate(row.tolist()))).values()) for row in p]
    )
    assert wrong == pytest.approx(HINT, abs=4 * np.sqrt(HINT / 4000))


def test_words_say_p_and_the_number_of_tests():
    assert Evidence(0.0123).test == "p = 0.012"
    assert Evidence(0.0, 4).test == "p < 1e-06, corrected for 4 tests"
    assert Evidence(0.04).claim("x matters") == "A hint that x matters"
    assert Evidence(None).claim("x matters") == "No test whether x matters"
