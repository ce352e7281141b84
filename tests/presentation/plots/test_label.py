from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from hepclf.presentation.plots.label import axis_label, feature_title, one_line, weight_label, with_error, wrapped
from hepclf.statistics.value import NOTHING, Value


@pytest.mark.parametrize("name", ["t$t_bar$<script>", "$", r"a\$b$", "$a$b$c$", r"\alpha_{x}"])
def test_a_name_is_never_mathematics(name):
    text = Figure().text(0, 0, one_line(name))
    shown, is_math = text._preprocess_math(text.get_text())
    assert (shown, is_math) == (name, False)


def test_a_name_that_begins_with_an_underscore_stays_in_the_legend():
    ax = Figure().subplots()
    ax.plot([0, 1], label=one_line("_x"))
    assert len(ax.legend().get_texts()) == 1


def test_a_long_name_is_shortened():
    assert one_line("PRI_jet_leading_eta", 11) == "PRI_j…g_eta"
    assert one_line("two\nlines\tand\0more") == "two lines and more"


def test_a_wrapped_name_is_never_broken_within_an_escape():
    assert wrapped("abc$d", 4) == "abc\\$\nd"
    assert wrapped("one two three four five", 5, lines=2) == "one\ntwo…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(0.91234, 0.00123), "0.9123 ± 0.0012"),
        (Value(123.4, 35.0), "123 ± 35"),
        (Value(0.5, None), "0.5"),
        (Value(1.0, 0.0), "1"),
        (NOTHING, "undefined"),
    ],
)
def test_a_number_has_two_digits_of_its_error(value, text):
    assert with_error(value) == text


@pytest.mark.parametrize(
    ("weight", "text"), [(1054.0, "1,054"), (12.3456, "12.35"), (-3.0, "-3"), (1e-9, "1e-09"), (2.5e8, "2.5e+08")]
)
def test_a_sum_of_weights_is_short(weight, text):
    assert weight_label(weight) == text


@pytest.mark.parametrize(
    ("name", "title", "label"),
    [
        ("met", "$E_T^{miss}$", "$E_T^{miss}$ [GeV]"),
        ("n_$", r"n_\$", r"n_\$"),
        ("bad", r"\$\nonsense\$", r"\$\nonsense\$ [GeV]"),
    ],
)
def test_a_feature_has_its_title_and_unit_or_its_name(name, title, label):
    titles = {"met": ("$E_T^{miss}$", "GeV"), "bad": (r"$\nonsense$", "GeV")}
    assert axis_label(name, titles) == label
    assert feature_title(name, titles) == title
