import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hepclf.data import delimited
from hepclf.data.csv import CSV
from hepclf.data.delimited import has_regular_rows, read_layout
from hepclf.data.frames import joined_column
from hepclf.data.lines import DelimitedFile, Dialect
from hepclf.data.samples import Source
from hepclf.data.split import TEST, TRAIN, VALID, Split


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
    head = read_layout(path, delimiter=",", header=False)
    filled = [length for length in lengths if length]
    assert has_regular_rows(head, rows) == all(length == filled[0] for length in filled[:rows])


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("place", ["start", "inside", "end"])
def test_empty_lines_do_not_need_the_slow_pass(tmp_path, monkeypatch, place, ends):
    """Which took 15 times as long as the reading."""
    monkeypatch.setattr("hepclf.data.csv.delimited.first_problem", lambda *_: pytest.fail("the slow pass ran"))
    lines = ["label,a", "1,2", "0,3"]
    at = {"start": 1, "inside": 2, "end": 3}[place]
    path = tmp_path / "a.csv"
    path.write_text(ends.join([*lines[:at], "", "", *lines[at:]]) + ends, newline="")
    assert CSV(files=str(path)).load().features.tolist() == [[2], [3]]


def test_rows_of_more_columns_than_a_byte_counts_are_told_apart(tmp_path):
    path = tmp_path / "a.csv"
    for columns in (300, 300 + 256, 300 + 65_536):
        path.write_text(",".join("7" * 300) + "\n" + ",".join("7" * columns) + "\n")
        assert has_regular_rows(read_layout(path, delimiter=",", header=False), None) == (columns == 300)


BIG = 2**53  # from here on, float64 holds not every whole number


def spectator(path, cells, name="a.csv", **settings):
    """The spectator s of a file with these cells, in two classes and beside a column of text."""
    rows = [f"{i // 10 % 2},2,{cell},junk\n" for i, cell in enumerate(cells)]
    with gzip.open(path / name, "wt") if name.endswith(".gz") else (path / name).open("w") as file:
        file.write("label,a,s,t\n" + "".join(rows))
    return CSV(files=str(path / "*.csv*"), features=("a",), spectators=("s",), **settings).load()


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("ignore", [(), ("t",)])
@pytest.mark.parametrize("written", ["{}", " {}", '"{}"', "+{}"])
def test_event_numbers_beyond_double_precision_stay_apart(tmp_path, name, ignore, written):
    numbers = [7, *range(BIG, BIG + 38), 2**63 - 1]
    events = spectator(tmp_path, [written.format(number) for number in numbers], name, ignore=ignore, missing=(-1,))
    assert events.spectators["s"].dtype == np.int64
    assert events.spectators["s"].tolist() == numbers
    parts = Split(by="column", column="s").parts(events)
    assert parts.tolist() == [(TEST, TEST, VALID, VALID, *[TRAIN] * 6)[number % 10] for number in numbers]
    assert spectator(tmp_path, numbers, name, max_events=3).spectators["s"].tolist() == numbers[:3]


@pytest.mark.parametrize(
    ("cells", "values", "kind"),
    [
        (("1", "-2"), [1, -2], "i"),
        (("1", "2.5"), [1, 2.5], "f"),
        (("1.0", "2.0"), [1, 2], "f"),
        (("1", "-7"), [1, None], "f"),
        ((f"{BIG}", "-7"), [BIG, None], "f"),
        (("1e18", "3"), [1e18, 3], "f"),
        (("100000000000000000000", "2.5"), [1e20, 2.5], "f"),
        (("A", "2"), ["A", "2"], "U"),
    ],
)
def test_spectators_are_integers_where_they_are_written_so(tmp_path, cells, values, kind):
    found = spectator(tmp_path, cells, missing=(-7,)).spectators["s"]
    assert found.dtype.kind == kind
    assert [None if value != value else value for value in found.tolist()] == values


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("-7", "some are missing; mend or remove those rows, or ignore the column"),
        ("", "some are missing"),
        ("1.5", "'1.5' is not"),
        ("99999999999999999999", "'99999999999999999999' is not"),
    ],
)
def test_event_numbers_that_would_lose_digits_are_refused(tmp_path, cell, why):
    says = f"column 's': all values must be 64-bit integers where one is beyond 2^53, as {BIG + 1} is, but {why}"
    with pytest.raises(ValueError, match=re.escape(says)):
        spectator(tmp_path, (BIG + 1, cell), missing=(-7, ""))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("cell", ["", "1.5"])
def test_event_numbers_that_would_lose_digits_beside_another_file_are_refused(tmp_path, sign, cell):
    assert spectator(tmp_path, (sign * (BIG + 1),)).spectators["s"].dtype == np.int64
    with pytest.raises(ValueError, match=rf"'s' must be 64-bit integers .* beyond 2\^53, as {sign * (BIG + 1)} is"):
        spectator(tmp_path, (cell,), "b.csv", missing=("",))


@pytest.mark.parametrize(
    ("text", "is_balanced"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("a,b\n1,2\n3,4", True),
        ("a,b\r\n1,2\r\n3,4\r\n", True),
        ("a,b\n1,2\n3\n", False),
        ("a,b\n1,2\n3,4,5\n", False),
        ("a,b\n1,2\n\n3,4\n", False),  # which the check of single rows then allows
        ('a,b\n1,2\n"3",4\n', False),
    ],
)
def test_rows_are_balanced_where_their_delimiters_add_up(text, is_balanced):
    Path("table.csv").write_bytes(text.encode())
    found = delimited.read_layout(Path("table.csv"), delimiter=",", header=True)
    assert delimited.has_balanced_rows(found) is is_balanced


def test_blocks_do_not_show_in_the_balance(monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 3)
    Path("table.csv").write_text("a,b\n1,2\n3,4\n5,6")
    assert delimited.has_balanced_rows(delimited.read_layout(Path("table.csv"), delimiter=",", header=True))


@pytest.mark.parametrize("chunk", [2, 100])
def test_numbers_from_two_to_the_63_on_stay_exact_in_every_block(chunk, tmp_path):
    numbers = [1, 2, 2**63 + 5, 7, 2**64 - 1]
    path = tmp_path / "x.csv"
    path.write_text("event\n" + "".join(f"{number}\n" for number in numbers))
    file = DelimitedFile(Source(str(path), None), Dialect(), chunk)
    assert file.read(("event",), 0, 5)["event"].tolist() == numbers
    assert file.read(("event",), 0, 1)["event"].dtype == np.uint64
    path.write_text("event\n-1\n2\n" + f"{2**63 + 5}\n7\n")
    with pytest.raises(ValueError, match="64-bit integers"):
        DelimitedFile(Source(str(path), None), Dialect(), chunk).read(("event",), 0, 4)


def test_numbers_of_several_files_stay_exact_where_one_has_them_from_two_to_the_63_on():
    parts = [np.array([2**60 + 1, 3]), np.array([2**63 + 5], dtype=np.uint64)]
    assert joined_column("event", parts).tolist() == [2**60 + 1, 3, 2**63 + 5]
    with pytest.raises(ValueError, match="64-bit integers in all files"):
        joined_column("event", [np.array([-1]), parts[1]])
