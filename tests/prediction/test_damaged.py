"""A damaged file among good ones: it is reported, and the good ones are scored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import uproot


def places(path):
    """Where an RNTuple has its header, its footer and its first list of pages."""
    with uproot.open(path) as file:
        ntuple = file["Events"]
        anchor, locator = ntuple._members, ntuple.footer.cluster_group_records[0].page_list_link.locator
    return {"header": anchor["fSeekHeader"], "footer": anchor["fSeekFooter"], "page list": locator.offset}


@pytest.mark.parametrize("part", ["header", "footer", "page list"])
def test_a_damaged_rntuple_does_not_keep_the_files_after_it_from_being_scored(part, lab, score_files, ntuple, tmp_path):
    good = ntuple("in/a.root", 1, form="mkrntuple", events=50)
    bad, last = shutil.copy(good, "in/b.root"), shutil.copy(good, "in/c.root")
    data = bytearray(Path(good).read_bytes())
    place = places(good)[part]
    data[place : place + 40] = bytes(40)
    Path(bad).write_bytes(data)
    outcomes = score_files(files=[good, bad, last], on_bad_file="skip")
    assert [outcome.state for outcome in outcomes] == ["written", "bad", "written"]
    assert outcomes[1].reason.startswith(f"{bad} cannot be read: ")
