"""Pictures of the features: what they show of any feature, and what is left in their folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from hepclf.events import Events
from hepclf.presentation.plots import features as pictures
from hepclf.presentation.plots.features import draw_feature, draw_features, picture_stem
from hepclf.presentation.plots.style import STYLE
from hepclf.survey.survey import survey


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    monkeypatch.setitem(STYLE, "figure.dpi", 30)


def surveyed(classes=2, n=600, **columns):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    columns = columns or {"x": rng.normal(size=n) + labels, "pt": rng.exponential(30, n)}
    kinds = ("background", "signal") if classes == 2 else tuple(f"class{i}" for i in range(classes))
    table = np.stack(list(columns.values()), axis=1)
    given = Events(features=table, names=tuple(columns), labels=labels, classes=kinds)
    return survey(given, shapes=True)


def names(folder="plots"):
    return sorted(path.name for path in Path(folder).iterdir())


def labels(results, place=0):
    ax = Figure().subplots()
    draw_feature(ax, results.features[place], results)
    return ax, ax.get_legend_handles_labels()[1]


def test_each_feature_has_a_picture_and_a_page_and_the_index_knows_which():
    written = draw_features(surveyed(), Path("plots"), title="gw")
    assert names() == ["001_x.png", "002_pt.png", "features.pdf", "overview_1.png", "pictures.json"]
    assert sorted(path.name for path in written) == [name for name in names() if name != "pictures.json"]
    assert json.loads(Path("plots/pictures.json").read_text())["features"] == {"x": "001_x.png", "pt": "002_pt.png"}
    assert Path("plots/features.pdf").read_bytes().count(b"/Type /Page ") == 2
    assert all(path.read_bytes().startswith(b"%PDF" if path.suffix == ".pdf" else b"\x89PNG") for path in written)


def test_the_overview_has_as_many_pages_as_it_needs(monkeypatch):
    monkeypatch.setattr(pictures, "ROWS", 1)
    monkeypatch.setattr(pictures, "ACROSS", 1)
    draw_features(surveyed(**{f"x{i}": np.arange(600) * i for i in range(3)}), Path("plots"))
    assert [name for name in names() if name.startswith("overview")] == [f"overview_{i}.png" for i in (1, 2, 3)]


def test_the_same_survey_gives_the_same_bytes():
    for folder in ("first", "second"):
        draw_features(surveyed(), Path(folder), title="twice")
    for name in names("first"):
        assert Path("first", name).read_bytes() == Path("second", name).read_bytes(), name


def test_older_pictures_go_and_what_is_not_ours_stays():
    draw_features(surveyed(), Path("plots"))
    Path("plots/003_mine.png").write_bytes(b"the user's own")
    draw_features(surveyed(y=np.arange(600.0)), Path("plots"))
    assert names() == ["001_y.png", "003_mine.png", "features.pdf", "overview_1.png", "pictures.json"]


@pytest.mark.parametrize("index", ['{"files": ["../a.png", "notes.txt", 5]}', "not JSON"])
def test_an_index_that_was_changed_removes_nothing_of_others(index):
    Path("plots").mkdir()
    for name in ("a.png", "plots/notes.txt"):
        Path(name).write_bytes(b"kept")
    Path("plots/pictures.json").write_text(index)
    draw_features(surveyed(y=np.arange(600.0)), Path("plots"))
    assert Path("a.png").exists()
    assert Path("plots/notes.txt").exists()


def test_a_failing_write_leaves_no_half_file(monkeypatch):
    def full(figure, png):
        raise OSError("no space left on device")

    monkeypatch.setattr(pictures, "write_png", full)
    with pytest.raises(OSError, match="no space left"):
        draw_features(surveyed(), Path("plots"))
    assert names() == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MET_pt", "007_MET_pt"),
        ("sum(Jet_pt[abs(Jet_eta) < 2.5])", "007_sum_Jet_pt_abs_Jet_eta_2.5"),
        ("../../etc/passwd", "007_etc_passwd"),
        ("Δφ", "007"),
        ("x" * 300, "007_" + "x" * 60),
    ],
)
def test_any_name_makes_a_file_name(name, expected):
    assert picture_stem(7, name) == expected


def test_a_class_says_what_is_missing_and_of_several_its_own_area():
    values = np.where(np.arange(600) % 4 == 1, np.nan, np.arange(600.0))
    assert labels(surveyed(f=values))[1] == ["background", "signal, 50 % missing"]
    assert labels(surveyed(3, f=np.arange(600) % 3 / 7))[1] == [
        "class0, AUC 1.000",
        "class1, AUC 0.500",
        "class2, AUC 1.000",
    ]


def test_the_curves_are_the_histograms():
    results = surveyed()
    shape = results.features[0].shape
    drawn = [patch.get_data() for patch in labels(results)[0].patches if not patch.get_fill()]
    assert len(drawn) == 2
    for patch, histogram in zip(drawn, shape.histograms, strict=True):
        np.testing.assert_array_equal(patch.values, histogram.density)
        np.testing.assert_array_equal(patch.edges, shape.edges)


@pytest.mark.parametrize(
    ("values", "scale"), [(np.linspace(0, 9, 600) ** 9, "log"), (np.linspace(0, 9, 600), "linear")]
)
def test_a_steep_feature_has_a_logarithmic_axis(values, scale):
    results = surveyed(f=values)
    ax = labels(results)[0]
    pictures._limit(ax, results.features[0], 0.2)
    assert ax.get_yscale() == scale


def test_extreme_features_are_drawn_without_a_warning():
    results = surveyed(
        **{
            "_$x_{\\frac": np.full(600, 5.0),
            "never": np.full(600, np.nan),
            "one class": np.where(np.arange(600) % 2, np.nan, 1.5),
            "large": 3e38 * np.linspace(-1, 1, 600),
            "small": np.linspace(0, 1e-42, 600),
            "far": np.append(np.full(599, 1.0), 1e30),
            "infinite": np.append(np.inf, np.arange(599)),
        }
    )
    draw_features(results, Path("plots"), title="$_{\\frac")
    assert [name[:3] for name in names()] == ["001", "003", "004", "005", "006", "007", "fea", "ove", "pic"]


def test_signed_weights_and_classes_without_yield_are_drawn():
    rng = np.random.default_rng(0)
    weights = np.where(np.arange(600) % 2, rng.normal(0.3, 1, 600), -1.0)
    given = Events(features=rng.normal(size=(600, 1)), names=("x",), labels=np.arange(600) % 2, weights=weights)
    results = survey(given, shapes=True)
    assert labels(results)[1] == ["signal"]
    draw_features(results, Path("plots"))
    assert "001_x.png" in names()


def test_no_features_leave_an_empty_index():
    results = survey(Events(features=np.empty((4, 0)), names=(), labels=[0, 1, 0, 1]), shapes=True)
    assert draw_features(results, Path("plots")) == []
    assert names() == ["pictures.json"]
