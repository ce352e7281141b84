"""Expressions of the columns of text files, beside the columns by name."""

from pathlib import Path

import numpy as np
import pytest

from hepclf.data.csv import CSV

TEXT = """label,a,b,w,event,m jj,kind
1,1,10,2,1152921504606846977,5,x
0,-1,20,0.5,1152921504606846978,6,y
1,3,-999,-1,1152921504606846979,7,z
0,4,40,3,1152921504606846980,8,x
"""


@pytest.fixture(autouse=True)
def _file():
    Path("a.csv").write_text(TEXT)


def load(**settings):
    return CSV(files="a.csv", **{"missing": (-999,), **settings}).load()


def refused(**settings):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        load(**settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def same(found, expected):
    assert np.array_equal(found, expected, equal_nan=True)


def test_features_are_columns_groups_and_expressions_in_the_order_given():
    events = load(features=("b / a", "some", "m jj", "`m jj` + 1"), groups={"some": ("a", "hypot(3 * a, 4 * a)")})
    assert events.names == ("b / a", "a", "hypot(3 * a, 4 * a)", "m jj", "`m jj` + 1")
    nan = np.nan
    same(events.features, [[10, 1, 5, 5, 6], [-20, -1, 5, 6, 7], [nan, 3, 15, 7, 8], [10, 4, 20, 8, 9]])


def test_features_may_be_named():
    events = load(features={"ratio": "b / a", "mass": "m jj"})
    assert events.names == ("ratio", "mass")
    same(events.features[:, 0], [10, -20, np.nan, 10])


@pytest.mark.parametrize("name", ["a + b", "sqrt(a)", "1", "pi", "a`b", "größe", "x.y"])
def test_a_column_of_an_odd_name_is_that_column(name):
    Path("a.csv").write_text(f"label,a,b,{name}\n1,2,3,50\n0,4,5,60\n")
    assert load(features=(name,)).features.tolist() == [[50], [60]]
    assert load(features="all").features[:, 2].tolist() == [50, 60]
    assert load(features=("a",), weight=name, selection="b > 3").weights.tolist() == [60]


def test_a_selection_keeps_rows_with_all_that_belongs_to_them():
    events = load(features=("a",), selection="a > 0 and b < 30", weight="w", spectators=("event", "kind"))
    assert events.features.tolist() == [[1]]
    assert events.labels.tolist() == events.processes.tolist() == [1]
    assert events.weights.tolist() == [2]
    assert events.spectators["event"].tolist() == [1152921504606846977]
    assert events.spectators["kind"].tolist() == ["x"]


def test_whole_numbers_beyond_2_53_are_exact_in_expressions():
    events = load(features=("a",), selection="event % 2 == 0", spectators={"fold": "event % 4", "id": "event"})
    assert events.spectators["fold"].tolist() == [2, 0]
    assert events.spectators["fold"].dtype == np.int64
    assert events.spectators["id"].tolist() == [1152921504606846978, 1152921504606846980]


def test_weights_may_be_expressions_with_signs():
    assert load(features=("a",), weight="w * where(a > 1, 2, 1)").weights.tolist() == [2, 0.5, -2, 6]


def test_sentinels_are_missing_before_any_expression_sees_them():
    events = load(features={"c": "b + 1"}, selection="b > -2000 or isnan(b)")
    same(events.features[:, 0], [11, 21, np.nan, 41])
    assert load(features=("a",), selection="b > -2000").features[:, 0].tolist() == [1, -1, 4]
    assert "weight 'b * 2' is nan; weights must be finite" in refused(features=("a",), weight="b * 2")


def test_all_features_are_those_that_nothing_else_is_made_of(caplog):
    caplog.set_level("INFO", logger="hepclf")
    events = load(weight="w * 2", spectators={"fold": "event % 4"}, selection="a > -5", ignore=("kind",))
    assert events.names == ("a", "b", "m jj")
    assert "no features, as the weight or spectators name them: w, event" in caplog.text


def test_a_column_may_be_a_feature_and_part_of_an_expression():
    events = load(features=("a", "b"), selection="a > 0", spectators={"a2": "a ** 2"}, weight="w * (1 + a * 0)")
    same(events.features, [[1, 10], [3, np.nan], [4, 40]])
    assert events.spectators["a2"].tolist() == [1, 9, 16]


def test_the_label_may_select_and_weigh_where_it_is_a_number():
    assert load(features=("a",), selection="label == 1").counts == {"background": 0, "signal": 2}
    assert load(features=("a",), weight="where(label == 1, 3, 1)").weights.tolist() == [3, 1, 3, 1]
    assert "column 'kind' holds" in refused(
        label="kind", classes={"b": ("x", "y"), "s": "z"}, features=("a",), selection="kind > 1"
    )


def test_the_label_as_a_spectator_stays_as_it_is_written():
    events = load(label="kind", classes={"b": ("x", "y"), "s": "z"}, features=("a",), spectators=("kind",))
    assert events.spectators["kind"].tolist() == ["x", "y", "z", "x"]


@pytest.mark.parametrize("chosen", ["a", "a * 1"])
def test_a_limit_of_rows_is_one_of_those_read_and_labels_apart_are_selected_too(chosen):
    Path("1.csv").write_text("a\n1\n2\n3\n")
    Path("2.csv").write_text("a\n4\n5\n6\n")
    Path("labels.csv").write_text("y\n0\n1\n0\n1\n0\n")
    settings = {"files": ("1.csv", "2.csv"), "labels_file": "labels.csv", "max_events": 5, "features": (chosen,)}
    events = CSV(**settings, selection="a != 2 and a != 4").load()
    assert events.features[:, 0].tolist() == [1, 3, 5]
    assert events.labels.tolist() == [0, 0, 0]
    assert CSV(**settings, selection="a > 3").load().labels.tolist() == [1, 0]


@pytest.mark.parametrize(("event", "kind"), [("7", "i8"), ("0.5", "f8")])
def test_a_file_that_keeps_no_row_is_no_harm(event, kind):
    Path("b.csv").write_text(f"label,a,b,w,event,m jj,kind\n1,9,10,2,{event},5,x\n")
    events = CSV(files=("a.csv", "b.csv"), features=("a",), selection="a == 9", spectators=("event",)).load()
    assert events.features.tolist() == [[9]]
    assert events.spectators["event"].tolist() == [float(event)]
    assert events.spectators["event"].dtype == kind


def test_expressions_see_columns_in_double_precision_also_where_they_are_features():
    Path("a.csv").write_text("label,a\n1,0.1\n0,16777217\n")
    events = load(features=("a",), selection="a > 16777216", spectators={"tenth": "a / 10"})
    assert events.spectators["tenth"].tolist() == [1677721.7]


@pytest.mark.parametrize("features", [("a",), ("a + 0",)])
def test_columns_that_nothing_names_may_hold_anything(features):
    assert len(load(features=features, selection="a > 0")) == 3


BAD = {
    "a wrong name": ({"features": ("a / bb",)}, "a.csv: expression 'a / bb', column 5: column 'bb' is not there; nea"),
    "a bare wrong name": ({"features": ("aa",)}, "column 'aa' is not in a.csv; nearest: 'a'"),
    "a wrong selection": ({"selection": "aa > 1"}, "a.csv: expression 'aa > 1', column 1: column 'aa' is not there"),
    "neither name nor expression": (
        {"features": ("m_jj b",)},
        "column 'm_jj b' is not in a.csv; nearest: 'm jj'; nor can it be read: expression 'm_jj b', column 1",
    ),
    "code": ({"features": ("().__class__",)}, "'.' is no part of the language"),
    "the label in a feature": (
        {"features": ("a * label",)},
        "feature 'a * label' cannot be made of column 'label', which data.label names",
    ),
    "the weight in a feature": (
        {"features": {"x": "a * w"}, "weight": "w"},
        "feature 'x' cannot be made of column 'w', which data.weight names",
    ),
    "a feature twice": ({"features": ("a", "a")}, "features must be different names, not 'a' twice"),
    "a spectator twice": ({"spectators": ("b", "b")}, "spectators must be different names, not 'b' twice"),
    "no features": ({"features": ()}, "features must name at least one column, not none"),
    "a constant feature": ({"features": ("1 + 1",)}, "features must name at least one column, not none"),
    "text in an expression": ({"selection": "kind > 1"}, "a.csv, row 2, column 'kind': 'x' is not a number"),
    "nothing selected": ({"selection": "a > 99"}, "the selection 'a > 99' keeps none of the 4 rows"),
    "an infinite feature": (
        {"features": ("1 / (a - 3)",)},
        "a.csv, row 4: feature '1 / (a - 3)' is inf, infinite in single precision; select those events away",
    ),
    "an infinite weight": ({"weight": "1 / (a - 3)"}, "a.csv, row 4: weight '1 / (a - 3)' is inf; weights must be"),
    "a number for a condition": (
        {"selection": "a and b > 1"},
        "a.csv: expression 'a and b > 1', column 1: ",
    ),
    "a list of no list": ({"features": ("a[0]",)}, "a.csv: expression 'a[0]', column 1: [0] takes the list of an"),
}


@pytest.mark.parametrize(("settings", "says"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_clear_line(settings, says):
    assert says in refused(**{"features": ("a",), **settings})


def test_the_row_of_an_error_is_the_line_of_the_file():
    Path("a.csv").write_text('\nlabel,a\n\n1,5\n\n0,"3"\n')
    assert "a.csv, row 6: feature '1 / (a - 3)' is inf" in refused(features=("1 / (a - 3)",))
    assert refused(features=("1 / (a - 5)",), selection="a > 4").startswith("a.csv, row 4: ")
