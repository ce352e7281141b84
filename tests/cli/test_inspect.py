"""`hepclf inspect`: what it prints, of data of any kind."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hepclf.cli import surveyed
from hepclf.cli.surveyed import show_survey
from hepclf.events import Events, Origin
from hepclf.survey.survey import survey

SMALL = ["data.signals=200", "data.noise=600"]


def section(out, title):
    """The rows below a title, each cut at its columns."""
    lines = out.split(f"\n{title}" if not out.startswith(title) else title, 1)[1].split("\n\n")[0].splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines[2:]]


@pytest.fixture
def shown(capsys):
    """A function printing a survey on 80 columns."""

    def print_(contents):
        from hepclf.cli.terminal import results_console

        show_survey(results_console(), contents)
        return capsys.readouterr().out

    return print_


def test_it_counts_and_measures(hepclf):
    code, out, err = hepclf("inspect", *SMALL, "--json")
    assert code == 0, err
    report = json.loads(out)
    assert [(row["name"], row["events"]) for row in report["classes"]] == [("noise", 600), ("signal", 200)]
    assert [row["name"] for row in report["processes"]] == ["gaussian", "glitch", "signal"]
    assert report["classes"][0]["splits"] == {"train": 360, "valid": 120, "test": 120}
    assert report["features"][0]["name"] == "snr"
    assert report["features"][0]["auc"]["signal"]["value"] > 0.6
    assert hepclf("inspect", *SMALL, "json=true")[1] == out


def test_it_prints_tables(hepclf):
    _, out, _ = hepclf("inspect", *SMALL)
    assert section(out, "events")[1][:2] == ["gaussian", "480"]
    assert section(out, "split") == [["noise", "360", "120", "120"], ["signal", "120", "40", "40"]]
    assert [row[0] for row in section(out, "features")][:2] == ["snr", "snr_h1"]
    assert "spectators: llr, event" in out
    assert max(map(len, out.splitlines())) <= 80


def test_expected_yields_are_called_so_where_there_is_a_luminosity(shown, gaussians):
    origins = (Origin("background", 12, 1_000_000, 2000), Origin("signal", 3, 50_000, 2000))
    events = gaussians(origins=origins)
    out = shown(survey(events, luminosity_fb=59.8))
    assert section(out, "what was read") == [
        ["background", "12", "1,000,000", "2,000", "0.2 %"],
        ["signal", "3", "50,000", "2,000", "4.0 %"],
    ]
    assert "events, expected in 59.8 /fb" in out
    assert "expected yield" in out
    assert "expected" not in shown(survey(events))


def test_several_classes_have_their_areas_in_tables_of_their_own(shown, gaussians, monkeypatch):
    monkeypatch.setattr(surveyed, "ACROSS", 3)
    contents = survey(gaussians(classes=5))
    out = shown(contents)
    assert out.count("AUC of each feature, each class against the rest") == 2
    first = contents.features[0].auc["class4"].value
    assert f"{first:.3f}" in out


def test_long_names_and_large_numbers_stay_within_80_columns(shown, gaussians):
    events = gaussians(events=20_000, features=40)
    names = tuple(f"sum(Jet_pt[abs(Jet_eta) < 2.5 and Jet_btag > 0.{i:03}])" for i in range(40))
    table = (-1.2345e6 - 1e5 * events.features).astype("float32")
    table[::1000] = float("nan")
    events = Events(features=table, names=names, labels=events.labels)
    out = shown(survey(events))
    assert max(map(len, out.splitlines())) <= 80
    areas = re.findall(r"\d\.\d+ ± \d\.\d+$", out, re.MULTILINE)
    assert len(areas) == 40  # none of them is broken over two lines
    assert len(re.findall(r"-1[0-9]{6}  ", out)) >= 40


def test_infinite_values_have_a_column_where_there_are_any(shown, gaussians):
    events = gaussians()
    assert "infinite" not in shown(survey(events))
    table = events.features.copy()
    table[:3, 1] = float("inf")
    out = shown(survey(Events(features=table, names=events.names, labels=events.labels)))
    assert [row[2] for row in section(out, "features")] == ["0", "3", "0"]


def rows(*columns):
    return "label,x,y\n" + "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))


def test_warnings_come_after_the_tables_and_are_no_failure(hepclf):
    Path("a.csv").write_text(rows([i % 2 for i in range(400)], [5] * 400, [i * 37 % 401 / 8 for i in range(400)]))
    code, out, err = hepclf("inspect", "data=csv", "data.files=a.csv")
    assert code == 0, err
    assert "\nwarnings\n- features that never vary: x; leave them out" in out


@pytest.mark.parametrize(
    ("labels", "settings", "says"),
    [
        ([0] * 100, (), "class 'signal' has no events"),
        ([0, 1] * 50, ("data.split.by=column", "data.split.column=event"), "'event' is not a spectator of the data"),
        (
            [0, 1] * 2 + [0] * 96,
            (),
            "the training set has no events of class 'signal'|the test set has no|the validation set",
        ),
    ],
)
def test_what_stops_a_training_is_told_after_all_else(hepclf, labels, settings, says):
    Path("a.csv").write_text(rows(labels, range(100), [i * i % 101 for i in range(100)]))
    code, out, err = hepclf("inspect", "data=csv", "data.files=a.csv", *settings)
    assert code == 0, err
    assert re.search(rf"- training stops here: .*({says})", " ".join(out.split()))
    assert "features, each event counted once" in out


def test_pictures_are_drawn_where_they_are_asked_for(hepclf):
    code, out, err = hepclf("inspect", *SMALL, "data.features=[snr,chirp_mass]", "plots=a/b")
    assert code == 0, err
    assert out.rstrip().endswith("plots  a/b")
    names = sorted(path.name for path in Path("a/b").iterdir())
    assert names == ["001_snr.png", "002_chirp_mass.png", "features.pdf", "overview_1.png", "pictures.json"]
    assert not list(Path().glob("runs*"))


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["json=maybe"], 2, "json must be true or false, not 'maybe'"),
        (["plot=a"], 2, "plot is not a setting; nearest: 'plots'"),
        (["--jsn"], 2, "--jsn is not a flag"),
        (["plots=taken"], 1, "plots=taken cannot be written: File exists; choose another folder"),
    ],
)
def test_mistakes_cost_one_line(hepclf, words, code, says):
    Path("taken").write_text("a file")
    exit_code, out, err = hepclf("inspect", *SMALL, *words)
    assert exit_code == code
    assert says in err.splitlines()[-1]
    assert out == ""
