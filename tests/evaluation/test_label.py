from __future__ import annotations

import importlib.util

import pytest

from hepclf.evaluation import label as module
from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label

TWO = ("background", "signal")


def test_conditions_say_what_is_known():
    assert Label(energy_tev=13.0, luminosity_fb=59.8).conditions() == "59.8 fb⁻¹ (13 TeV)"
    assert Label(energy_tev=13.6).conditions() == "13.6 TeV"
    assert Label(luminosity_fb=3000.0).conditions() == "3000 fb⁻¹"
    assert Label(experiment="LHCb").conditions() == ""


@pytest.mark.parametrize("name", ["energy_tev", "luminosity_fb"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_energies_and_luminosities_are_above_zero(name, value):
    with pytest.raises(ValueError, match=f"label.{name} must be above zero"):
        Label(**{name: value})


def test_a_style_that_cannot_be_drawn_here_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    evaluation = Evaluation(label=Label(style="CMS"))
    with pytest.raises(ValueError, match=r"evaluation.label.style=CMS needs mplhep, .*hepclf\[hep\]"):
        evaluation.check(TWO, TWO)
    Evaluation(label=Label(experiment="CMS")).check(TWO, TWO)


def test_every_style_is_one_of_mplhep():
    if importlib.util.find_spec("mplhep") is None:
        pytest.skip("the extra hep is not installed")
    from typing import get_args

    from mplhep import styles

    for name in get_args(module.Styles):
        assert getattr(styles, name)["font.family"]
