from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.scored import Scored
from hepclf.workflow.handover import handover


def results(n=6000, **settings):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, n)
    scores = 1 / (1 + np.exp(-rng.normal(2.0 * labels)))
    return evaluate(Scored(labels=labels, scores=scores, split=np.arange(n) % 3), Evaluation(**settings))


def test_both_forms_hold_the_same_events(tmp_path):
    judged = results(yields={"signal": 30, "background": 900})
    paths = handover(judged, ("pyhf", "root", "pyhf"), tmp_path)
    assert [path.name for path in paths] == ["workspace.json", "histograms.root"]
    samples = json.loads(paths[0].read_text())["channels"][0]["samples"]
    with uproot.open(paths[1]) as file:
        for sample in samples:
            np.testing.assert_allclose(file[f"binned/{sample['name']}"].values(), sample["data"])
            assert file[f"fine/{sample['name']}"].values().sum() == pytest.approx(sum(sample["data"]))


def test_nothing_is_written_where_nothing_is_asked(tmp_path):
    assert handover(results(), (), tmp_path) == ()
    assert list(Path(tmp_path).iterdir()) == []


def test_a_form_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(ValueError, match="export=pyfh is unknown; there are pyhf and root; nearest: 'pyhf'"):
        handover(results(), ("pyfh",), tmp_path)


def test_without_bins_the_reason_is_said(tmp_path):
    with pytest.raises(
        ValueError, match=r"export=pyhf needs the binned score, and there is none: evaluation.binned is null"
    ):
        handover(results(binned=None), ("pyhf",), tmp_path)
    with pytest.raises(ValueError, match="there is none: no cut on validation keeps an effective background"):
        handover(results(60), ("root",), tmp_path)
