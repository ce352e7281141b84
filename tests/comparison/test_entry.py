from __future__ import annotations

import pytest

from hepclf.comparison.entry import ReportedSignificance, RunEntry
from hepclf.run import Run


@pytest.fixture
def judged_with(tmp_path):
    """A function making the entry of a run whose evaluation has these settings."""

    def make(**evaluation):
        costs = dict.fromkeys(("device", "training_s", "scoring_s", "tagger_bytes"))
        return RunEntry(
            run=Run(tmp_path),
            config={"evaluation": evaluation},
            data="d",
            model="m",
            expected=ReportedSignificance(),
            **costs,
        )

    return make


def test_the_yields_of_a_run_are_those_given_and_its_cross_sections_times_luminosity(judged_with):
    given = {"yields": {"higgs": 40.0}, "cross_sections_fb": {"qcd": 3.0}, "luminosity_fb": 20.0}
    assert judged_with(**given).yields == {"higgs": 40.0, "qcd": 60.0}
    assert judged_with().yields == judged_with(yields=None, luminosity_fb=None).yields == {}
