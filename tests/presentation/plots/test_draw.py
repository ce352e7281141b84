from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from hepclf.evaluation.label import Label
from hepclf.presentation.plots.draw import STUDIES, draw
from hepclf.presentation.plots.font import families
from hepclf.presentation.plots.style import STYLE, style

ALWAYS = ["confusion", "rejection", "roc", "scores", "significance"]
AWKWARD = ("t$t_bar<script>", "_élan μ→ν $x_1$ and a name that is far too long\nfor one line")


def with_plane(results, plane):
    return replace(results, studies={"plane": plane})


def stems(paths):
    return sorted({path.stem for path in paths})


def test_each_figure_is_a_png_and_a_pdf(judged, sketched, history, plane):
    written = draw(with_plane(judged(), plane), Path("plots"), history=history, title="gw, mlp")
    assert set(stems(written)) >= {*ALWAYS, "losses", "decision"}
    assert {*written, Path("plots/pictures.json")} == {path for path in Path("plots").rglob("*") if path.is_file()}
    for stem in stems(written):
        assert Path(f"plots/{stem}.png").read_bytes().startswith(b"\x89PNG")
        assert Path(f"plots/{stem}.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_verdict_gives_the_same_bytes(judged, history, plane, monkeypatch):
    monkeypatch.setitem(STYLE, "figure.dpi", 30)
    results = with_plane(judged(AWKWARD, llr=True), plane)
    for folder in ("first", "second"):
        draw(results, Path(folder), history=history, title="twice")
    for path in (path for path in Path("first").rglob("*") if path.is_file()):
        assert path.read_bytes() == Path("second", path.relative_to("first")).read_bytes(), path.name


def test_what_there_are_no_values_for_is_not_drawn(judged, sketched):
    assert stems(draw(judged(minimum_background=1e6), Path("plots"))) == ["confusion", "rejection", "roc", "scores"]


def test_an_older_picture_does_not_stay_beside_new_values(judged, history, sketched):
    draw(judged(), Path("plots"), history=history)
    Path("plots/mine.png").write_bytes(b"the user's own")
    draw(judged(minimum_background=1e6), Path("plots"))
    left = ["confusion", "mine", "rejection", "roc", "scores"]
    assert stems(path for path in Path("plots").rglob("*.*") if path.name != "pictures.json") == left


def test_numbers_that_once_lay_beside_the_pictures_go(judged, sketched):
    Path("plots").mkdir()
    for name in ("roc.csv", "roc.png", "losses.yaml", "losses.pdf", "mine.csv"):
        Path("plots", name).write_text("before")
    index = {stem: {"caption": "", "study": None, "kinds": ["png", "csv"]} for stem in ("roc", "losses")}
    Path("plots/pictures.json").write_text(json.dumps(index))
    written = draw(judged(), Path("plots"))
    beside = {path.name for path in Path("plots").iterdir() if path.is_file()}
    assert beside == {path.name for path in written if path.parent == Path("plots")} | {"mine.csv", "pictures.json"}


def test_a_failing_write_leaves_nothing(judged, monkeypatch):
    def full(self, path, **_):
        Path(path).write_bytes(b"half a picture")
        raise OSError("no space left on device")

    monkeypatch.setattr(FigureCanvasPdf, "print_pdf", full)
    with pytest.raises(OSError, match="no space left"):
        draw(judged(), Path("plots"))
    assert [path.name for path in Path("plots").iterdir()] == ["scores.png"]


def test_a_failing_write_keeps_the_previous_picture(judged, monkeypatch):
    Path("plots").mkdir()
    Path("plots/scores.pdf").write_bytes(b"before")

    def stop(self, path, **_):
        raise OSError("stop")

    monkeypatch.setattr(FigureCanvasPdf, "print_pdf", stop)
    with pytest.raises(OSError, match="stop"):
        draw(judged(signal="background"), Path("plots"))
    assert Path("plots/scores.pdf").read_bytes() == b"before"


def test_settings_of_matplotlib_are_neither_changed_nor_heeded(judged, monkeypatch, sketched):
    draw(judged(), Path("plain"))
    monkeypatch.setitem(matplotlib.rcParams, "axes.facecolor", "red")
    before = dict(matplotlib.rcParams)
    draw(judged(), Path("set"))
    assert dict(matplotlib.rcParams) == before
    assert Path("set/roc.png").read_bytes() == Path("plain/roc.png").read_bytes()


def test_no_window_system_is_touched():
    code = "import sys, hepclf.presentation.plots.draw; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("classes", [AWKWARD, (*AWKWARD, "Z→νν"), ("a\\", ""), ("_", "b$")])
def test_any_name_can_be_drawn(judged, history, classes, sketched):
    written = draw(judged(classes), Path("plots"), history=history, title="$_{\\frac")
    assert set(stems(written)) >= {*ALWAYS, "losses"}


@pytest.mark.parametrize(
    "extreme",
    [
        {"splits": (0, 1)},
        {"splits": (2,)},
        {"n": 12},
        {"weights": lambda n: np.where(np.arange(n) % 7 < 2, -1.0, 1.0)},
        {"weights": lambda n: -np.ones(n)},
        {"weights": lambda n: np.full(n, 1e-9)},
        {"scores": lambda labels: labels * 1.0},
        {"scores": lambda labels: np.full(len(labels), 0.5)},
        {"scores": lambda labels: 1e-9 * (1 + labels)},
    ],
)
def test_extreme_verdicts_are_drawn_without_a_warning(judged, extreme, sketched):
    assert "scores" in stems(draw(judged(**extreme), Path("plots")))


def test_the_index_says_what_each_picture_shows_and_whose_it_is(judged, sketched):
    results = judged()
    written = draw(results, Path("plots"))
    index = json.loads(Path("plots/pictures.json").read_text())
    assert list(index) == list(dict.fromkeys(path.stem for path in written))
    for stem, entry in index.items():
        assert entry["caption"].endswith("."), stem
        assert entry["study"] is None or entry["study"] in results.studies
        places = {"png": "plots", "pdf": "plots"}
        assert {Path(places.get(kind, "plots/numbers"), f"{stem}.{kind}") for kind in entry["kinds"]} <= {*written}


def test_every_picture_of_the_verdict_itself_has_its_numbers(judged, history, plane, sketched):
    draw(with_plane(judged(), plane), Path("plots"), history=history)
    for stem, entry in json.loads(Path("plots/pictures.json").read_text()).items():
        if entry["study"] in (None, "plane"):
            assert entry["kinds"] == ["png", "pdf", "csv", "json", "yaml"], stem


def test_the_numbers_of_the_roc_are_those_of_its_curve(judged, sketched):
    results = judged()
    draw(results, Path("plots"))
    (series,) = json.loads(Path("plots/numbers/roc.json").read_text())["series"]
    for name in ("signal_efficiency", "background_efficiency"):
        np.testing.assert_allclose(series["columns"][name], getattr(results.test.roc, name), rtol=1e-7)


def test_a_label_takes_the_place_of_the_title(judged, sketched, monkeypatch):
    seen = []
    monkeypatch.setattr("hepclf.presentation.plots.drawing.write_figure", lambda figure, *_: seen.append(figure) or [])
    label = Label(experiment="CMS", status="Simulation", energy_tev=13.0, luminosity_fb=59.8)
    draw(judged(), Path("plots"), title="gw, mlp", label=label)
    for figure in seen:
        titled = next(ax for ax in figure.axes if ax.get_title("right"))
        assert titled.get_title("left") == "CMS"
        assert titled.get_title("right") == "test, 59.8 fb⁻¹ (13 TeV)"
        assert "Simulation" in [text.get_text() for text in titled.texts]


def test_an_experiments_style_brings_its_fonts_and_goes_again():
    pytest.importorskip("mplhep", reason="the extra hep is not installed")
    with style("CMS"):
        assert matplotlib.rcParams["font.family"] == ["TeX Gyre Heros", "DejaVu Sans"]
        assert matplotlib.rcParams["font.size"] == STYLE["font.size"]
    with style():
        assert matplotlib.rcParams["font.family"] == families()


def test_the_garbage_collector_rests_while_a_picture_is_written_and_not_after(judged, monkeypatch, sketched):
    seen = []
    monkeypatch.setattr("hepclf.presentation.plots.picture.write_png", lambda *_: seen.append(gc.isenabled()))
    draw(judged(), Path("plots"))
    assert len(seen) >= len(ALWAYS)
    assert not any(seen)
    assert gc.isenabled()


def test_the_page_of_the_pictures_shows_one_of_each_study_at_least():
    docs = Path(__file__).parents[3] / "docs" / "evaluation"
    page = (docs / "pictures.md").read_text(encoding="utf-8")
    assert set(re.findall(r"Computed by \[(\w+)\]", page)) == set(STUDIES)
    assert {docs / place for place in re.findall(r"!\[\w+\]\(([^)]+)\)", page)} == set(docs.glob("pictures/*.png"))
