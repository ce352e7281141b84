from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf.evaluation.files import histograms
from hepclf.evaluation.files.histograms import write_histograms
from hepclf.statistics.counting.template import Template

EDGES = np.array([0, 0.5, 0.9, 1.0])


def template(names=("qcd", "h → bb", "h/bb")):
    rng = np.random.default_rng(0)
    return Template(EDGES, names, np.arange(len(names)) > 0, rng.normal(5, 10, (4, len(names), 3)) ** 2)


def test_uproot_reads_contents_errors_and_edges_back():
    of = template()
    write_histograms(Path("h.root"), {"binned": of, "fine": of})
    with uproot.open("h.root") as file:
        keys = {"qcd", "h___bb", "h_bb"}
        assert set(file.keys(cycle=False)) == {
            *("binned", "fine"),
            *(f"{folder}/{key}" for folder in ("binned", "fine") for key in keys),
        }
        for g, key in enumerate(("qcd", "h___bb", "h_bb")):
            found = file[f"binned/{key}"]
            assert found.classname == "TH1D"
            assert found.title == of.names[g]
            values, edges = found.to_numpy()
            np.testing.assert_array_equal(edges, EDGES)
            np.testing.assert_allclose(values, of.sums[0, g])
            np.testing.assert_allclose(found.variances(), of.sums[1, g])
            assert found.member("fTsumw") == pytest.approx(of.sums[0, g].sum())
            assert found.values(flow=True)[[0, -1]].tolist() == [0, 0]


def test_a_write_that_fails_leaves_nothing(monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(histograms, "_histogram", broken)
    with pytest.raises(OSError, match="disk full"):
        write_histograms(Path("h.root"), {"binned": template()})
    assert list(Path().iterdir()) == []
