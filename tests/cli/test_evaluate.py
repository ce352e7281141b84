from __future__ import annotations

import json
from pathlib import Path

import pytest
import uproot

pytestmark = pytest.mark.usefixtures("mixture_run")

QUIET = ["evaluation.plots=false", "evaluation.overtraining=null", "evaluation.importance=null"]


def test_the_binned_score_is_exported_for_fits(hepclf):
    code, out, err = hepclf("evaluate", "run=run", "out=fit", "export=[pyhf,root]", *QUIET)
    assert code == 0, err
    assert "exported   fit/workspace.json" in out
    assert "exported   fit/histograms.root" in out
    spec = json.loads(Path("fit/workspace.json").read_text())
    found = json.loads(Path("fit/metrics.json").read_text())["studies"]["binned"]
    contents = {sample["name"]: sample["data"] for sample in spec["channels"][0]["samples"]}
    assert contents == {name: values["values"] for name, values in found["processes"].items()}
    with uproot.open("fit/histograms.root") as file:
        assert file["binned/signal"].axis().edges().tolist() == found["edges"]


def test_one_form_needs_no_list(hepclf):
    code, _, err = hepclf("evaluate", "run=run", "out=fit", "export=root", *QUIET)
    assert code == 0, err
    assert Path("fit/histograms.root").is_file()
    assert not Path("fit/workspace.json").exists()


def test_a_form_that_there_is_not_is_refused_before_anything_is_judged(hepclf):
    code, _, err = hepclf("evaluate", "run=run", "out=fit", "export=pyhd", *QUIET)
    assert code != 0
    assert "export=pyhd is unknown; there are pyhf and root" in " ".join(err.split())
    assert not Path("fit").exists()
