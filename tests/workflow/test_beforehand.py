"""What the settings alone can tell is told before a file is opened."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf import (
    BDT,
    CSV,
    GW,
    HDF5,
    NPZ,
    Cuts,
    Evaluation,
    Events,
    Logistic,
    Mixture,
    Parquet,
    Root,
    Sample,
    Trainer,
    train,
)
from hepclf.data.loader import outline
from hepclf.recipe import RecipeError
from hepclf.workflow.beforehand import check_settings

SAMPLES = (
    Sample(name="ttbar", class_="background", files="no.root"),
    Sample(name="h", class_="signal", files="no.root"),
)


@pytest.mark.parametrize("loader", [GW(signals=50, noise=150), Mixture(events=100)])
def test_the_outline_of_generated_events_is_that_of_the_events(loader):
    known, events = outline(loader), loader.load()
    assert known.classes == events.classes
    assert known.processes == events.process_names
    assert known.features == events.names
    assert known.spectators == tuple(events.spectators)


@pytest.mark.parametrize("features", ["all", ("x", "y"), "some", {"a": "x + 1"}])
def test_the_outline_of_a_table_is_that_of_its_events_or_not_known(tmp_path, features):
    path = tmp_path / "t.csv"
    path.write_text("label,x,y,mass\n" + "".join(f"{i % 2},{i},{i % 5},{i % 3}\n" for i in range(50)))
    loader = CSV(files=str(path), features=features, groups={"some": ("y", "x * 2")}, spectators=("mass",), cache=False)
    known, events = outline(loader), loader.load()
    assert known.features in (events.names, None)
    assert (known.features is None) == (features == "all")
    assert known.spectators == tuple(events.spectators)
    assert known.classes == events.classes
    assert known.processes == events.process_names


@pytest.mark.parametrize("kind", [Root, Parquet, HDF5, NPZ])
def test_the_outline_of_ntuples_is_known(kind):
    known = outline(kind(samples=SAMPLES, features=("x", "y + 1"), leading={"Jet_pt": 2}, spectators={"m": "mass"}))
    assert known.classes == ("background", "signal")
    assert known.processes == ("ttbar", "h")
    assert known.features == ("x", "y + 1", "Jet_pt_0", "Jet_pt_1")
    assert known.spectators == ("m",)


def test_a_loader_of_ones_own_need_not_say_anything():
    class Mine:
        split = Mixture().split

        def load(self):
            return Mixture(events=200).load()

    check_settings(Mine(), Logistic(), Trainer(), Evaluation(signal="nobody knows"))
    with pytest.raises(ValueError, match="'nobody knows' is no class of the data"):
        train(Mine(), Logistic(), Trainer(epochs=1), Evaluation(signal="nobody knows"))


ROOT = Root(samples=SAMPLES, features=("x",))


@pytest.mark.parametrize(
    ("model", "trainer", "evaluation", "reason"),
    [
        (Logistic(), Trainer(), Evaluation(yields={"tbar": 1}), "nearest: 'ttbar'"),
        (Logistic(), Trainer(), Evaluation(signal="higgs"), "no class of the data"),
        (Logistic(), Trainer(planing="mass"), Evaluation(), "trainer.planing names 'mass'"),
        (Logistic(), Trainer(device="cuda:99"), Evaluation(), "cuda:99 is not there"),
        (BDT(monotone={"y": 1}), Trainer(), Evaluation(), "monotone names 'y'"),
        (Cuts(sides={"y": "above"}), Trainer(), Evaluation(), "model.sides names 'y'"),
        (Logistic(), Trainer(), Evaluation(flatness={"spectators": ["mass"]}), "evaluation.flatness: 'mass'"),
    ],
)
def test_a_wrong_name_is_refused_before_files_that_are_not_there_and_leaves_no_run(
    tmp_path, model, trainer, evaluation, reason
):
    with pytest.raises(RecipeError, match=reason):
        train(ROOT, model, trainer, evaluation, folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def scaled(luminosity_fb):
    samples = (
        Sample(name="ttbar", class_="background", files="no.root", cross_section_pb=1),
        Sample(name="h", class_="signal", files="no.root", cross_section_pb=1),
    )
    return Root(samples=samples, features=("x",), luminosity_fb=luminosity_fb)


def test_a_luminosity_without_cross_sections_is_a_label():
    check_settings(scaled(20.3), Logistic(), Trainer(), Evaluation(luminosity_fb=20.3))
    check_settings(scaled(None), Logistic(), Trainer(), Evaluation(luminosity_fb=20.3))
    check_settings(
        scaled(20.3), Logistic(), Trainer(), Evaluation(luminosity_fb=139, cross_sections_fb={"ttbar": 1, "h": 2})
    )
    with pytest.raises(RecipeError, match=r"evaluation.luminosity_fb must be 20.3, as in data.luminosity_fb, not 139"):
        check_settings(scaled(20.3), Logistic(), Trainer(), Evaluation(luminosity_fb=139))


def test_a_label_leaves_the_yields_as_they_are():
    labels = np.arange(3000) % 2
    values = np.random.default_rng(0).normal(size=(3000, 1)) + labels[:, None]
    events = Events(features=values, names=("x",), labels=labels)
    plain, named = (
        train(events, Logistic(), Trainer(epochs=1), Evaluation(luminosity_fb=luminosity)).results
        for luminosity in (None, 20.3)
    )
    assert plain.significance == named.significance
    assert named.studies["counting"].to_dict()["luminosity_fb"] == 20.3
