"""What is known of the files of a sample after they were read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf.data.root import Root


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, **columns):
    with uproot.recreate(name) as file:
        file.mktree("t", {key: column.dtype for key, column in columns.items()}).extend(columns)


BACKGROUND = {"name": "b", "class": "background", "files": "b.root"}


def root(**settings):
    samples = [
        {"name": "s", "class": "signal", "files": "s*.root"},
        {"name": "b", "class": "background", "files": "b.root"},
    ]
    return Root(samples=samples, features=("x",), **settings)


def test_origins_count_files_entries_and_selected_events_of_each_process():
    write("s1.root", x=np.arange(5.0))
    write("s2.root", x=np.arange(7.0))
    write("b.root", x=np.arange(3.0))
    signal, background = root(selection="x > 1").load().origins
    assert signal == ("s", 2, 12, 8, ())
    assert background == ("b", 1, 3, 1, ())


def test_branches_of_some_files_alone_are_noted(caplog):
    write("s1.root", x=np.arange(5.0), y=np.arange(5.0))
    write("s2.root", x=np.arange(7.0), z=np.arange(7.0))
    write("b.root", x=np.arange(3.0))
    signal, background = root().load().origins
    assert signal.notes == ("2 columns are in some of its files alone: y, z",)
    assert background.notes == ()
    assert "s: 2 columns are in some of its files alone: y, z" in caplog.text


def test_files_left_out_are_noted():
    write("s1.root", x=np.arange(5.0))
    write("b.root", x=np.arange(3.0))
    write("s2.root", x=np.arange(5.0))
    with Path("s2.root").open("r+b") as file:
        file.truncate(200)
    (note,) = root(on_bad_file="skip").load().origins[0].notes
    assert note.startswith("1 of 2 files cannot be read and are left out, with their normalisation: s2.root")


@pytest.mark.parametrize("chunk", [1, 3, 100])
@pytest.mark.parametrize("rows", [(0, 12), (3, 9), (0, 5), (5, 12), (4, 6), (7, 8), (11, 99)])
def test_rows_count_over_all_files_of_a_sample(rows, chunk):
    write("s1.root", x=np.arange(5.0))
    write("s2.root", x=np.arange(5.0, 12.0))
    write("b.root", x=np.arange(3.0))
    samples = ({"name": "s", "class": "signal", "files": "s*.root", "rows": rows}, {**BACKGROUND})
    events = Root(samples=samples, features=("x",), chunk=chunk, classes=("signal", "background")).load()
    expected = np.arange(12.0)[slice(*rows)]
    assert events.features[events.labels == 0, 0].tolist() == expected.tolist()
    assert events.origins[0][:3] == ("s", 2, len(expected))


def test_a_stored_sum_counts_in_the_fraction_of_the_rows_that_are_read():
    write("s1.root", x=np.arange(5.0))
    write("b.root", x=np.arange(3.0))
    signal = {"name": "s", "class": "signal", "files": "s1.root", "cross_section_fb": 20.0, "sum_of_weights": 10.0}
    samples = ({**signal, "rows": (1, 4)}, {**BACKGROUND, "cross_section_fb": 1.0})
    assert Root(samples=samples, features=("x",), luminosity_fb=1.0).load().sums["signal"] == pytest.approx(10.0)


def test_rows_and_max_events_both_hold():
    write("s1.root", x=np.arange(5.0))
    write("b.root", x=np.arange(3.0))
    samples = ({"name": "s", "class": "signal", "files": "s1.root", "rows": (1, 5)}, {**BACKGROUND})
    events = Root(samples=samples, features=("x",), max_events=2).load()
    assert events.features[events.labels == 1, 0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("rows", [(3, 3), (4, 1), (-1, 2)])
def test_rows_that_are_none_are_refused(rows):
    with pytest.raises(ValueError, match=r"rows must be \[start, stop\] with 0 <= start < stop, not \["):
        Root(samples=({"name": "s", "class": "signal", "files": "s.root", "rows": rows},), features=("x",))
