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
