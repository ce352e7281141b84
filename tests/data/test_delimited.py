import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hepclf.data.csv import CSV
from hepclf.data.delimited import layout, regular


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30).filter(any),
    st.integers(1, 40),
    st.none() | st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_a_file_is_regular_where_all_rows_have_its_length(tmp_path, monkeypatch, lengths, block, rows, ends, last):
    """Whatever the blocks that it is read in, and empty lines: longer and shorter rows never make up for each other."""
    monkeypatch.setattr("hepclf.data.delimited.BLOCK", block)
    path = tmp_path / "a.csv"
    path.write_text(ends.join(",".join("7" * length) for length in lengths) + ends * last, newline="")
    head = layout(path, delimiter=",", header=False)
    filled = [length for length in lengths if length]
    assert regular(head, rows) == all(length == filled[0] for length in filled[:rows])


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("place", ["start", "inside", "end"])
def test_empty_lines_do_not_need_the_slow_pass(tmp_path, monkeypatch, place, ends):
    """Which took 15 times as long as the reading."""
    monkeypatch.setattr("hepclf.data.csv.delimited.complaint", lambda *_: pytest.fail("the slow pass ran"))
    lines = ["label,a", "1,2", "0,3"]
    at = {"start": 1, "inside": 2, "end": 3}[place]
    path = tmp_path / "a.csv"
    path.write_text(ends.join([*lines[:at], "", "", *lines[at:]]) + ends, newline="")
    assert CSV(files=str(path)).load().features.tolist() == [[2], [3]]


def test_rows_of_more_columns_than_a_byte_counts_are_told_apart(tmp_path):
    path = tmp_path / "a.csv"
    for columns in (300, 300 + 256, 300 + 65_536):
        path.write_text(",".join("7" * 300) + "\n" + ",".join("7" * columns) + "\n")
        assert regular(layout(path, delimiter=",", header=False), None) == (columns == 300)
